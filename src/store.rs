//! The store: one trait, and its engines.

mod amounts;
mod error;
pub mod follow;
mod glance;
mod group;
pub mod location;
mod migrations;
mod open;
#[cfg(feature = "postgres")]
pub mod postgres;
mod rules;
pub mod sqlite;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::event::Event;
use crate::image::{ImageName, ImagePattern, alike, did_you_mean};
use crate::inbox::action::{Action, Kind, Origin, Receipt, Stamp};
use crate::inbox::history::{Entry, Ignore, Page};
use crate::inbox::labels::Labelled;
use crate::inbox::query::Query;
use crate::inbox::received::Received;
use crate::inbox::refused::Refused;
use crate::inbox::scan::{Beat, Scans};
use crate::inbox::seen::{Reconciled, Seen};
use crate::inbox::update::{Counts, Digest, Host, Tag, Update};

pub use amounts::{Imported, Prune, Pruned, Spooled};
pub use error::{ErrorKind, Result, StoreError};
pub use glance::Glance;
pub use location::Location;
pub use open::{import, open, open_with_spool};
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
pub use sqlite::SqliteStore;

/// How long an operation waits in all for a lock or a server, unless told otherwise. Diun waits 10 s for
/// an answer.
pub const PATIENCE: Duration = Duration::from_secs(8);

/// Locks a mutex, even a poisoned one: a store's shared data is consistent between statements, so a panic
/// in another thread does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The folder that a file is in.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// An error message for an unknown tag, with similar names.
pub fn no_tag<'a>(wanted: &str, tags: impl Iterator<Item = &'a str>) -> String {
    let near = did_you_mean(&alike(wanted, tags));
    format!("no tag \"{}\"{near}", wanted.escape_debug())
}

/// Stores updates, tags and decisions durably.
///
/// A change is durable when the operation returns. Any number of threads may call any operation at
/// once. No operation asks the engine for the time.
pub trait Store: Send + Sync {
    /// Stores an event. Concurrent callers share one transaction.
    fn upsert(&self, received: Received) -> Result<()>;

    /// Stores events in order in one transaction.
    fn upsert_all(&self, received: &[Received]) -> Result<()>;

    /// The updates that a query selects, in its order.
    fn select(&self, query: &Query) -> Result<Vec<Update>>;

    /// The images of the updates that a query selects, in its order.
    fn select_images(&self, query: &Query) -> Result<Vec<String>>;

    /// The digests that an image had before the current one, newest first.
    fn digests(&self, image: &ImageName) -> Result<Vec<Digest>>;

    /// Applies an action in one transaction.
    fn act(&self, action: &Action) -> Result<Receipt>;

    /// Takes back an action; without an id, the last one of the stamp's origin and user that was not taken
    /// back yet. Images with a later decision or another digest stay as they are. Returns `None` if there is
    /// no such action.
    ///
    /// # Errors
    /// [`ErrorKind::Undone`] if it was taken back before, and the engine's errors.
    fn undo(&self, id: Option<i64>, stamp: &Stamp) -> Result<Option<Receipt>>;

    /// Recorded actions, newest first.
    fn history(&self, page: &Page) -> Result<Vec<Entry>>;

    /// The patterns of images that never become pending, from A to Z.
    fn ignores(&self) -> Result<Vec<Ignore>>;

    /// Adds a pattern. The receipt names the images that it hides. Returns `None` if it is there
    /// already.
    fn ignore(&self, pattern: &ImagePattern, stamp: &Stamp) -> Result<Option<Receipt>>;

    /// Removes a pattern. The receipt names the images that it hid. Returns `None` if it is not there.
    fn unignore(&self, pattern: &str, stamp: &Stamp) -> Result<Option<Receipt>>;

    /// Stores what a comparison found at each place, and acknowledges the updates that no place needs any
    /// more, in one action. Updates that have another digest by now stay as they are. With `is_dry`, the
    /// result is returned and nothing is changed.
    fn reconcile(&self, seen: &[Seen], stamp: &Stamp, is_dry: bool) -> Result<Reconciled>;

    /// Stores the version and the links from image labels.
    fn keep_labels(&self, labelled: &[Labelled]) -> Result<()>;

    /// Counts the updates in each state at this time.
    fn count(&self, now: DateTime<Utc>) -> Result<Counts>;

    /// The number of the last change to any update. Each change gets a higher number.
    fn last_change(&self) -> Result<i64>;

