//! The spool: an SQLite file that takes events while no server does.
//!
//! A batch is one row, with the ledger of the attempt that failed: if that attempt was in doubt, the
//! server knows the batch again. While there are batches, all new events come after them.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::value::RawValue;

use super::transaction::Ledger;
use crate::inbox::received::Received;
use crate::store::{ErrorKind, Result, Spooled, StoreError, lock, sqlite};

/// The largest spool: 1 GiB in pages of 4 KiB.
const PAGES: i64 = 256 * 1024;
/// SQLite's mark for the files of one program: DIUS.
const APPLICATION_ID: i32 = 0x4449_5553;
const TABLES: &str = "
    CREATE TABLE batches (id INTEGER PRIMARY KEY, writer TEXT NOT NULL, seq INTEGER NOT NULL,
        at INTEGER NOT NULL, count INTEGER NOT NULL, events TEXT NOT NULL);
    -- Events that the server refused, with its reason.
    CREATE TABLE refused (id INTEGER PRIMARY KEY, event TEXT NOT NULL, reason TEXT NOT NULL);";

pub(super) struct Spool {
    path: PathBuf,
    connection: Mutex<Connection>,
    state: Mutex<State>,
    /// Notified when the state changes.
    changed: Condvar,
}

/// What is in the file.
#[derive(Default)]
struct State {
    spooled: Spooled,
    is_stopping: bool,
}

/// A batch.
pub(super) struct Batch {
    id: i64,
    pub(super) ledger: Ledger,
    pub(super) events: Vec<Received>,
}

impl Spool {
    /// Opens a spool, and creates it if it is missing. What an earlier server left in it is kept.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let created =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        if let Err(error) = created {
            if error.kind() != std::io::ErrorKind::AlreadyExists {
                let message = format!("cannot create the spool {}: {error}", path.display());
                return Err(StoreError::new(ErrorKind::Denied, message));
            }
        }
        let explain = |error| explain(path, &error);
        let connection = Connection::open(sqlite::plain(path)).map_err(explain)?;
        let sql = "SELECT (SELECT count(*) FROM sqlite_schema), application_id FROM pragma_application_id";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i32>(1)?));
        // Another server that has it open keeps it locked.
        connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE").map_err(explain)?;
        match connection.query_row(sql, [], row).map_err(explain)? {
            (0, _) => connection
                .execute_batch(&format!(
                    "BEGIN; {TABLES} PRAGMA application_id = {APPLICATION_ID}; COMMIT"
                ))
                .map_err(explain)?,
            (_, APPLICATION_ID) => {}
            _ => {
                let message =
                    format!("{} is not a spool: point --spool at another file", path.display());
                return Err(StoreError::new(ErrorKind::Unusable, message));
            }
        }
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA max_page_count = {PAGES};
                BEGIN IMMEDIATE; COMMIT"
            ))
            .map_err(explain)?;
        let state =
            State { spooled: read_state(&connection).map_err(explain)?, is_stopping: false };
        let (connection, state) = (Mutex::new(connection), Mutex::new(state));
        Ok(Self { path: path.to_owned(), connection, state, changed: Condvar::new() })
    }

    pub(super) fn spooled(&self) -> Spooled {
        lock(&self.state).spooled
    }

    /// Keeps a batch. It is on the disk when this returns.
    pub(super) fn push(&self, ledger: &Ledger, events: &[Received]) -> Result<()> {
        let connection = lock(&self.connection);
        let text = serde_json::to_string(events).unwrap_or_default();
        let oldest = events.iter().map(|received| received.at).min().unwrap_or_default();
        let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
        let sql =
            "INSERT INTO batches (writer, seq, at, count, events) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = params![ledger.writer, ledger.seq, oldest.timestamp_millis(), count, text];
        connection.execute(sql, values).map_err(|error| explain(&self.path, &error))?;
        self.refresh(&connection)
    }

    /// The first batch.
    pub(super) fn first(&self) -> Result<Option<Batch>> {
        let sql = "SELECT id, writer, seq, events FROM batches ORDER BY id LIMIT 1";
        let row = |row: &rusqlite::Row<'_>| {
            let ledger = Ledger { writer: row.get(1)?, seq: row.get(2)? };
            Ok((row.get(0)?, ledger, row.get::<_, String>(3)?))
        };
        let found = lock(&self.connection).query_row(sql, [], row).optional();
        let found = found.map_err(|error| explain(&self.path, &error))?;
        Ok(found.map(|(id, ledger, text)| {
            let events: Vec<Box<RawValue>> = serde_json::from_str(&text).unwrap_or_default();
            let read = |event: &RawValue| Received::from_json(event.get().as_bytes(), Utc::now());
            let events = events.iter().filter_map(|event| read(event).ok()).collect();
            Batch { id, ledger, events }
        }))
    }

    /// Removes a batch that was stored, but for the events that the server refused.
    pub(super) fn done(&self, batch: &Batch, refused: &[(Received, String)]) -> Result<()> {
        let mut connection = lock(&self.connection);
        let mut remove = || {
            let transaction = connection.transaction()?;
            for (event, reason) in refused {
                let event = serde_json::to_string(event).unwrap_or_default();
                let sql = "INSERT INTO refused (event, reason) VALUES (?1, ?2)";
                transaction.execute(sql, [&event, reason])?;
            }
            transaction.execute("DELETE FROM batches WHERE id = ?1", [batch.id])?;
            transaction.commit()
        };
        remove().map_err(|error| explain(&self.path, &error))?;
        self.refresh(&connection)
    }

    /// Waits until there is a batch, or for a time. Returns false if the store is being closed.
    pub(super) fn wait(&self, time: Option<Duration>) -> bool {
        let state = lock(&self.state);
        let state = if let Some(time) = time {
            let waited = self.changed.wait_timeout_while(state, time, |state| !state.is_stopping);
            waited.unwrap_or_else(PoisonError::into_inner).0
        } else {
            let is_idle = |state: &mut State| state.spooled.events == 0 && !state.is_stopping;
            self.changed.wait_while(state, is_idle).unwrap_or_else(PoisonError::into_inner)
        };
        !state.is_stopping
    }

    /// Ends every [`Spool::wait`].
    pub(super) fn stop(&self) {
        lock(&self.state).is_stopping = true;
        self.changed.notify_all();
    }

    fn refresh(&self, connection: &Connection) -> Result<()> {
        let spooled = read_state(connection).map_err(|error| explain(&self.path, &error))?;
        lock(&self.state).spooled = spooled;
        self.changed.notify_all();
        Ok(())
    }
}

fn read_state(connection: &Connection) -> rusqlite::Result<Spooled> {
    let sql =
        "SELECT coalesce(sum(count), 0), min(at), (SELECT count(*) FROM refused) FROM batches";
    connection.prepare_cached(sql)?.query_row([], |row| {
        let oldest: Option<i64> = row.get(1)?;
        let oldest = oldest.and_then(DateTime::from_timestamp_millis);
        Ok(Spooled { events: row.get(0)?, oldest, refused: row.get(2)? })
    })
}

fn explain(path: &Path, error: &rusqlite::Error) -> StoreError {
    let explained = sqlite::explain(path, error);
    if explained.kind == ErrorKind::Unavailable {
        let message =
            format!("the spool {} is in use by another server: give each its own", path.display());
        return StoreError::new(ErrorKind::Unavailable, message);
    }
    StoreError::new(explained.kind, format!("the spool cannot be used: {}", explained.message))
}
