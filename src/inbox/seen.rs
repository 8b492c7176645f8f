//! What was found out about the places that run an image.

use serde::Serialize;

/// Whether a place runs the digest of its update. The later ones need more attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It does not run this image any more.
    Gone,
    /// It runs it, or something newer.
    Done,
    /// It cannot be told.
    Unknown,
    /// It runs something older.
    Behind,
}

impl Verdict {
    /// Its name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Done => "done",
            Self::Unknown => "unknown",
            Self::Behind => "behind",
        }
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