    /// The time at which the next snooze ends.
    fn next_snooze_end(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>>;

    /// The hosts that events have named, from A to Z.
    fn hosts(&self, now: DateTime<Utc>) -> Result<Vec<Host>>;

    /// The scans of the hosts that may send heartbeats, from A to Z.
    fn scans(&self) -> Result<Vec<(String, Scans)>>;

    /// The secret with which a host's Diun may send heartbeats, if it has one.
    fn ping_secret(&self, host: &str) -> Result<Option<String>>;

    /// The secret of a host's heartbeats. It is created if the host has none.
    fn allow_ping(&self, host: &str) -> Result<String>;

    /// Stores a heartbeat of a host's Diun.
    fn take_beat(&self, host: &str, beat: &Beat, now: DateTime<Utc>) -> Result<()>;

    /// Adds to the counts of refused webhook requests, and updates their times.
    fn keep_refused(&self, refused: &[Refused]) -> Result<()>;

    /// The counts of refused webhook requests by reason, the latest first.
    fn refused(&self) -> Result<Vec<Refused>>;

    /// Every tag, ordered by name.
    fn list_tags(&self) -> Result<Vec<Tag>>;

    /// Creates a tag. White space around the name is not part of it.
    ///
    /// # Errors
    /// [`ErrorKind::TagExists`] and [`ErrorKind::TagName`], and the engine's errors.
    fn create_tag(&self, name: &str) -> Result<Tag>;

    /// Renames a tag. Returns true if it exists.
    ///
    /// # Errors
    /// As [`Store::create_tag`].
    fn rename_tag(&self, id: i64, name: &str) -> Result<bool>;

    /// Deletes a tag, and takes it off its images. Returns true if it existed.
    fn delete_tag(&self, id: i64) -> Result<bool>;

    /// Replaces the tag of images, or removes it if `tag` is `None`, in one action. An image need not have an
    /// update.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownTag`], beside those of the engine.
    fn put_tag(&self, images: &[ImageName], tag: Option<i64>, stamp: &Stamp) -> Result<Receipt>;

    /// Returns true if the tag exists.
    fn tag_exists(&self, id: i64) -> Result<bool> {
        Ok(self.list_tags()?.iter().any(|tag| tag.id == id))
    }

    /// Counts the images of each tag, by the tag's id. Tags without images are left out.
    fn count_tagged(&self) -> Result<BTreeMap<i64, u64>>;

    /// Removes old acknowledged updates, digests and actions, and frees their disk space.
    fn prune(&self, what: Prune) -> Result<Pruned>;

    /// Imports an SQLite inbox. See [`import`].
    fn import(&self, from: &Path) -> Result<Imported>;

    /// Writes a consistent copy into a file that is empty or does not exist, as an SQLite inbox.
    fn backup(&self, to: &Path) -> Result<()>;

    /// The file or the server, for messages and for comparing files.
    fn location(&self) -> &Location;

    /// Checks that the engine answers.
    fn check(&self) -> Result<()>;

    /// Flushes the engine's write-ahead log before shutdown.
    fn flush(&self) -> Result<()>;

    /// The state of the spool; `None` without a spool.
    fn spooled(&self) -> Option<Spooled> {
        None
    }

    /// Stores an event that was received at this time.
    fn upsert_event(&self, event: &Event, at: DateTime<Utc>) -> Result<()> {
        self.upsert(Received::now(event.clone(), at))
    }

    /// Returns an error if the query names a tag that does not exist, which is probably a typing error.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownTag`], beside those of the engine.
    fn require_tags(&self, query: &Query) -> Result<()> {
        if query.tags.is_empty() {
            return Ok(());
        }
        let tags = self.list_tags()?;
        let known = || tags.iter().map(|tag| tag.name.as_str());
        match query.tags.iter().find(|wanted| !known().any(|tag| tag == *wanted)) {
            Some(unknown) => Err(StoreError::new(ErrorKind::UnknownTag, no_tag(unknown, known()))),
            None => Ok(()),
        }
    }

    /// Every update, by image.
    fn get_updates(&self, now: DateTime<Utc>) -> Result<BTreeMap<String, Update>> {
        let updates = self.select(&Query::all(now))?.into_iter();
        Ok(updates.map(|update| (update.event.image.clone(), update)).collect())
    }

    /// One image's update.
    fn get_update(&self, image: &ImageName, now: DateTime<Utc>) -> Result<Option<Update>> {
        Ok(self.select(&Query::of(image.clone(), now))?.pop())
    }

    /// Acknowledges the current digest of an image. Returns true if it has an update.
    fn acknowledge_update(&self, image: &ImageName, now: DateTime<Utc>) -> Result<bool> {
        let receipt = self.act(&Action {
            kind: Kind::Acknowledge,
            query: Query::of(image.clone(), now),
            hosts: Vec::new(),
            stamp: Stamp::new(Origin::CommandLine, now),
        })?;
        Ok(!receipt.images.is_empty())
    }

    /// Puts a tag on an image, in place of the one it has.
    ///
    /// # Errors
    /// As [`Store::put_tag`].
    fn assign_tag(&self, image: &ImageName, tag: i64, now: DateTime<Utc>) -> Result<()> {
        let stamp = Stamp::new(Origin::CommandLine, now);
        self.put_tag(std::slice::from_ref(image), Some(tag), &stamp).map(drop)
    }

    /// Takes the tag off an image, if it has one.
    fn unassign_tag(&self, image: &ImageName, now: DateTime<Utc>) -> Result<()> {
        let stamp = Stamp::new(Origin::CommandLine, now);
        self.put_tag(std::slice::from_ref(image), None, &stamp).map(drop)
    }
}
