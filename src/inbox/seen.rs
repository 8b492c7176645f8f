//! The result of comparing a place with what runs there.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::labels::Labels;

/// The result for one place, in the order of the attention that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The place does not run this image any more.
    Gone,
    /// It runs the update's digest, or a newer one.
    Done,
    /// It cannot be told.
    Unknown,
    /// It runs an older digest.
    Behind,
}

impl Verdict {
    const ALL: [Self; 4] = [Self::Gone, Self::Done, Self::Unknown, Self::Behind];

    /// Its name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Done => "done",
            Self::Unknown => "unknown",
            Self::Behind => "behind",
        }
    }

    /// The verdict with this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// The result of a comparison at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The image of the update.
    pub image: String,
    /// The update's digest.
    pub digest: String,
    /// The place: host, provider and workload.
    pub place: [String; 3],
    /// Whether the place is new to the inbox.
    pub is_new: bool,
    /// Whether it is done.
    pub verdict: Verdict,
    /// The digests that it runs, sorted.
    pub runs: Vec<String>,
    /// Since when it was seen running them, if that is known.
    pub since: Option<DateTime<Utc>>,
    /// Whether it is stopped.
    pub is_stopped: bool,
    /// The labels of the running image.
    pub labels: Labels,
}

/// The changes that a comparison made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// The action's number in the history; `None` if it changed nothing.
    pub id: Option<i64>,
    /// The images whose updates were acknowledged, as no place needs them any more.
    pub closed: Vec<String>,
    /// The images whose updates are pending again, as a place runs an older digest again.
    pub reopened: Vec<String>,
}
