//! The database's file: how it is made, opened and brought up to date.

use std::cell::Cell;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::checkpointer::{Checkpointer, checkpoint};
use super::syncer::Syncer;
use super::{error, lock};
use crate::store::migrations::{LATEST, MIGRATIONS};
use crate::store::{Result, StoreError};

/// How long an operation waits for another program's lock. Diun waits 10 s for an answer.
const BUSY: Duration = Duration::from_secs(8);
const BUSY_STEP: Duration = Duration::from_millis(2);

/// Most memory for pages, in KiB, of each reader.
const CACHE_KIB: i64 = 8 * 1024;
/// Most memory for pages, in KiB, of the writer. It pays off when many events come at once.
const WRITER_CACHE_KIB: i64 = 44 * 1024;
/// Pages in the write-ahead log, 512 MiB, at which the writer itself does what is left for the
/// checkpointer to do: the log begins anew only when nobody has written to it meanwhile.
const WRITER_CHECKPOINT: i64 = 128 * 1024;
/// The bytes to which a log that begins anew is cut.
pub(super) const LOG_LIMIT: i64 = 128 * 1024 * 1024;
/// Statements kept prepared.
const STATEMENTS: usize = 32;

/// Device and inode.
pub(super) type FileId = (u64, u64);

/// A database by its path.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    /// The file that the writer has open: another may take its name.
    written: Mutex<Option<FileId>>,
    /// Connections that only read and have nothing to do, and which file each is to.
    pub(super) readers: Mutex<Vec<(FileId, Connection)>>,
}

/// The connection that writes.
#[derive(Debug)]
pub(super) struct Opened {
    /// Dropped before the connection, which is the last to close and tidies up.
    pub(super) checkpointer: Checkpointer,
    pub(super) syncer: Syncer,
    pub(super) connection: Connection,
    /// Its write-ahead log, and which file that is.
    pub(super) log: (PathBuf, Option<FileId>),
}

impl Opened {
    /// Closes the file. What is left is a connection to nothing.
    fn close(&mut self) {
        self.checkpointer = Checkpointer::default();
        self.log.1 = None;
        if let Ok(nothing) = Connection::open_in_memory() {
            self.connection = nothing;
        }
    }
}

impl Database {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), written: Mutex::default(), readers: Mutex::default() }
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
                    *lock(&self.written) = self.file();
                    let log = self.beside("-wal");
                    let id = file_id(&log);
                    return Ok(Opened {
                        checkpointer: Checkpointer::default(),
                        syncer: Syncer::default(),
                        connection,
                        log: (log, id),
                    });
                }
            }
        }
    }

    /// Which file has the database's name now.
    pub(super) fn file(&self) -> Option<FileId> {
        file_id(&self.path)
    }

    /// Whether that is another than the writer has open.
    pub(super) fn is_replaced(&self, file: Option<FileId>) -> bool {
        file.is_none() || *lock(&self.written) != file
    }

    /// Opens the file that has the database's name now, if it is another than was opened: nobody
    /// would find there what is written to a file that was deleted or replaced.
    pub(super) fn renew(&self, opened: &mut Opened) -> Result<()> {
        if !self.is_replaced(self.file()) {
            return Ok(());
        }
        // Whoever moved the old file elsewhere finds all of it there.
        checkpoint(&opened.connection);
        let is_stale = self.is_stale(&opened.log);
        // Closed before it is opened again: the old file may be back, and would share its state.
        *lock(&self.written) = None;
        lock(&self.readers).clear();
        opened.close();
        if is_stale {
            // SQLite would take the old file's log for the new one's, and damage that.
            for left in [&opened.log.0, &self.beside("-shm")] {
                let _ = fs::remove_file(left);
            }
        }
        *opened = self.open()?;
        Ok(())
    }

    /// Whether a log is still where the new file's would be, and nobody has written to it since
    /// that file took the database's name: then it is the old file's.
    fn is_stale(&self, (log, id): &(PathBuf, Option<FileId>)) -> bool {
        let written = |file: &Metadata| (file.mtime(), file.mtime_nsec());
        let named = |file: &Metadata| (file.ctime(), file.ctime_nsec());
        match (fs::metadata(log), fs::metadata(&self.path)) {
            (Ok(found), _) if Some((found.dev(), found.ino())) != *id => false,
            _ if *log != self.beside("-wal") => false,
            (Ok(log), Ok(database)) => written(&log) <= named(&database),
            (log, _) => log.is_ok(),
        }
    }

    /// A file that SQLite keeps beside the database, or beside what a link of its name leads to.
    fn beside(&self, end: &str) -> PathBuf {
        let mut name: OsString = fs::canonicalize(&self.path).unwrap_or(self.path.clone()).into();
        name.push(end);
        name.into()
    }

    /// A connection to a database that is up to date already.
    pub(super) fn connect(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let mut connection = Connection::open_with_flags(plain(&self.path), flags)?;
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
        if !is_ours(&connection).map_err(|error| self.explain(&error))? {
            return Err(StoreError::Foreign(self.path.clone()));
        }
        let wal = connection.pragma_update(None, "journal_mode", "WAL");
        wal.map_err(|error| self.explain(&error))?;
        connection
            .pragma_update(None, "cache_size", -WRITER_CACHE_KIB)
            .and_then(|()| connection.pragma_update(None, "wal_autocheckpoint", WRITER_CHECKPOINT))
            .and_then(|()| connection.pragma_update(None, "journal_size_limit", LOG_LIMIT))
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
        if let Ok(file) = fs::metadata(&self.path) {
            let other = || io::Error::other("it is not a regular file");
            return if file.is_file() { Ok(()) } else { Err(other()) };
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
}

/// Whether there is nothing in the database yet, or what a DiunDashboard or a diunbox made.
fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "
        SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*')
            OR (SELECT count(*) FROM pragma_table_info('updates')
                WHERE name IN ('image', 'digest', 'received_at', 'acknowledged_at')) = 4";
    connection.query_row(sql, [], |row| row.get(0))
}

/// A path that SQLite takes for nothing else: `:memory:` and `file:…` are names like any other.
pub(super) fn plain(path: &Path) -> PathBuf {
    Path::new(".").join(path)
}

fn file_id(path: &Path) -> Option<FileId> {
    fs::metadata(path).map(|file| (file.dev(), file.ino())).ok()
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
    /// Also after a panic: the thread may go on with other work.
    struct Done;
    impl Drop for Done {
        fn drop(&mut self) {
            DEADLINE.set(None);
        }
    }
    let _done = Done;
    DEADLINE.set(Some(deadline));
    work()
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

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn a_panic_leaves_no_deadline_behind() {
        catch_unwind(|| until(Instant::now(), || panic!("on purpose"))).unwrap_err();
        assert!(wait(0));
    }
}
