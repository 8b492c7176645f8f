//! The connections to a database, and the queue of writers.

use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::busy::{STEP, until};
use super::database::{CACHE_KIB, Database};
use crate::inbox::received::Received;
use crate::store::group::Sink;
use crate::store::rules::{lines, upsert};
use crate::store::{ErrorKind, Result, StoreError, lock};

/// Connections that are kept open for the next operation.
const IDLE_CONNECTIONS: usize = 4;
/// Memory for pages, in KiB, while many events are stored: the pages of a bulk are touched at random.
const BULK_CACHE_KIB: i64 = 32 * 1024;
/// From this number of events on, a transaction is a bulk.
const BULK: usize = 1_000;

/// What the thread that stores events shares.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) database: Database,
    idle: Mutex<Vec<Connection>>,
    patience: Duration,
    /// Held while a transaction writes: this process's writers queue here, not in SQLite.
    writing: Mutex<()>,
}

impl Core {
    pub(super) fn new(database: Database, connection: Connection, patience: Duration) -> Self {
        let idle = Mutex::new(vec![connection]);
        Self { database, idle, patience, writing: Mutex::default() }
    }

    /// When an operation that begins now gives up.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.patience
    }

    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        until(self.deadline(), || self.run(work))
    }

    fn run<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T> {
        let idle = lock(&self.idle).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.database.connect()?,
        };
        let result = work(&mut connection).map_err(|error| self.database.explain(&error));
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_CONNECTIONS {
            idle.push(connection);
        }
        result
    }

    /// Reads what several statements see at one moment.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.database.require_same_files()?;
        self.with(|connection| {
            // An immediate transaction would block writers.
            let snapshot = Transaction::new_unchecked(connection, TransactionBehavior::Deferred)?;
            let result = work(&snapshot)?;
            snapshot.finish()?;
            Ok(result)
        })
    }

    /// Changes something in one transaction, or outside of one where the work says so.
    pub(super) fn write<T>(
        &self,
        deadline: Instant,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let _writing = self.queue(deadline)?;
        let result = until(deadline, || self.run(work))?;
        self.database.require_same_files()?;
        Ok(result)
    }

    /// Waits for this process's other writers, but not beyond the deadline.
    fn queue(&self, deadline: Instant) -> Result<MutexGuard<'_, ()>> {
        loop {
            match self.writing.try_lock() {
                Ok(writing) => return Ok(writing),
                Err(TryLockError::Poisoned(error)) => return Ok(error.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(STEP),
                Err(TryLockError::WouldBlock) => {
                    let message = "other changes took too long: try again";
                    return Err(StoreError::new(ErrorKind::Unavailable, message));
                }
            }
        }
    }

    pub(super) fn change<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.write(self.deadline(), |connection| {
            let transaction = connection.transaction()?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        })
    }

    pub(super) fn upsert(&self, received: &[Received], deadline: Instant) -> Result<()> {
        let is_bulk = received.len() >= BULK;
        self.write(deadline, |connection| {
            if is_bulk {
                connection.pragma_update(None, "cache_size", -BULK_CACHE_KIB)?;
            }
            let transaction = connection.transaction()?;
            let lines = upsert::events(&transaction, received)?;
            lines::fold(&transaction, lines)?;
            transaction.commit()?;
            if is_bulk {
                connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
            }
            Ok(())
        })
    }
}

impl Sink for Core {
    fn store(&self, batch: &[Received], deadline: Instant) -> Vec<Result<()>> {
        vec![self.upsert(batch, deadline); batch.len()]
    }
}
