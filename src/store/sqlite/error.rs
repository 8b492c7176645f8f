//! What SQLite's errors mean to the user.

use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};

use crate::store::StoreError;

/// Turns an error of SQLite's into one that says what to do.
pub(super) fn explain(database: &Path, error: &Error) -> StoreError {
    let path = database.to_owned();
    let other = || StoreError::Other { database: database.to_owned(), reason: error.to_string() };
    let Error::SqliteFailure(failure, message) = error else {
        return other();
    };
    let reason = || message.clone().unwrap_or_else(|| failure.to_string());
    match failure.code {
        ErrorCode::NotADatabase => StoreError::NotADatabase(path),
        ErrorCode::DatabaseCorrupt => StoreError::Damaged { database: path, reason: reason() },
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly(path),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Locked(path),
        ErrorCode::DiskFull => StoreError::Full(path),
        ErrorCode::CannotOpen => StoreError::CannotOpen { database: path, reason: reason() },
        // SQLite says so where a quota or a limit on the file's size ends a write, or a full disk the
        // file that it shares with other programs.
        ErrorCode::SystemIoFailure
            if [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE]
                .contains(&failure.extended_code) =>
        {
            StoreError::Full(path)
        }
        _ => other(),
    }
}
