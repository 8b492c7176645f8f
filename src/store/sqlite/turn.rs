//! Who waits to write says so, and who writes for long looks whether somebody does.
//!
//! SQLite's locks do not tell. So the one who waits has a shared `flock` on the write-ahead log
//! meanwhile: SQLite itself locks nothing there, and the system lets go of it with the program.

use std::cell::RefCell;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

thread_local! {
    /// The log of the database that this thread works with, and the lock once it had to wait.
    static WAITING: RefCell<Option<(PathBuf, Option<File>)>> = const { RefCell::new(None) };
}

/// Does some work that may have to wait for the lock of the database with this log.
pub(super) fn within<T>(log: PathBuf, work: impl FnOnce() -> T) -> T {
    WAITING.set(Some((log, None)));
    let result = work();
    WAITING.set(None);
    result
}

/// Says that this thread waits, until its work is done. To be called again and again: it fails at
/// the moment in which somebody looks.
pub(super) fn wait() {
    WAITING.with_borrow_mut(|waiting| {
        if let Some((log, lock @ None)) = waiting {
            *lock = File::open(log).ok().filter(|file| file.try_lock_shared().is_ok());
        }
    });
}

/// Looks whether others wait.
pub(super) struct Others(Option<File>);

impl Others {
    pub(super) fn of(log: &Path) -> Self {
        Self(File::open(log).ok())
    }

    /// Whether somebody waits, or might.
    pub(super) fn wait(&self) -> bool {
        let Some(file) = &self.0 else { return true };
        match file.try_lock() {
            Ok(()) => file.unlock().is_err(),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
        }
    }
}
