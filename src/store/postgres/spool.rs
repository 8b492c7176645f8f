//! The spool: an SQLite file that takes events while no server does.
//!
//! A batch is one row, with the ledger of the failed attempt. If the server stored that attempt although its
//! answer was lost, the ledger tells. While the spool holds batches, new events are appended to it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};
use rustix::fs::{FlockOperation, flock};
use serde_json::value::RawValue;

use super::transaction::Ledger;
use crate::inbox::received::Received;
use crate::store::{ErrorKind, Result, Spooled, StoreError, lock, sqlite};

/// The largest spool: 1 GiB in pages of 4 KiB.
const PAGES: i64 = 256 * 1024;
/// The most bytes that are drained in one transaction. The last batch may exceed it.
const BYTES: usize = 8 * 1024 * 1024;
/// Events that are drained in one transaction. New events wait while no more are left.
pub(super) const DRAINED: usize = 1_000;
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
    /// Locked, so that no other server uses it. Dropped last, as closing a file releases SQLite's locks on it.
    _file: File,
}

/// The state of the file.
#[derive(Default)]
struct State {
    spooled: Spooled,
    /// Whether new events wait until the last events are drained. Otherwise a spool that is filled as fast as
    /// it is drained would never be empty.
    is_ending: bool,
    is_stopping: bool,
}

/// Batches of one writer, in order.
pub(super) struct Batches {
    /// The id of the last row.
    last: i64,
    /// The ledger of the last batch.
    pub(super) ledger: Ledger,
    /// The events, each with the number of its batch.
    pub(super) events: Vec<(i64, Received)>,
    /// Events that cannot be parsed, with the reasons.
    unreadable: Vec<(String, String)>,
}

impl Batches {
    fn of(writer: String) -> Self {
        let ledger = Ledger { writer, seq: 0 };
        Self { last: 0, ledger, events: Vec::new(), unreadable: Vec::new() }
    }

    fn read(&mut self, seq: i64, text: &str) {
        let events: Vec<&RawValue> = match serde_json::from_str(text) {
            Ok(events) => events,
            Err(error) => {
                self.unreadable.push((text.to_owned(), error.to_string()));
                return;
            }
        };
        for event in events {
            match Received::from_json(event.get().as_bytes(), Utc::now()) {
                Ok(received) => self.events.push((seq, received)),
                Err(error) => self.unreadable.push((event.get().to_owned(), error.to_string())),
            }
        }
    }
}

