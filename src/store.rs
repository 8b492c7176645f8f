//! What diunbox keeps, and the operations on it, whatever the engine underneath.

mod arrival;
pub mod migrations;
pub mod sqlite;

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::event::{Event, Metadata};

pub use arrival::{Arrival, Arrivals, TEXTS};
pub use sqlite::SqliteStore;

/// The current state of one image: its newest event, and what the user made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The newest event.
    pub event: Event,
    /// When that event was taken in.
    pub received_at: DateTime<Utc>,
    /// When the user acknowledged it; `None` while it is pending.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// The user's tag for the image.
    pub tag: Option<Tag>,
    /// Who runs the current digest, ordered and each once.
    pub places: Vec<Place>,
}

/// What a list shows of an update: all but most of its event, which takes the longest to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// The image's full name.
    pub image: String,
    /// The event's status.
    pub status: String,
    /// A web page about the image.
    pub hub_link: String,
    /// When the image was built, as RFC 3339 text.
    pub created: Option<String>,
    /// When the newest event was taken in.
    pub received_at: DateTime<Utc>,
    /// When the user acknowledged it; `None` while it is pending.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// The user's tag for the image.
    pub tag: Option<Tag>,
    /// Who runs the current digest, ordered and each once; or the first alone.
    pub places: Vec<Place>,
    /// How many places run it.
    pub place_count: usize,
}

/// Which places headlines are to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// The first of each, which is far faster where images have many.
    First,
    /// All.
    All,
}

/// What updates and their headlines have in common: what one filters and sorts by.
pub trait Listed {
    /// The image's full name.
    fn image(&self) -> &str;
    /// When the image was built, as RFC 3339 text.
    fn created(&self) -> Option<&str>;
    /// When the newest event was taken in.
    fn received_at(&self) -> DateTime<Utc>;
    /// Whether the user acknowledged it.
    fn is_acknowledged(&self) -> bool;
    /// The name of the user's tag for the image.
    fn tag(&self) -> Option<&str>;
    /// Who runs the current digest, ordered and each once.
    fn places(&self) -> &[Place];
}

macro_rules! listed {
    ($type:ty, $($event:ident)?) => {
        impl Listed for $type {
            fn image(&self) -> &str {
                &self$(.$event)?.image
            }
            fn created(&self) -> Option<&str> {
                self$(.$event)?.created.as_deref()
            }
            fn received_at(&self) -> DateTime<Utc> {
                self.received_at
            }
            fn is_acknowledged(&self) -> bool {
                self.acknowledged_at.is_some()
            }
            fn tag(&self) -> Option<&str> {
                self.tag.as_ref().map(|tag| tag.name.as_str())
            }
            fn places(&self) -> &[Place] {
                &self.places
            }
        }
    };
}

listed!(Update, event);
listed!(Headline,);

/// A label of the user's. An image carries at most one, and keeps it when new events arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// Its number, which stays when it is renamed.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// Where an image runs: the part of a report that tells it from others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The host.
    pub hostname: String,
    /// The provider through which Diun found it there.
    pub provider: String,
    /// The container, pod, service or task; empty where the provider knows none.
    pub workload: String,
}

/// Which host and which workload said that it runs an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The digest it was said of.
    pub digest: String,
    /// Where.
    pub place: Place,
    /// The last event's status.
    pub status: String,
    /// The last event's metadata.
    pub metadata: Metadata,
    /// When it was first said.
    pub first_seen: DateTime<Utc>,
    /// When it was last said.
    pub last_seen: DateTime<Utc>,
    /// How often.
    pub times: u64,
}

/// Which updates are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Those that are not acknowledged.
    #[default]
    Pending,
    /// Those that are.
    Acknowledged,
    /// Both.
    All,
}

/// How many updates there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Updates that are not acknowledged.
    pub pending: u64,
    /// Updates that are.
    pub acknowledged: u64,
    /// When the oldest pending update was received.
    pub oldest_pending: Option<DateTime<Utc>>,
    /// When the newest pending update was received.
    pub newest_pending: Option<DateTime<Utc>>,
}

/// What to forget, and whether only to say what would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prune {
    /// Forget updates that were acknowledged before this, with their reports.
    pub acknowledged_before: Option<DateTime<Utc>>,
    /// Forget reports last seen before this, but for the newest of each update, and those of the
    /// current digest of pending updates.
    pub reports_before: Option<DateTime<Utc>>,
    /// Change nothing.
    pub dry_run: bool,
}

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Updates forgotten.
    pub updates: u64,
    /// Reports forgotten, those of forgotten updates among them.
    pub reports: u64,
    /// Bytes that the database became smaller by.
    pub bytes: u64,
}

