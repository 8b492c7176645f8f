//! The result of comparing a place with what runs there.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::labels::Labels;

/// Whether a place runs the digest of its update. The later ones need more attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It does not run this image any more.
    Gone,
    /// It runs it, or something newer.
    Done,
    /// Not known.
    Unknown,
    /// It runs something older.
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

    /// The verdict of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// What was found out about a place.
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
    /// What the labels of what it runs say.
    pub labels: Labels,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// The action's number in the history; `None` if it changed nothing.
    pub id: Option<i64>,
    /// The images whose updates are acknowledged now, as no place needs them any more.
    pub closed: Vec<String>,
    /// The images whose updates are pending again, as a place went back.
    pub reopened: Vec<String>,
}
