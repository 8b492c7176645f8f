//! The store in one SQLite file, which the command line and a running `serve` share.

mod busy;
mod core;
mod database;
mod error;
mod upkeep;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tempfile::TempDir;

use self::core::Core;
use self::database::Database;
pub(super) use self::database::plain;
#[cfg(feature = "postgres")]
pub(super) use self::error::explain;
use super::group::Group;
use super::open::temporary_folder;
use super::rules::{
    act, history, hosts, ignores, import, labels, query, reconcile, refused, scans, tags, undo,
};
use super::{Imported, Location, PATIENCE, Prune, Pruned, Result, Store, StoreError};
use crate::image::{ImageName, ImagePattern};
use crate::inbox::action::{Action, Receipt, Stamp};
use crate::inbox::history::{Entry, Ignore, Page};
use crate::inbox::labels::Labelled;
use crate::inbox::query::Query;
use crate::inbox::received::Received;
use crate::inbox::refused::Refused;
use crate::inbox::scan::{Beat, Scans};
use crate::inbox::seen::{Reconciled, Seen};
use crate::inbox::update::{Counts, Digest, Host, Tag, Update};

/// The store in one SQLite file, in WAL mode with `synchronous = FULL`.
///
/// ```
/// use chrono::Utc;
/// use diunbox::event::Event;
/// use diunbox::image::ImageName;
/// use diunbox::inbox::query::Query;
/// use diunbox::store::{SqliteStore, Store};
///
/// let (folder, now) = (tempfile::tempdir()?, Utc::now());
/// let store = SqliteStore::open(&folder.path().join("diunbox.db"))?;
/// let event = Event { image: "ghcr.io/acme/api:2.0".into(), ..Event::default() };
/// store.upsert_event(&event, now)?;
/// assert_eq!(store.select(&Query::pending(now))?.len(), 1);
///
/// assert!(store.acknowledge_update(&ImageName::new("ghcr.io/acme/api:2.0")?, now)?);
/// assert!(store.select(&Query::pending(now))?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    core: Arc<Core>,
    group: Group,
    location: Location,
}

impl SqliteStore {
    /// Opens a database, creates it if it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// When it cannot be opened, or is not one that this diunbox can use; it stays as it is then.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_patiently(path, PATIENCE)
    }

    /// The same. This and each operation waits so long for locks.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_patiently(path: &Path, patience: Duration) -> Result<Self> {
        let (database, connection) = Database::open(path, patience)?;
        let core = Arc::new(Core::new(database, connection, patience));
        Ok(Self { core, group: Group::default(), location: path.into() })
    }
}

impl Store for SqliteStore {
    fn upsert(&self, received: Received) -> Result<()> {
        self.group.upsert(&self.core, received, self.core.deadline())
    }

    fn upsert_all(&self, received: &[Received]) -> Result<()> {
        self.core.upsert(received, self.core.deadline())
    }

    fn select(&self, query: &Query) -> Result<Vec<Update>> {
        self.core.read(|connection| query::updates(connection, query))
    }

    fn select_images(&self, query: &Query) -> Result<Vec<String>> {
        self.core.read(|connection| query::images(connection, query))
    }

    fn digests(&self, image: &ImageName) -> Result<Vec<Digest>> {
        self.core.read(|connection| query::digests(connection, image.as_str()))
    }

    fn act(&self, action: &Action) -> Result<Receipt> {
        self.core.change(|connection| act::apply(connection, action))
    }

    fn undo(&self, id: Option<i64>, stamp: &Stamp) -> Result<Option<Receipt>> {
        let undone = self.core.change(|connection| undo::undo(connection, id, stamp))?;
        undone.into_receipt()
    }

    fn reconcile(&self, seen: &[Seen], stamp: &Stamp, is_dry: bool) -> Result<Reconciled> {
        self.core.write(self.core.deadline(), |connection| {
            let transaction = connection.transaction()?;
            let reconciled = reconcile::apply(&transaction, seen, stamp)?;
            if is_dry {
                transaction.rollback()?;
            } else {
                transaction.commit()?;
            }
            Ok(reconciled)
        })
    }

    fn keep_labels(&self, labelled: &[Labelled]) -> Result<()> {
        self.core.change(|connection| labels::keep(connection, labelled))
    }

    fn history(&self, page: &Page) -> Result<Vec<Entry>> {
        self.core.read(|connection| history::list(connection, page))
    }

    fn ignores(&self) -> Result<Vec<Ignore>> {
        self.core.read(ignores::list)
    }

