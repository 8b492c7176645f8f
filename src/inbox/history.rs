//! Recorded actions, and ignore patterns.

use chrono::{DateTime, Utc};

use crate::image::ImageName;

/// The most images of an action that are named. The others are only counted.
pub const NAMED: usize = 100;

/// The most actions that are shown with an update.
pub const HISTORY: usize = 20;

/// A query for actions, newest first.
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
    /// Its kind, such as `acknowledge`.
    pub kind: String,
    /// The end of a snooze, a pattern, a tag's name or hosts.
    pub detail: Option<String>,
    /// Where it came from.
    pub origin: String,
    /// The user; empty if not known.
    pub user: String,
    /// The user's note.
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
    /// The user's note.
    pub note: Option<String>,
    /// When it was added.
    pub added: DateTime<Utc>,
    /// How many images it matches.
    pub images: u64,
}
