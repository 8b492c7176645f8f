//! Names for shell completion.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::Location;
#[cfg(feature = "postgres")]
use super::postgres::Names;
use super::rules::row::text;
use super::sqlite::plain;

/// The most bytes of the file that are mapped into memory, so that reading them copies nothing.
const MAPPED: i64 = 256 * 1024 * 1024;

/// Read-only lookup of names. It never creates or migrates the database, does not wait for locks, waits for
/// a server for one second at most, and ignores errors.
pub struct Glance(Source);

/// Where the names are.
enum Source {
    Sqlite(Connection),
    #[cfg(feature = "postgres")]
    Postgres(Box<Names>),
}

impl Glance {
    /// Opens a database; `None` where there is none.
    pub fn open(location: &Location) -> Option<Self> {
        match location {
            Location::File(path) => open_file(path).map(Source::Sqlite).map(Self),
            #[cfg(feature = "postgres")]
            Location::Postgres(address) => {
                Names::open(address).map(Box::new).map(Source::Postgres).map(Self)
            }
            #[cfg(not(feature = "postgres"))]
            Location::Postgres(address) => match **address {},
        }
    }

    /// The images whose update can be acknowledged, from A to Z.
    pub fn pending_images(&self) -> Vec<String> {
        self.names(
            "SELECT image FROM updates WHERE acknowledged_at IS NULL AND ignored = 0",
            "SELECT image FROM updates WHERE acknowledged_at IS NULL",
        )
    }

    /// The images whose update can be reopened, from A to Z.
    pub fn reopenable_images(&self) -> Vec<String> {
        self.names(
            "SELECT image FROM updates u WHERE ignored = 0 AND (acknowledged_at IS NOT NULL
                OR snoozed_until IS NOT NULL OR EXISTS (SELECT 1 FROM places p
                    WHERE p.image = u.image AND p.done_digest IS NOT NULL))",
            "SELECT image FROM updates WHERE acknowledged_at IS NOT NULL",
        )
    }

    /// The images whose update can be snoozed, from A to Z.
    pub fn snoozable_images(&self) -> Vec<String> {
        self.names(
            "SELECT image FROM updates WHERE acknowledged_at IS NULL AND ignored = 0
                AND (superseded_from IS NULL OR superseded_from > 0)",
            "SELECT image FROM updates WHERE acknowledged_at IS NULL",
        )
    }

    /// The patterns of images that are ignored, from A to Z.
    pub fn ignored(&self) -> Vec<String> {
        self.names("SELECT pattern FROM ignores", "SELECT '' WHERE false")
    }

    /// The images that have an update, from A to Z.
    pub fn images(&self) -> Vec<String> {
        self.names("SELECT image FROM updates", "")
    }

    /// The tags' names, from A to Z.
    pub fn tags(&self) -> Vec<String> {
        self.names("SELECT name FROM tags", "")
    }

    /// The hosts that have reported an image, from A to Z.
    pub fn hosts(&self) -> Vec<String> {
        self.names("SELECT name FROM hosts", "SELECT DISTINCT hostname FROM updates")
    }

    /// The providers that have reported an image, from A to Z.
    pub fn providers(&self) -> Vec<String> {
        self.names("SELECT DISTINCT provider FROM places", "SELECT DISTINCT provider FROM updates")
    }

    /// Runs a statement that finds names, or `baseline` on a database of DiunDashboard.
    fn names(&self, sql: &str, baseline: &str) -> Vec<String> {
        let mut names = match &self.0 {
            Source::Sqlite(connection) => {
                let query = |sql: &str| -> rusqlite::Result<Vec<String>> {
                    connection.prepare(sql)?.query_map([], |row| text(row, 0))?.collect()
                };
                query(sql).or_else(|_| query(baseline)).unwrap_or_default()
            }
            #[cfg(feature = "postgres")]
            Source::Postgres(names) => {
                names.query(sql).or_else(|| names.query(baseline)).unwrap_or_default()
            }
        };
        names.retain(|name| !name.is_empty());
        names.sort_unstable();
        names
    }
}

fn open_file(path: &Path) -> Option<Connection> {
    // The last connection to a database removes its WAL, which a read-only connection cannot.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(plain(path), flags).ok()?;
    connection.pragma_update(None, "query_only", true).ok()?;
    connection.pragma_update(None, "mmap_size", MAPPED).ok()?;
    Some(connection)
}
