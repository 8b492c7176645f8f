//! The one connection that writes, and group commit.
//!
//! A sync takes 0.2 to 30 ms, whatever it makes durable. So whoever gets the connection commits
//! the events of all who wait for it by then, in one transaction, and each is told the result.

use std::borrow::Borrow;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use rusqlite::Connection;

use super::database::{Database, Opened, deadline, until};
use super::{events, lock};
use crate::event::Event;
use crate::store::{Result, StoreError};

#[derive(Debug)]
pub(super) struct Writer {
    opened: Mutex<Opened>,
    waiting: Mutex<Vec<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    event: Event,
    deadline: Instant,
    result: Arc<OnceLock<Result<()>>>,
}

impl Writer {
    pub(super) fn new(opened: Opened) -> Self {
        Self { opened: Mutex::new(opened), waiting: Mutex::default() }
    }

    /// Whether the database is still the file that was opened.
    pub(super) fn is_current(&self, database: &Database) -> bool {
        database.is_same(&lock(&self.opened))
    }

    /// Does some work with the connection. A file that was deleted or replaced is not written to,
    /// as nobody would find it there: the one that has its name now is opened instead.
    pub(super) fn with<T>(
        &self,
        database: &Database,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let deadline = deadline();
        let mut opened = lock(&self.opened);
        if !database.is_same(&opened) {
            *opened = database.open()?;
        }
        until(deadline, || work(&mut opened.connection)).map_err(|error| database.explain(&error))
    }

    /// Makes events durable, in one transaction.
    pub(super) fn upsert_all(
        &self,
        database: &Database,
        events: &mut dyn Iterator<Item = Event>,
    ) -> Result<()> {
        let deadline = deadline();
        let mut opened = lock(&self.opened);
        until(deadline, || commit(&mut opened, database, events))
    }

    /// Makes an event durable, together with those of all who wait at the same time.
    pub(super) fn upsert(&self, database: &Database, event: &Event) -> Result<()> {
        let result = Arc::new(OnceLock::new());
        let waiting =
            Waiting { event: event.clone(), deadline: deadline(), result: Arc::clone(&result) };
        lock(&self.waiting).push(waiting);
        let mut opened = lock(&self.opened);
        while result.get().is_none() {
            let group = std::mem::take(&mut *lock(&self.waiting));
            let Some(earliest) = group.iter().map(|waiting| waiting.deadline).min() else { break };
            let events = group.iter().map(|waiting| &waiting.event);
            let outcome = until(earliest, || commit(&mut opened, database, events));
            let locked = matches!(outcome, Err(StoreError::Locked(_)));
            for waiting in group {
                if locked && waiting.deadline > Instant::now() {
                    lock(&self.waiting).push(waiting);
                } else {
                    // Only whoever takes an event from the queue sets its result.
                    let _ = waiting.result.set(outcome.clone());
                }
            }
        }
        drop(opened);
        result.get().cloned().unwrap_or_else(|| {
            Err(StoreError::Other {
                database: database.path().to_owned(),
                reason: "the commit that held this event did not end".to_owned(),
            })
        })
    }
}

fn commit(
    opened: &mut Opened,
    database: &Database,
    events: impl Iterator<Item = impl Borrow<Event>>,
) -> Result<()> {
    if !database.is_same(opened) {
        *opened = database.open()?;
    }
    let count =
        events::upsert(&mut opened.connection, events).map_err(|error| database.explain(&error))?;
    opened.checkpointer.committed(count, || database.connect());
    Ok(())
}
