//! The store in one SQLite file, which the command line and a running `serve` share.

mod checkpointer;
mod database;
mod error;
mod events;
mod glance;
mod headlines;
mod reports;
mod row;
mod syncer;
mod updates;
mod upkeep;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use self::database::Database;
pub use self::glance::Glance;
use self::row::text;
use self::writer::Writer;
use super::{
    Arrivals, Counts, Headline, Places, Prune, Pruned, Report, Result, State, Store, StoreError,
    Tag, Update,
};
use crate::event::Event;

/// Readers that are kept open for the next time.
const IDLE_READERS: usize = 4;

/// The store in one SQLite file, in WAL mode with `synchronous = FULL`; only within a bulk, one
/// transaction is synced while the next is stored.
///
/// One connection writes; readers have their own, so that neither waits for the other.
///
/// ```
/// use diunbox::{event::Event, store::{SqliteStore, State, Store}};
///
/// let folder = tempfile::tempdir()?;
/// let store = SqliteStore::open(&folder.path().join("diunbox.db"))?;
/// store.upsert_event(&Event { image: "ghcr.io/acme/api:2.0".into(), ..Event::default() })?;
/// assert_eq!(store.list_updates(State::Pending)?.len(), 1);
///
/// assert!(store.acknowledge_update("ghcr.io/acme/api:2.0")?);
/// assert!(store.list_updates(State::Pending)?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    database: Database,
    writer: Writer,
}

impl SqliteStore {
    /// Opens a database, makes it where there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// When it cannot be opened, or is not one that this diunbox can use; it stays as it is then.
    pub fn open(path: &Path) -> Result<Self> {
        let database = Database::new(path);
        let writer = Writer::new(database.open()?);
        Ok(Self { database, writer })
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// Copies the database, as it is at one moment, into a file that does not exist yet.
    ///
    /// # Errors
    /// When the copy cannot be written.
    pub fn backup(&self, to: &Path) -> Result<()> {
        self.read(|connection| upkeep::backup(connection, to))
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let file = self.database.file();
        if file.is_some() && self.database.is_replaced(file) {
            self.writer.renew(&self.database)?;
        }
        let mut readers = lock(&self.database.readers);
        readers.retain(|(opened, _)| Some(*opened) == file);
        let idle = readers.pop();
        drop(readers);
        let connection = match idle {
            Some((_, connection)) => connection,
            None => self.database.connect()?,
        };
        let result = work(&connection).map_err(|error| self.database.explain(&error))?;
        let mut readers = lock(&self.database.readers);
        if let Some(file) = file.filter(|_| readers.len() < IDLE_READERS) {
            readers.push((file, connection));
        }
        Ok(result)
    }

    /// Reads what several statements see at one moment.
    fn snapshot<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.read(|connection| {
            // One that takes the lock for writing would hold up who writes.
            let snapshot = Transaction::new_unchecked(connection, TransactionBehavior::Deferred)?;
            let result = work(&snapshot)?;
            snapshot.finish()?;
            Ok(result)
        })
    }

    fn write<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.writer.with(&self.database, work)
    }
}

impl Store for SqliteStore {
    fn upsert_event(&self, event: &Event) -> Result<()> {
        self.writer.upsert(&self.database, event)
    }

    fn upsert_events(&self, events: &mut dyn Arrivals) -> Result<()> {
        self.writer.upsert_all(&self.database, events)
    }

    fn get_updates(&self) -> Result<BTreeMap<String, Update>> {
        let updates = self.list_updates(State::All)?;
        Ok(updates.into_iter().map(|update| (update.event.image.clone(), update)).collect())
    }

    fn list_updates(&self, state: State) -> Result<Vec<Update>> {
        self.snapshot(|connection| updates::list(connection, state))
    }

    fn updates_after(&self, state: State, image: &str, most: usize) -> Result<Vec<Update>> {
        self.snapshot(|connection| updates::after(connection, state, image, most))
    }

    fn list_headlines(&self, state: State, places: Places) -> Result<Vec<Headline>> {
        self.snapshot(|connection| headlines::list(connection, state, places))
    }

    fn get_update(&self, image: &str) -> Result<Option<Update>> {
        self.read(|connection| updates::get(connection, image))
    }

    fn get_reports(&self, image: &str) -> Result<Vec<Report>> {
        self.read(|connection| reports::list(connection, image))
    }

    fn acknowledge_update(&self, image: &str) -> Result<bool> {
        self.write(|connection| updates::acknowledge(connection, image))
    }

