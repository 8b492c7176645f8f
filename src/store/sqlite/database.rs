//! The database's file: how it is made, opened and brought up to date.

use std::cell::Cell;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::checkpointer::Checkpointer;
use super::error;
use crate::store::migrations::{LATEST, MIGRATIONS};
use crate::store::{Result, StoreError};

/// How long an operation waits for another program's lock. Diun waits 10 s for an answer.
const BUSY: Duration = Duration::from_secs(8);
const BUSY_STEP: Duration = Duration::from_millis(4);

/// Most memory for pages, in KiB, of each reader.
const CACHE_KIB: i64 = 8 * 1024;
/// Most memory for pages, in KiB, of the writer. It pays off when many events come at once.
const WRITER_CACHE_KIB: i64 = 44 * 1024;
/// Pages in the write-ahead log, 128 MiB, at which the writer itself does what is left for the
/// checkpointer to do.
const WRITER_CHECKPOINT: i64 = 32 * 1024;
/// Statements kept prepared.
const STATEMENTS: usize = 32;

/// Device and inode.
pub(super) type FileId = (u64, u64);

/// A database by its path.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
}

/// A connection, and which file it is to: another may take the file's name.
#[derive(Debug)]
pub(super) struct Opened {
    /// Dropped before the connection, which is the last to close and tidies up.
    pub(super) checkpointer: Checkpointer,
    pub(super) connection: Connection,
    file: Option<FileId>,
}

impl Database {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn explain(&self, error: &rusqlite::Error) -> StoreError {
        error::explain(&self.path, error)
    }

    /// Opens it, makes it where there is none, and brings its schema up to date.
    pub(super) fn open(&self) -> Result<Opened> {
        self.create().map_err(|error| StoreError::CannotOpen {
            database: self.path.clone(),
            reason: error.to_string(),
        })?;
        let deadline = Instant::now() + BUSY;
        loop {
            match self.prepare() {
                // SQLite does not wait when two programs turn WAL mode on at once.
                Err(StoreError::Locked(_)) if Instant::now() < deadline => thread::sleep(BUSY_STEP),
                Err(error) => return Err(error),
                Ok(connection) => {
                    let (checkpointer, file) = (Checkpointer::default(), self.file());
                    return Ok(Opened { checkpointer, connection, file });
                }
            }
        }
    }

    /// Whether what was opened is still the file of this name.
    pub(super) fn is_same(&self, opened: &Opened) -> bool {
        opened.file.is_some() && opened.file == self.file()
    }

    /// A connection to a database that is up to date already.
    pub(super) fn connect(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let mut connection = Connection::open_with_flags(&self.path, flags)?;
            connection.busy_handler(Some(wait))?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            connection.set_transaction_behavior(TransactionBehavior::Immediate);
            Ok(connection)
        };
        open().map_err(|error| self.explain(&error))
    }

    fn prepare(&self) -> Result<Connection> {
        let mut connection = self.connect()?;
        // Nothing is written before it is clear that this is a database for this diunbox.
        let version = self.version(&connection)?;
        let wal = connection.pragma_update(None, "journal_mode", "WAL");
        wal.map_err(|error| self.explain(&error))?;
        connection
            .pragma_update(None, "cache_size", -WRITER_CACHE_KIB)
            .and_then(|()| connection.pragma_update(None, "wal_autocheckpoint", WRITER_CHECKPOINT))
            .map_err(|error| self.explain(&error))?;
        if version < LATEST {
            self.migrate(&mut connection)?;
        }
        Ok(connection)
    }

    fn migrate(&self, connection: &mut Connection) -> Result<()> {
        match MIGRATIONS.to_latest(connection) {
            // Another program did it meanwhile.
            Err(_) if self.version(connection)? == LATEST => Ok(()),
            Err(rusqlite_migration::Error::RusqliteError { err, .. }) => Err(self.explain(&err)),
            Err(error) => Err(StoreError::Other {
                database: self.path.clone(),
                reason: format!("its schema could not be brought up to date: {error}"),
            }),
            Ok(()) => Ok(()),
        }
    }

    fn version(&self, connection: &Connection) -> Result<usize> {
        let found = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(|error| self.explain(&error))?;
        usize::try_from(found)
            .ok()
            .filter(|version| *version <= LATEST)
            .ok_or_else(|| StoreError::Newer { database: self.path.clone(), found, known: LATEST })
    }

    /// Makes the file and its folder where they are missing, for their owner only.
    fn create(&self) -> io::Result<()> {
        if self.path.exists() {
            return Ok(());
        }
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path);
        match file {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            result => result.map(drop),
        }
    }

    /// Which file has the database's name now.
    pub(super) fn file(&self) -> Option<FileId> {
        fs::metadata(&self.path).map(|file| (file.dev(), file.ino())).ok()
    }
}

thread_local! {
    /// When this thread's operation gives up waiting for another program's lock.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// When an operation that begins now gives up waiting for a lock, be it in a queue or at SQLite.
pub(super) fn deadline() -> Instant {
    Instant::now() + BUSY
}

/// Does some work that gives up waiting for a lock at a time.
pub(super) fn until<T>(deadline: Instant, work: impl FnOnce() -> T) -> T {
    DEADLINE.set(Some(deadline));
    let result = work();
    DEADLINE.set(None);
    result
}

/// Waits in short even steps: SQLite's own, ever longer ones miss the gaps that a busy writer leaves.
fn wait(times: i32) -> bool {
    let in_time = match DEADLINE.get() {
        Some(deadline) => Instant::now() < deadline,
        None => BUSY_STEP * times.unsigned_abs() < BUSY,
    };
    if in_time {
        thread::sleep(BUSY_STEP);
    }
    in_time
}
