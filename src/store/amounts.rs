//! What an operation is to remove, and how much was removed, taken over, or waits.

use chrono::{DateTime, Utc};

/// What to remove, and whether only to say what would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prune {
    /// Removes updates that were acknowledged before this, with their places and digests, and
    /// digests and actions from before this.
    pub before: DateTime<Utc>,
    /// Changes nothing.
    pub dry_run: bool,
}

/// How much was taken over from another inbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Updates of images that were not there.
    pub added: u64,
    /// Updates whose event or decision the other inbox has newer.
    pub changed: u64,
    /// Actions that were not there.
    pub actions: u64,
}

/// What waits in a spool until the database can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spooled {
    /// Events that wait.
    pub events: u64,
    /// When the oldest of them was received.
    pub oldest: Option<DateTime<Utc>>,
    /// Events that the database refused. They stay in the file.
    pub refused: u64,
    /// Why the last event was not stored in the database.
    pub reason: String,
}

/// How much was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Updates, with their places and digests.
    pub updates: u64,
    /// Digests of the updates that stay.
    pub digests: u64,
    /// Actions.
    pub actions: u64,
    /// Bytes that the database became smaller by.
    pub bytes: u64,
}