    fn acknowledge_updates(&self, images: &[String]) -> Result<Vec<bool>> {
        self.write(|connection| {
            let transaction = connection.transaction()?;
            let found = images.iter().map(|image| updates::acknowledge(&transaction, image));
            let found = found.collect::<rusqlite::Result<_>>()?;
            transaction.commit()?;
            Ok(found)
        })
    }

    fn acknowledge_matching(&self, accept: &dyn Fn(&Headline) -> bool) -> Result<Vec<String>> {
        self.write(|connection| {
            let transaction = connection.transaction()?;
            let pending = headlines::list(&transaction, State::Pending, Places::All)?;
            let images = pending.into_iter().filter(|headline| accept(headline));
            let images: Vec<String> = images.map(|headline| headline.image).collect();
            for image in &images {
                updates::acknowledge(&transaction, image)?;
            }
            transaction.commit()?;
            Ok(images)
        })
    }

    fn list_images(&self) -> Result<Vec<String>> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT image FROM updates ORDER BY image")?
                .query_map([], |row| text(row, 0))?
                .collect()
        })
    }

    fn list_tags(&self) -> Result<Vec<Tag>> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT id, name FROM tags ORDER BY name")?
                .query_map([], |row| Ok(Tag { id: row.get(0)?, name: text(row, 1)? }))?
                .collect()
        })
    }

    fn create_tag(&self, name: &str) -> Result<Tag> {
        let name = tag_name(name)?;
        let sql = "INSERT INTO tags (name) VALUES (?1) ON CONFLICT (name) DO NOTHING RETURNING id";
        let id = self
            .write(|connection| connection.query_row(sql, [name], |row| row.get(0)).optional())?;
        let name = name.to_owned();
        match id {
            Some(id) => Ok(Tag { id, name }),
            None => Err(StoreError::TagExists(name)),
        }
    }

    fn rename_tag(&self, id: i64, name: &str) -> Result<bool> {
        let name = tag_name(name)?;
        let renamed = self.write(|connection| {
            let transaction = connection.transaction()?;
            let sql = "SELECT EXISTS (SELECT 1 FROM tags WHERE name = ?1 AND id <> ?2)";
            if transaction.query_row(sql, params![name, id], |row| row.get(0))? {
                return Ok(None);
            }
            let sql = "UPDATE tags SET name = ?1 WHERE id = ?2";
            let found = transaction.execute(sql, params![name, id])? > 0;
            transaction.commit()?;
            Ok(Some(found))
        })?;
        renamed.ok_or_else(|| StoreError::TagExists(name.to_owned()))
    }

    fn delete_tag(&self, id: i64) -> Result<bool> {
        let sql = "DELETE FROM tags WHERE id = ?1";
        self.write(|connection| Ok(connection.execute(sql, [id])? > 0))
    }

    fn assign_tag(&self, image: &str, tag: i64) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO tag_assignments (image, tag_id)
            SELECT ?1, id FROM tags WHERE id = ?2";
        let assigned = self.write(|connection| connection.execute(sql, params![image, tag]))?;
        if assigned > 0 { Ok(()) } else { Err(StoreError::UnknownTag(tag)) }
    }

    fn unassign_tag(&self, image: &str) -> Result<()> {
        let sql = "DELETE FROM tag_assignments WHERE image = ?1";
        self.write(|connection| connection.execute(sql, [image])).map(drop)
    }

    fn tag_exists(&self, id: i64) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM tags WHERE id = ?1)";
        self.read(|connection| connection.query_row(sql, [id], |row| row.get(0)))
    }

    fn count_tagged(&self) -> Result<BTreeMap<i64, u64>> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT tag_id, count(*) FROM tag_assignments GROUP BY tag_id")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
    }

    fn count_updates(&self) -> Result<Counts> {
        self.read(updates::count)
    }

    fn prune(&self, what: Prune) -> Result<Pruned> {
        self.write(|connection| upkeep::prune(connection, what))
    }

    fn check(&self) -> Result<()> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM updates LIMIT 1)";
        self.read(|connection| connection.query_row(sql, [], |_| Ok(())))
    }

    fn checkpoint(&self) -> Result<()> {
        lock(&self.database.readers).clear();
        self.write(|connection| upkeep::checkpoint(connection))
    }
}

fn tag_name(name: &str) -> Result<&str> {
    let name = name.trim();
    if name.is_empty() { Err(StoreError::TagNameEmpty) } else { Ok(name) }
}

/// Locks, also after a panic elsewhere: what is behind these locks is whole between statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
