//! The database's file: creating, opening and migrating it, and noticing that it was replaced.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use rustix::fs::{AtFlags, CWD, FlockOperation, StatxAttributes, StatxFlags, fcntl_lock, statx};
use rustix::io::Errno;

use super::busy::{STEP, until, wait};
use super::error;
use crate::store::migrations::{LATEST, migrations};
use crate::store::rules::patterns;
use crate::store::{ErrorKind, Result, StoreError, folder_of, lock};

/// SQLite's mark for the files of one program: DIUN.
const APPLICATION_ID: i32 = 0x4449_554e;
/// Most memory for pages, in KiB, of each connection.
pub(super) const CACHE_KIB: i64 = 8 * 1024;
/// Statements kept prepared by each connection.
const STATEMENTS: usize = 32;

/// Device and inode.
type FileId = (u64, u64);

/// A database by its path.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    access: Access,
    /// The file and its write-ahead log, as they were first seen.
    seen: Mutex<[Option<FileId>; 2]>,
}

/// What the file's permissions allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    ReadWrite,
    ReadOnly,
    /// The directory is not writable and there is no WAL: SQLite then needs no locks.
    Immutable,
}

impl Database {
    /// Opens a database, creates it if it is missing, and brings its schema up to date.
    pub(super) fn open(path: &Path, patience: Duration) -> Result<(Self, Connection)> {
        let mut database =
            Self { path: path.to_owned(), access: Access::ReadWrite, seen: Mutex::default() };
        database.create().map_err(|error| {
            let (path, owner) = (path.display(), error::owner(path));
            StoreError::new(
                ErrorKind::Denied,
                format!("{path} cannot be opened ({error}): {owner}"),
            )
        })?;
        database.refuse_mount_points()?;
        database.access = database.access();
        let deadline = Instant::now() + patience;
        loop {
            match until(deadline, || database.prepare()) {
                // SQLite does not wait when two programs turn WAL mode on at once.
                Err(error) if error.kind == ErrorKind::Unavailable => {
                    database.require_locks()?;
                    if Instant::now() >= deadline {
                        return Err(error);
                    }
                    thread::sleep(STEP);
                }
                result => return result.map(|connection| (database, connection)),
            }
        }
    }

    pub(super) fn explain(&self, error: &rusqlite::Error) -> StoreError {
        error::explain(&self.path, error)
    }

    /// Another connection to the database.
    pub(super) fn connect(&self) -> Result<Connection> {
        let no_mutex = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let (name, flags) = match self.access {
            Access::ReadWrite => (plain(&self.path), OpenFlags::SQLITE_OPEN_READ_WRITE),
            Access::ReadOnly => (plain(&self.path), OpenFlags::SQLITE_OPEN_READ_ONLY),
            Access::Immutable => {
                let path = plain(&self.path);
                let path = percent_encode(path.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC);
                let uri = format!("file:{path}?immutable=1");
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
                (uri.into(), flags)
            }
        };
        let open = || {
            let mut connection = Connection::open_with_flags(name, flags | no_mutex)?;
            connection.busy_handler(Some(wait))?;
            connection.execute_batch(&format!(
                "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cache_size = -{CACHE_KIB}"
            ))?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            connection.set_transaction_behavior(TransactionBehavior::Immediate);
            patterns::register(&connection)?;
            Ok(connection)
        };
        open().map_err(|error| self.explain(&error))
    }

    /// Fails if the file or its WAL is no longer the one that was opened: what is written to a removed
    /// file is lost.
    pub(super) fn require_same_files(&self) -> Result<()> {
        if self.access != Access::ReadWrite {
            return Ok(());
        }
        let found = [file_id(&self.path), file_id(&self.beside("-wal"))];
        let mut seen = lock(&self.seen);
        for (seen, found) in seen.iter_mut().zip(found) {
            match *seen {
                None => *seen = found,
                Some(_) if *seen == found => {}
                Some(_) => {
                    let message = format!(
                        "{} or its -wal file was removed or replaced while it was in use: stop what \
                         did that, put the right files in place, and start diunbox again",
                        self.path.display()
                    );
                    return Err(StoreError::new(ErrorKind::Replaced, message));
                }
            }
        }
        Ok(())
    }

    fn prepare(&self) -> Result<Connection> {
        let mut connection = self.connect()?;
        // Nothing is written before it is clear that this is a database for this diunbox.
        let version = self.version(&connection)?;
        if self.access == Access::ReadWrite {
            connection
                .pragma_update(None, "journal_mode", "WAL")
                .map_err(|error| self.explain(&error))?;
            if version < LATEST {
                self.migrate(&mut connection)?;
            }
        } else if version < LATEST {
            return Err(
                self.unusable("is read-only and of an older version: let its owner open it once")
            );
        }
        Ok(connection)
    }

