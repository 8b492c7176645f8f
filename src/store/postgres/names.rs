//! Names for shell completion.

use std::time::{Duration, Instant};

use super::connection::Connection;
use super::tls;
use super::url::Address;
use super::value::Statement;

/// How long completion waits for a server.
const WAIT: Duration = Duration::from_secs(1);

/// Read-only access to names. Tables are neither created nor migrated, and errors are ignored.
pub struct Names(Connection);

impl Names {
    pub(in crate::store) fn open(address: &Address) -> Option<Self> {
        let tls = tls::connector(address).ok()?;
        let (connection, _) = Connection::open(address, &tls, 0, Instant::now() + WAIT).ok()?;
        Some(Self(connection))
    }

    /// The names that a statement finds; `None` if the server refuses it.
    pub(in crate::store) fn query(&self, sql: &str) -> Option<Vec<String>> {
        let rows = self.0.query(&Statement::new(sql, Vec::new())).ok()?;
        rows.iter().map(|row| row.try_get(0).ok()).collect()
    }
}
