//! Opens a store by its location, and imports one into another.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

#[cfg(feature = "postgres")]
use super::PostgresStore;
use super::{ErrorKind, Imported, Location, Result, SqliteStore, Store, StoreError};

/// Opens the store at a location: an SQLite file, which is created if it is missing, or a PostgreSQL
/// database, whose tables are created if they are missing. `patience` is how long this and each operation
/// wait for locks and for the server.
///
/// # Errors
/// If it cannot be opened, or is not an inbox that this version can use. It is not changed then.
pub fn open(location: &Location, patience: Duration) -> Result<Box<dyn Store>> {
    open_at(location, None, patience)
}

/// The same, with a spool: a file that takes events while no server answers.
///
/// # Errors
/// As [`open`], and if the spool cannot be used, or the store is an SQLite file.
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

/// Imports everything from another inbox, which is not changed. Importing it again changes nothing.
///
/// # Errors
/// If either inbox cannot be used.
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