    fn migrate(&self, connection: &mut Connection) -> Result<()> {
        match migrations().to_latest(connection) {
            // Another program did it meanwhile.
            Err(_) if self.version(connection)? == LATEST => Ok(()),
            Err(rusqlite_migration::Error::RusqliteError { err, .. }) => Err(self.explain(&err)),
            Err(error) => Err(self.unusable(&format!("could not be brought up to date: {error}"))),
            Ok(()) => Ok(()),
        }
    }

    /// The schema's version. Fails if the database is not one for this diunbox.
    fn version(&self, connection: &Connection) -> Result<usize> {
        let sql =
            "SELECT user_version, application_id FROM pragma_user_version, pragma_application_id";
        let read = connection.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
        let (version, id): (i64, i32) = read.map_err(|error| self.explain(&error))?;
        let is_marked = id == APPLICATION_ID;
        match usize::try_from(version) {
            Ok(0) if !is_marked && self.is_adoptable(connection)? => Ok(0),
            Ok(0) | Err(_) => {
                Err(self.unusable("is a database of another program: point --db at another file"))
            }
            Ok(version) if is_marked && version <= LATEST => Ok(version),
            Ok(version) if is_marked => Err(self.unusable(&format!(
                "was made by a newer diunbox (schema {version}, this one knows {LATEST}): update diunbox"
            ))),
            Ok(_) => Err(self.unusable(
                "was made by diunbox 0.1.0 or by another program: point --db at another file, and \
                 fill it with `diunbox ingest` from what 0.1.0 prints for `list --all --format json`",
            )),
        }
    }

    /// Whether the database is empty, or DiunDashboard made it.
    fn is_adoptable(&self, connection: &Connection) -> Result<bool> {
        let sql = "
            SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*')
                OR (SELECT count(*) FROM pragma_table_info('updates')
                    WHERE name IN ('image', 'digest', 'received_at', 'acknowledged_at')) = 4";
        connection.query_row(sql, [], |row| row.get(0)).map_err(|error| self.explain(&error))
    }

    fn unusable(&self, what: &str) -> StoreError {
        StoreError::new(ErrorKind::Unusable, format!("{} {what}", self.path.display()))
    }

    /// A file that SQLite keeps beside the database, or beside what a link of its name leads to.
    pub(super) fn beside(&self, end: &str) -> PathBuf {
        let mut name: OsString = fs::canonicalize(&self.path).unwrap_or(self.path.clone()).into();
        name.push(end);
        name.into()
    }

    fn access(&self) -> Access {
        let is_denied = |path: &Path, access| rustix::fs::access(path, access).is_err();
        if !is_denied(&self.path, rustix::fs::Access::WRITE_OK) {
            return Access::ReadWrite;
        }
        let has_wal = fs::metadata(self.beside("-wal")).is_ok_and(|wal| wal.len() > 0);
        if has_wal { Access::ReadOnly } else { Access::Immutable }
    }

    /// Creates the file and its folder if they are missing, for their owner only.
    fn create(&self) -> io::Result<()> {
        if let Ok(file) = fs::metadata(&self.path) {
            let other = || io::Error::other("it is not a regular file");
            return if file.is_file() { Ok(()) } else { Err(other()) };
        }
        DirBuilder::new().recursive(true).mode(0o700).create(folder_of(&self.path))?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path);
        match file {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            result => result.map(drop),
        }
    }

    /// A container engine can mount a single file. Its WAL would be outside of the mount, and gone
    /// with the container.
    fn refuse_mount_points(&self) -> Result<()> {
        let found = statx(CWD, &self.path, AtFlags::empty(), StatxFlags::empty());
        match found {
            Ok(file) if file.stx_attributes.contains(StatxAttributes::MOUNT_ROOT) => Err(self
                .unusable(
                    "is mounted as a single file, so its WAL would be lost: mount its folder",
                )),
            _ => Ok(()),
        }
    }

    /// Fails if the file system knows no locks, as some network file systems do not. SQLite calls that
    /// locked by another program.
    fn require_locks(&self) -> Result<()> {
        let Ok(file) = fs::File::open(&self.path) else { return Ok(()) };
        match fcntl_lock(&file, FlockOperation::NonBlockingLockShared) {
            Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS) => {
                Err(self.unusable("is on a file system without locks: put it on a local disk"))
            }
            _ => Ok(()),
        }
    }
}

/// A path that SQLite takes for nothing else: `:memory:` and `file:…` are names like any other.
pub(in crate::store) fn plain(path: &Path) -> PathBuf {
    Path::new(".").join(path)
}

fn file_id(path: &Path) -> Option<FileId> {
    fs::metadata(path).map(|file| (file.dev(), file.ino())).ok()
}
