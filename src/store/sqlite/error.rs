//! Converts SQLite's errors to messages for the user.

use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};

use crate::store::{ErrorKind, StoreError, folder_of};

/// Turns an error of SQLite's into one that says what to do.
pub(in crate::store) fn explain(database: &Path, error: &Error) -> StoreError {
    let path = database.display();
    let Error::SqliteFailure(failure, message) = error else {
        return StoreError::new(ErrorKind::Other, format!("{path} could not be used: {error}"));
    };
    let reason = message.clone().unwrap_or_else(|| failure.to_string());
    // SQLite says so where a quota or a limit on the file's size ends a write, or a full disk the
    // file that it shares with other programs.
    let is_full = [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE];
    let (kind, message) = match failure.code {
        ErrorCode::NotADatabase => (
            ErrorKind::Unusable,
            format!(
                "{path} is not an SQLite database: point --db at another file, or move this one away"
            ),
        ),
        ErrorCode::DatabaseCorrupt => (
            ErrorKind::Unusable,
            format!(
                "{path} is damaged ({reason}): restore a backup, or save what is left with `sqlite3 … .recover`"
            ),
        ),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            (ErrorKind::Denied, format!("{path} is read-only: {}", owner(database)))
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
            ErrorKind::Unavailable,
            format!("{path} is locked by another program: try again when that one is done"),
        ),
        ErrorCode::CannotOpen => {
            (ErrorKind::Denied, format!("{path} cannot be opened ({reason}): {}", owner(database)))
        }
        ErrorCode::DiskFull => (ErrorKind::Full, full(database)),
        ErrorCode::SystemIoFailure if is_full.contains(&failure.extended_code) => {
            (ErrorKind::Full, full(database))
        }
        _ => (ErrorKind::Other, format!("{path} could not be used: {reason}")),
    };
    StoreError::new(kind, message)
}

fn full(database: &Path) -> String {
    format!(
        "no space left on device while writing {}: free some space and try again",
        database.display()
    )
}

/// Advice that names the owner of the file, or of its folder where it is missing.
pub(super) fn owner(database: &Path) -> String {
    use std::os::unix::fs::MetadataExt;

    let folder = folder_of(database);
    let owner = |path: &Path| {
        let file = std::fs::metadata(path).ok()?;
        Some(format!(
            "{} belongs to user {} with mode {:03o}",
            path.display(),
            file.uid(),
            file.mode() & 0o777
        ))
    };
    let facts: Vec<String> = [database, folder].into_iter().filter_map(owner).collect();
    if facts.is_empty() {
        format!("check that {} exists and is yours", folder.display())
    } else {
        format!("{}; check both, and the -wal and -shm files", facts.join(", "))
    }
}