    fn ignore(&self, pattern: &ImagePattern, stamp: &Stamp) -> Result<Option<Receipt>> {
        let deed = ignores::deed(ignores::IGNORE, pattern.as_str());
        let note = stamp.note.as_deref();
        self.core.change(|connection| ignores::add(connection, &deed, note, stamp))
    }

    fn unignore(&self, pattern: &str, stamp: &Stamp) -> Result<Option<Receipt>> {
        let pattern = ignores::as_added(pattern);
        let deed = ignores::deed(ignores::UNIGNORE, &pattern);
        self.core.change(|connection| ignores::remove(connection, &deed, stamp))
    }

    fn count(&self, now: DateTime<Utc>) -> Result<Counts> {
        self.core.read(|connection| query::count(connection, now))
    }

    fn last_change(&self) -> Result<i64> {
        self.core.read(query::last_change)
    }

    fn next_snooze_end(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        self.core.read(|connection| query::next_snooze_end(connection, now))
    }

    fn hosts(&self, now: DateTime<Utc>) -> Result<Vec<Host>> {
        self.core.read(|connection| hosts::list(connection, now))
    }

    fn scans(&self) -> Result<Vec<(String, Scans)>> {
        self.core.read(scans::list)
    }

    fn ping_secret(&self, host: &str) -> Result<Option<String>> {
        self.core.read(|connection| scans::secret(connection, host))
    }

    fn allow_ping(&self, host: &str) -> Result<String> {
        self.core.change(|connection| scans::allow(connection, host))
    }

    fn take_beat(&self, host: &str, beat: &Beat, now: DateTime<Utc>) -> Result<()> {
        self.core.change(|connection| scans::take(connection, host, beat, now))
    }

    fn keep_refused(&self, refused: &[Refused]) -> Result<()> {
        self.core.change(|connection| refused::keep(connection, refused))
    }

    fn refused(&self) -> Result<Vec<Refused>> {
        self.core.read(refused::list)
    }

    fn list_tags(&self) -> Result<Vec<Tag>> {
        self.core.read(tags::list)
    }

    fn create_tag(&self, name: &str) -> Result<Tag> {
        let name = tags::valid(name)?;
        let id = self.core.change(|connection| tags::create(connection, name))?;
        id.map(|id| Tag { id, name: name.to_owned() }).ok_or_else(|| tags::exists(name))
    }

    fn rename_tag(&self, id: i64, name: &str) -> Result<bool> {
        let name = tags::valid(name)?;
        let renamed = self.core.change(|connection| tags::rename(connection, id, name))?;
        renamed.ok_or_else(|| tags::exists(name))
    }

    fn delete_tag(&self, id: i64) -> Result<bool> {
        self.core.change(|connection| tags::delete(connection, id))
    }

    fn put_tag(&self, images: &[ImageName], tag: Option<i64>, stamp: &Stamp) -> Result<Receipt> {
        let receipt = self.core.change(|connection| tags::put(connection, images, tag, stamp))?;
        receipt.ok_or_else(|| tags::unknown(tag.unwrap_or_default()))
    }

    fn count_tagged(&self) -> Result<BTreeMap<i64, u64>> {
        self.core.read(tags::count)
    }

    fn prune(&self, what: Prune) -> Result<Pruned> {
        self.core.write(self.core.deadline(), |connection| upkeep::prune(connection, what))
    }

    fn import(&self, from: &Path) -> Result<Imported> {
        let (_folder, copy) = current(from)?;
        self.core.write(self.core.deadline(), |connection| import::merge(connection, &copy))
    }

    fn backup(&self, to: &Path) -> Result<()> {
        self.core.with(|connection| upkeep::backup(connection, to))
    }

    fn location(&self) -> &Location {
        &self.location
    }

    fn check(&self) -> Result<()> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM updates LIMIT 1)";
        self.core.read(|connection| connection.query_row(sql, [], |_| Ok(())))
    }

    fn flush(&self) -> Result<()> {
        self.core.write(self.core.deadline(), |connection| upkeep::checkpoint(connection))
    }
}

/// A copy of another inbox, of the current schema, in a folder that is removed when it is dropped.
pub(super) fn current(from: &Path) -> Result<(TempDir, PathBuf)> {
    let folder = temporary_folder()?;
    let copy = folder.path().join("import.db");
    upkeep::copy(from, &copy).map_err(|error| error::explain(from, &error))?;
    // Brings its schema up to date, and refuses what is not an inbox.
    let opened = SqliteStore::open(&copy).map_err(|error| {
        let message = error.to_string();
        let message = message.replace(&copy.display().to_string(), &from.display().to_string());
        StoreError::new(error.kind, message)
    })?;
    opened.flush()?;
    Ok((folder, copy))
}
