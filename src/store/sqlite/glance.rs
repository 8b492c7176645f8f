//! A look at names, for completion at the press of a key.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::database::plain;
use super::row::text;

/// Bytes that are read without being copied.
const MAPPED: i64 = 256 * 1024 * 1024;

/// Looks names up in a database that is there. It neither makes a database nor brings one up to
/// date, waits for nobody, and what cannot be read is left out without a word.
#[derive(Debug)]
pub struct Glance(Connection);

impl Glance {
    /// Opens a database; `None` where there is none.
    pub fn open(path: &Path) -> Option<Self> {
        // The last one to close a database removes its log, which a read-only connection cannot.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(plain(path), flags).ok()?;
        connection.pragma_update(None, "query_only", true).ok()?;
        connection.pragma_update(None, "mmap_size", MAPPED).ok()?;
        Some(Self(connection))
    }

    /// The images whose update is pending, from A to Z.
    pub fn pending_images(&self) -> Vec<String> {
        self.names("SELECT image FROM updates WHERE acknowledged_at IS NULL")
    }

    /// The images that have an update, from A to Z.
    pub fn images(&self) -> Vec<String> {
        self.names("SELECT image FROM updates")
    }

    /// The tags' names, from A to Z.
    pub fn tags(&self) -> Vec<String> {
        self.names("SELECT name FROM tags")
    }

    /// The hosts that have reported an image, from A to Z.
    pub fn hosts(&self) -> Vec<String> {
        self.reported("hostname")
    }

    /// The providers that have reported an image, from A to Z.
    pub fn providers(&self) -> Vec<String> {
        self.reported("provider")
    }

    /// Updates from before there were reports have the column themselves.
    fn reported(&self, column: &str) -> Vec<String> {
        let mut names = self.names(&format!("SELECT DISTINCT {column} FROM reports"));
        names.extend(self.names(&format!("SELECT DISTINCT {column} FROM updates")));
        names.sort_unstable();
        names.dedup();
        names
    }

    fn names(&self, sql: &str) -> Vec<String> {
        let query = || {
            let mut statement = self.0.prepare(sql)?;
            statement.query_map([], |row| text(row, 0))?.collect()
        };
        let names: rusqlite::Result<Vec<String>> = query();
        let mut names = names.unwrap_or_default();
        names.sort_unstable();
        names
    }
}