/// Why an operation failed. Each says what was wrong and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its error is")]
pub enum StoreError {
    #[error("a tag named \"{}\" exists already: choose another name", .0.escape_debug())]
    TagExists(String),
    #[error("a tag's name cannot be empty: give it a name")]
    TagNameEmpty,
    #[error("there is no tag with the id {0}: list the tags for those there are")]
    UnknownTag(i64),
    #[error(
        "{} was made by a newer diunbox (schema {found}, this one knows {known}): update diunbox",
        database.display()
    )]
    Newer { database: PathBuf, found: i64, known: usize },
    #[error("{} is damaged ({reason}): restore a backup, or save what is left with `sqlite3 … .recover`", database.display())]
    Damaged { database: PathBuf, reason: String },
    #[error("{} is not an SQLite database: point --db at another file, or move this one away", .0.display())]
    NotADatabase(PathBuf),
    #[error("{} is a database of another program: point --db at another file", .0.display())]
    Foreign(PathBuf),
    #[error("{} can only be read: check the owner and mode of the file and its folder", .0.display())]
    ReadOnly(PathBuf),
    #[error("{} cannot be opened ({reason}): check that its folder exists and is yours, and so are the -wal and -shm beside it", database.display())]
    CannotOpen { database: PathBuf, reason: String },
    #[error("{} is locked by another program: try again when that one is done", .0.display())]
    Locked(PathBuf),
    #[error("there is no room left to write {}: make room on its disk, then try again", .0.display())]
    Full(PathBuf),
    #[error("{} already exists: choose another name, or give --force to replace it", .0.display())]
    FileExists(PathBuf),
    #[error("{} could not be used: {reason}", database.display())]
    Other { database: PathBuf, reason: String },
}

/// What an operation gives.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The updates, tags and reports, durably kept.
///
/// An operation that changes something has done so durably when it returns. Any number of threads
/// may call any operation at once.
pub trait Store: Send + Sync {
    /// Takes an event in: makes it its image's update, pending, and records the report. The tag
    /// stays.
    fn upsert_event(&self, event: &Event) -> Result<()>;

    /// Takes many events in, in their order: all or none. They are taken one by one, and others
    /// cannot write until there are no more. Where [they are followed](Arrivals::are_followed), they
    /// are durable when those that follow are.
    fn upsert_events(&self, events: &mut dyn Arrivals) -> Result<()>;

    /// Every update, by image.
    fn get_updates(&self) -> Result<BTreeMap<String, Update>>;

    /// The updates in a state, in no order.
    fn list_updates(&self, state: State) -> Result<Vec<Update>>;

    /// The updates in a state whose image sorts after this one, ordered by image: at most so many,
    /// and fewer where they are large. None are returned only where there are none left.
    fn updates_after(&self, state: State, image: &str, most: usize) -> Result<Vec<Update>>;

    /// The headlines of the updates in a state, in no order.
    fn list_headlines(&self, state: State, places: Places) -> Result<Vec<Headline>>;

    /// One image's update, by its exact name.
    fn get_update(&self, image: &str) -> Result<Option<Update>>;

    /// Everything said of an image: first of its current digest, then the newest first.
    fn get_reports(&self, image: &str) -> Result<Vec<Report>>;

    /// Marks an update as acknowledged now. Gives whether there is one.
    fn acknowledge_update(&self, image: &str) -> Result<bool>;

    /// Acknowledges many updates at once: those of the images that there are. Gives whether there
    /// is one, for each image.
    fn acknowledge_updates(&self, images: &[String]) -> Result<Vec<bool>>;

    /// Acknowledges, in one step, every pending update that `accept` takes. Gives their images.
    fn acknowledge_matching(&self, accept: &dyn Fn(&Headline) -> bool) -> Result<Vec<String>>;

    /// The images that have an update, from A to Z.
    fn list_images(&self) -> Result<Vec<String>>;

    /// Every tag, ordered by name.
    fn list_tags(&self) -> Result<Vec<Tag>>;

    /// Makes a tag. White space around the name is not part of it.
    ///
    /// # Errors
    /// [`StoreError::TagExists`] and [`StoreError::TagNameEmpty`], beside those of the engine.
    fn create_tag(&self, name: &str) -> Result<Tag>;

    /// Gives a tag another name. Gives whether there is such a tag.
    ///
    /// # Errors
    /// As [`Store::create_tag`].
    fn rename_tag(&self, id: i64, name: &str) -> Result<bool>;

    /// Deletes a tag, and takes it off the images that carry it. Gives whether there was one.
    fn delete_tag(&self, id: i64) -> Result<bool>;

    /// Puts a tag on an image, in place of the one it carries. The image need not have an update.
    ///
    /// # Errors
    /// [`StoreError::UnknownTag`], beside those of the engine.
    fn assign_tag(&self, image: &str, tag: i64) -> Result<()>;

    /// Takes the tag off an image, if it carries one.
    fn unassign_tag(&self, image: &str) -> Result<()>;

    /// Whether there is such a tag.
    fn tag_exists(&self, id: i64) -> Result<bool>;

    /// How many images carry each tag, by the tag's id; tags that nothing carries are left out.
    fn count_tagged(&self) -> Result<BTreeMap<i64, u64>>;

    /// How many updates there are in each state.
    fn count_updates(&self) -> Result<Counts>;

    /// Forgets what is old, and gives the space back. What is pending is never touched.
    fn prune(&self, what: Prune) -> Result<Pruned>;

    /// Makes sure the engine can answer.
    fn check(&self) -> Result<()>;

    /// Brings the engine's files into the state in which they are best left alone.
    fn checkpoint(&self) -> Result<()>;
}
