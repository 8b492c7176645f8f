//! Databases on the PostgreSQL server of the tests: `.ci/postgres cargo test` starts one.

use std::ffi::OsStr;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use diunbox::store::Location;

use crate::common::skipped;

/// The server's URL, up to the name of a database.
const SERVER: &str = "DIUNBOX_TEST_POSTGRES";

/// An empty database of its own, removed at the end.
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// A new database; `None` if the tests have no server, which is said once per test.
    pub fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var(SERVER) else {
            return skipped("no server; use `.ci/postgres cargo test --features postgres`");
        };
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let database = Self { server, name: format!("test_{}_{next}", std::process::id()) };
        database.on("postgres", &format!("CREATE DATABASE {}", database.name));
        Some(database)
    }

    pub fn url(&self) -> String {
        format!("{}{}", self.server, self.name)
    }

    pub fn location(&self) -> Location {
        Location::parse(OsStr::new(&self.url())).unwrap()
    }

    /// Runs SQL in the database. Returns what it prints: a line per row.
    pub fn sql(&self, sql: &str) -> String {
        self.on(&self.name, sql)
    }

    fn on(&self, name: &str, sql: &str) -> String {
        let url = format!("{}{name}", self.server);
        let output =
            Command::new("psql").args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql, &url]).output();
        let output = output.unwrap();
        let (text, error) = (output.stdout, output.stderr);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&error));
        String::from_utf8(text).unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.on("postgres", &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}