impl Spool {
    /// Opens a spool, or creates it. Events that an earlier process left in it are kept.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let denied = |error: std::io::Error| {
            let message = format!("cannot open the spool {}: {error}", path.display());
            StoreError::new(ErrorKind::Denied, message)
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path).map_err(denied)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            let path = path.display();
            let message =
                format!("the spool {path} is in use by another server: give each its own");
            StoreError::new(ErrorKind::Denied, message)
        })?;
        let explain = |error| explain(path, &error);
        let connection = Connection::open(sqlite::plain(path)).map_err(explain)?;
        let sql = "SELECT (SELECT count(*) FROM sqlite_schema), application_id FROM pragma_application_id";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i32>(1)?));
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
        let settings =
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA max_page_count";
        connection.execute_batch(&format!("{settings} = {PAGES}")).map_err(explain)?;
        let state =
            State { spooled: read_state(&connection).map_err(explain)?, ..State::default() };
        let (connection, state) = (Mutex::new(connection), Mutex::new(state));
        Ok(Self { path: path.to_owned(), connection, state, changed: Condvar::new(), _file: file })
    }

    pub(super) fn spooled(&self) -> Spooled {
        lock(&self.state).spooled.clone()
    }

    /// Returns true if the spool is empty. Waits, at most until the deadline, while the last events are drained.
    pub(super) fn is_empty(&self, deadline: Instant) -> bool {
        let time = deadline.saturating_duration_since(Instant::now());
        let ended =
            self.changed.wait_timeout_while(lock(&self.state), time, |state| state.is_ending);
        ended.unwrap_or_else(PoisonError::into_inner).0.spooled.events == 0
    }

    /// Records why the server stores nothing, and lets new events into the spool.
    pub(super) fn blame(&self, reason: &str) {
        let mut state = lock(&self.state);
        reason.clone_into(&mut state.spooled.reason);
        state.is_ending = false;
        drop(state);
        self.changed.notify_all();
    }

    /// Appends a batch. It is on the disk when this returns.
    pub(super) fn push(&self, ledger: &Ledger, events: &[Received]) -> Result<()> {
        let connection = lock(&self.connection);
        let text = serde_json::to_string(events).unwrap_or_default();
        let oldest = events.iter().map(|received| received.at).min().unwrap_or_default();
        let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
        let sql =
            "INSERT INTO batches (writer, seq, at, count, events) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = params![ledger.writer, ledger.seq, oldest.timestamp_millis(), count, text];
        connection.execute(sql, values).map_err(|error| explain(&self.path, &error))?;
        let mut state = lock(&self.state);
        state.spooled.events += events.len() as u64;
        state.spooled.oldest = Some(state.spooled.oldest.map_or(oldest, |first| first.min(oldest)));
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// The first batches of one writer, up to `most` events or [`BYTES`], but at least one batch.
    pub(super) fn first(&self, most: usize) -> Result<Option<Batches>> {
        let connection = lock(&self.connection);
        let read = || -> rusqlite::Result<Option<Batches>> {
            let mut select = connection
                .prepare_cached("SELECT id, writer, seq, events FROM batches ORDER BY id")?;
            let mut rows = select.query([])?;
            let mut found: Option<Batches> = None;
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                let (last, writer, seq) = (row.get(0)?, row.get(1)?, row.get(2)?);
                if found.as_ref().is_some_and(|found| found.ledger.writer != writer) {
                    break;
                }
                let batches = found.get_or_insert_with(|| Batches::of(writer));
                batches.last = last;
                batches.ledger.seq = seq;
                let text = row.get_ref(3)?.as_str()?;
                batches.read(seq, text);
                bytes += text.len();
                if batches.events.len() >= most || bytes >= BYTES {
                    break;
                }
            }
            Ok(found)
        };
        read().map_err(|error| explain(&self.path, &error))
    }

    /// Removes batches that were stored. Events that the server refused are moved to the table `refused`.
    pub(super) fn done(&self, batches: &Batches, refused: &[(Received, String)]) -> Result<()> {
        let mut connection = lock(&self.connection);
        let mut remove = || {
            let transaction = connection.transaction()?;
            let sql = "INSERT INTO refused (event, reason) VALUES (?1, ?2)";
            for (event, reason) in refused {
                let event = serde_json::to_string(event).unwrap_or_default();
                transaction.execute(sql, [&event, reason])?;
            }
            for (text, reason) in &batches.unreadable {
                transaction.execute(sql, [text, reason])?;
            }
            transaction.execute("DELETE FROM batches WHERE id <= ?1", [batches.last])?;
            transaction.commit()
        };
        remove().map_err(|error| explain(&self.path, &error))?;
        let spooled = read_state(&connection).map_err(|error| explain(&self.path, &error))?;
        let mut state = lock(&self.state);
        let reason = std::mem::take(&mut state.spooled.reason);
        state.is_ending = (1..=DRAINED as u64).contains(&spooled.events);
        state.spooled = Spooled { reason, ..spooled };
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Waits for a time, or else until there is a batch. Returns false if the store is being closed.
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
}

fn read_state(connection: &Connection) -> rusqlite::Result<Spooled> {
    let sql =
        "SELECT coalesce(sum(count), 0), min(at), (SELECT count(*) FROM refused) FROM batches";
    connection.prepare_cached(sql)?.query_row([], |row| {
        let oldest: Option<i64> = row.get(1)?;
        let oldest = oldest.and_then(DateTime::from_timestamp_millis);
        Ok(Spooled { events: row.get(0)?, oldest, refused: row.get(2)?, reason: String::new() })
    })
}

fn explain(path: &Path, error: &rusqlite::Error) -> StoreError {
    let explained = sqlite::explain(path, error);
    StoreError::new(explained.kind, format!("the spool cannot be used: {}", explained.message))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn new_events_wait_for_the_last_ones_that_are_drained() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(&folder.path().join("spool")).unwrap();
        let ledger = |writer: &str| Ledger { writer: writer.into(), seq: 1 };
        let event = br#"{"status": "new", "image": "a:1", "digest": "sha256:1"}"#;
        let events = [Received::from_json(event, Utc::now()).unwrap()];
        for writer in ["a", "b", "c"] {
            spool.push(&ledger(writer), &events).unwrap();
        }
        let far = Instant::now() + Duration::from_secs(60);
        let drain = || spool.done(&spool.first(10).unwrap().unwrap(), &[]).unwrap();
        // New events do not wait before the server has stored events, nor after it failed again.
        assert!(!spool.is_empty(far));
        drain();
        spool.blame("the server does not answer");
        assert!(!spool.is_empty(far));
        drain();
        assert!(!spool.is_empty(Instant::now()));
        thread::scope(|scope| {
            let waits = scope.spawn(|| spool.is_empty(far));
            drain();
            assert!(waits.join().unwrap());
        });
    }
}
