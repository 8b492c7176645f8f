//! Arguments and results of prune and import, and the state of the spool.

use chrono::{DateTime, Utc};

/// The arguments of prune.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prune {
    /// Removes updates that were acknowledged before this, with their places and digests, and
    /// digests and actions from before this.
    pub before: DateTime<Utc>,
    /// Counts what would be removed, and changes nothing.
    pub dry_run: bool,
}

/// The result of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Updates of images that were new here.
    pub added: u64,
    /// Updates whose event or decision was newer in the other inbox.
    pub changed: u64,
    /// Actions that were new here.
    pub actions: u64,
}

/// The state of a spool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spooled {
    /// Events that are not yet in the database.
    pub events: u64,
    /// When the oldest of them was received.
    pub oldest: Option<DateTime<Utc>>,
    /// Events that the database refused. They stay in the file.
    pub refused: u64,
    /// Why the last event was not stored in the database.
    pub reason: String,
}

/// The result of prune.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Updates, with their places and digests.
    pub updates: u64,
    /// Digests of the updates that stay.
    pub digests: u64,
    /// Actions.
    pub actions: u64,
    /// Bytes by which the database file became smaller.
    pub bytes: u64,
}
