//! Recorded actions, and ignore patterns.

use chrono::{DateTime, Utc};

use crate::image::ImageName;

/// Images of an action that are named. The others are only counted.
pub const NAMED: usize = 100;

/// Actions that are shown with an update.
pub const HISTORY: usize = 20;

/// Which actions are asked for, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// Only those that changed this image.
    pub image: Option<ImageName>,
    /// Only those with a lower number.
    pub before: Option<i64>,
    /// At most this many.
    pub limit: usize,
}

/// An action, as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub id: i64,
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// What it did, such as `acknowledge`.
    pub kind: String,
    /// What that was done with: the end of a snooze, a pattern or a tag's name.
    pub detail: Option<String>,
    /// Where it came from.
    pub origin: String,
    /// The user; empty if not known.
    pub user: String,
    /// What the user said about it.
    pub note: Option<String>,
    /// The first [`NAMED`] images that it changed, from A to Z.
    pub images: Vec<String>,
    /// How many images it changed.
    pub count: u64,
    /// The action that it took back.
    pub undoes: Option<i64>,
    /// The action that took it back.
    pub undone_by: Option<i64>,
}

/// A pattern of images that never become pending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// The pattern.
    pub pattern: String,
    /// What the user said about it.
    pub note: Option<String>,
    /// When it was added.
    pub added: DateTime<Utc>,
    /// How many images it matches.
    pub images: u64,
}
