//! A pool of sessions: each operation takes one, and returns it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection as Sqlite;

use super::connection::Connection;
use super::failure::Failure;
use super::part::Part;
use super::session::{Server, Session};
use super::transaction::Transaction;
use crate::store::{Result, lock};

/// The most idle sessions that are kept.
const IDLE_SESSIONS: usize = 4;

/// The result of an attempt.
type Tried<T> = std::result::Result<T, Failure>;

pub(super) struct Pool {
    server: Arc<Server>,
    idle: Mutex<Vec<Session>>,
}

impl Pool {
    pub(super) fn new(server: Arc<Server>) -> Self {
        Self { server, idle: Mutex::default() }
    }

    /// How long an operation tries.
    pub(super) fn patience(&self) -> Duration {
        self.server.patience
    }

    pub(super) fn with<T>(
        &self,
        patience: Duration,
        work: impl FnOnce(&mut Session, &Server, Instant) -> Tried<T>,
    ) -> Result<T> {
        let explain = |failure: Failure| failure.explain(&self.server.address);
        let idle = lock(&self.idle).pop();
        let mut session = idle.map_or_else(Session::new, Ok).map_err(explain)?;
        let result = work(&mut session, &self.server, Instant::now() + patience);
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_SESSIONS {
            idle.push(session);
        }
        result.map_err(explain)
    }

    pub(super) fn ask<T>(&self, work: impl Fn(&Connection) -> Tried<T>) -> Result<T> {
        self.with(self.server.patience, |session, server, deadline| {
            session.ask(server, deadline, work)
        })
    }

    pub(super) fn read<T>(&self, work: impl Fn(&Transaction<'_>) -> Tried<T>) -> Result<T> {
        self.with(self.server.patience, |session, server, deadline| {
            session.read(server, deadline, work)
        })
    }

    pub(super) fn write<T>(&self, work: impl Fn(&Transaction<'_>) -> Tried<T>) -> Result<T> {
        self.with(self.server.patience, |session, server, deadline| {
            let ledger = session.next();
            session.write(server, deadline, &ledger, work)
        })
    }

    /// Loads rows, and runs a rule that reads them.
    pub(super) fn read_rows<T>(
        &self,
        part: impl Fn() -> Part,
        rule: impl Fn(&Sqlite) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.read(|transaction| {
            transaction.load([part()])?;
            Ok(rule(&transaction.copy.sqlite)?)
        })
    }

    /// Loads rows, runs a rule that changes them, and writes the changes back.
    pub(super) fn write_rows<T>(
        &self,
        part: impl Fn() -> Part,
        rule: impl Fn(&Sqlite) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.write(|transaction| {
            transaction.load([part()])?;
            Ok(rule(&transaction.copy.sqlite)?)
        })
    }
}
