//! Opens a store by its location, and brings two together.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

#[cfg(feature = "postgres")]
use super::PostgresStore;
use super::{ErrorKind, Imported, Location, Result, SqliteStore, Store, StoreError};

/// Opens the store at a location: an SQLite file, which is created if it is missing, or a database of
/// PostgreSQL, whose tables are created if they are missing. This and each operation waits so long for
/// locks and for the server.
///
/// # Errors
/// When it cannot be opened, or is not one that this diunbox can use; it stays as it is then.
pub fn open(location: &Location, patience: Duration) -> Result<Box<dyn Store>> {
    open_at(location, None, patience)
}

/// The same, with a file that takes events while no server answers.
///
/// # Errors
/// As [`open`], and when the file cannot be used or the store is a file itself.
pub fn open_with_spool(
    location: &Location,
    spool: &Path,
    patience: Duration,
) -> Result<Box<dyn Store>> {
    open_at(location, Some(spool), patience)
}

fn open_at(
    location: &Location,
    spool: Option<&Path>,
    patience: Duration,
) -> Result<Box<dyn Store>> {
    match (location, spool) {
        (Location::File(path), None) => Ok(Box::new(SqliteStore::open_patiently(path, patience)?)),
        (Location::File(_), Some(spool)) => {
            let spool = spool.display();
            let message =
                format!("the spool {spool} is for a PostgreSQL database: leave out --spool");
            Err(StoreError::new(ErrorKind::Unusable, message))
        }
        #[cfg(feature = "postgres")]
        (Location::Postgres(address), None) => {
            Ok(Box::new(PostgresStore::open(address, patience)?))
        }
        #[cfg(feature = "postgres")]
        (Location::Postgres(address), Some(spool)) => {
            Ok(Box::new(PostgresStore::open_with_spool(address, spool, patience)?))
        }
        #[cfg(not(feature = "postgres"))]
        (Location::Postgres(address), _) => match **address {},
    }
}

/// Takes everything over from another inbox, which stays as it is. Doing so again changes nothing.
///
/// # Errors
/// When one of them cannot be used.
pub fn import(into: &dyn Store, from: &Location, patience: Duration) -> Result<Imported> {
    match from {
        Location::File(path) => into.import(path),
        Location::Postgres(_) => {
            let folder = temporary_folder()?;
            let copy = folder.path().join("other.db");
            open(from, patience)?.backup(&copy)?;
            into.import(&copy)
        }
    }
}

/// A folder that is removed when it is dropped.
pub(super) fn temporary_folder() -> Result<TempDir> {
    tempfile::tempdir().map_err(|error| {
        let message = format!("cannot create a temporary directory: {error}");
        StoreError::new(ErrorKind::Other, message)
    })
}
