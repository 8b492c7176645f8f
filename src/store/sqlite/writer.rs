//! The one connection that writes, and group commit.
//!
//! A sync takes 0.2 to 30 ms, whatever it makes durable. So of all who bring an event at a time one
//! leads: it commits everybody's events in one transaction, tells each the result, and lets one of
//! those who came meanwhile lead next. Nobody who has a result waits for anything else.

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

use rusqlite::Connection;

use super::database::{Database, LOG_LIMIT, Opened, deadline, until};
use super::{events, lock};
use crate::event::Event;
use crate::store::{Arrival, Arrivals, Result, StoreError};

#[derive(Debug)]
pub(super) struct Writer {
    opened: Mutex<Opened>,
    queue: Mutex<Queue>,
}

/// Those who wait for their event to be committed.
#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Whether one of them leads, or has been told to.
    is_led: bool,
}

#[derive(Debug)]
struct Waiting {
    arrival: Arrival,
    deadline: Instant,
    sender: Sender<Word>,
}

/// What someone who waits is told.
#[derive(Debug)]
enum Word {
    /// It is your turn to commit what waits.
    Lead,
    /// Your event was committed, or could not be.
    Done(Result<()>),
}

impl Writer {
    pub(super) fn new(opened: Opened) -> Self {
        Self { opened: Mutex::new(opened), queue: Mutex::default() }
    }

    /// Opens the file that has the database's name now, if it is another.
    pub(super) fn renew(&self, database: &Database) -> Result<()> {
        database.renew(&mut lock(&self.opened))
    }

    /// Does some work with the connection, to the file that has the database's name now.
    pub(super) fn with<T>(
        &self,
        database: &Database,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let deadline = deadline();
        let mut opened = lock(&self.opened);
        database.renew(&mut opened)?;
        until(deadline, || work(&mut opened.connection)).map_err(|error| database.explain(&error))
    }

    /// Stores events, in one transaction, and makes them durable. Where others follow, that may go on
    /// while those are stored.
    pub(super) fn upsert_all(&self, database: &Database, events: &mut dyn Arrivals) -> Result<()> {
        let deadline = deadline();
        let mut opened = lock(&self.opened);
        let opened = &mut *opened;
        set_bulk(opened, true).map_err(|error| database.explain(&error))?;
        let result = until(deadline, || commit(opened, database, events));
        set_bulk(opened, false).map_err(|error| database.explain(&error))?;
        let Opened { syncer, log: (log, _), .. } = opened;
        let is_followed = result.is_ok() && events.are_followed();
        let synced = if is_followed { syncer.begin(log) } else { syncer.sync(log) };
        let synced = synced.map_err(|error| StoreError::Other {
            database: database.path().to_owned(),
            reason: format!("what was stored may not be on disk: {error}"),
        });
        synced.and(result)
    }

    /// Makes an event durable, together with those of all who wait at the same time.
    pub(super) fn upsert(&self, database: &Database, event: &Event) -> Result<()> {
        let (sender, receiver) = channel();
        let arrival = Arrival::from(event);
        let mut queue = lock(&self.queue);
        if !std::mem::replace(&mut queue.is_led, true) {
            // Whoever waits here cannot be gone.
            let _ = sender.send(Word::Lead);
        }
        queue.waiting.push(Waiting { arrival, deadline: deadline(), sender });
        drop(queue);
        loop {
            match receiver.recv() {
                Ok(Word::Lead) => self.lead(database),
                Ok(Word::Done(result)) => return result,
                Err(_) => {
                    return Err(StoreError::Other {
                        database: database.path().to_owned(),
                        reason: "the commit that held this event did not end".to_owned(),
                    });
                }
            }
        }
    }

    fn lead(&self, database: &Database) {
        let _next = Next(&self.queue);
        let mut opened = lock(&self.opened);
        let group = std::mem::take(&mut lock(&self.queue).waiting);
        let Some(earliest) = group.iter().map(|waiting| waiting.deadline).min() else { return };
        let mut events = Group(group.iter());
        let outcome = until(earliest, || commit(&mut opened, database, &mut events));
        drop(opened);
        let is_locked = matches!(outcome, Err(StoreError::Locked(_)));
        for waiting in group {
            if is_locked && waiting.deadline > Instant::now() {
                lock(&self.queue).waiting.push(waiting);
            } else {
                let _ = waiting.sender.send(Word::Done(outcome.clone()));
            }
        }
    }
}

/// The events of all who wait.
struct Group<'a>(std::slice::Iter<'a, Waiting>);

impl Arrivals for Group<'_> {
    fn next(&mut self) -> Option<&Arrival> {
        self.0.next().map(|waiting| &waiting.arrival)
    }
}

/// Lets the next one lead when it is dropped, also after a panic.
struct Next<'a>(&'a Mutex<Queue>);

impl Drop for Next<'_> {
    fn drop(&mut self) {
        let mut queue = lock(self.0);
        queue.is_led = match queue.waiting.first() {
            Some(next) => next.sender.send(Word::Lead).is_ok(),
            None => false,
        };
    }
}

/// In a bulk SQLite neither makes each transaction durable when it ends, nor cuts a log that begins
/// anew: what is cut off would have to be made again.
fn set_bulk(opened: &Opened, is_bulk: bool) -> rusqlite::Result<()> {
    let (synchronous, limit) = if is_bulk { ("NORMAL", -1) } else { ("FULL", LOG_LIMIT) };
    opened.connection.pragma_update(None, "synchronous", synchronous)?;
    opened.connection.pragma_update(None, "journal_size_limit", limit)
}

fn commit(opened: &mut Opened, database: &Database, events: &mut dyn Arrivals) -> Result<()> {
    database.renew(opened)?;
    let count =
        events::upsert(&mut opened.connection, events).map_err(|error| database.explain(&error))?;
    opened.checkpointer.committed(count, events.are_followed(), || database.connect());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_bulk_every_transaction_is_synced_again_and_the_log_cut() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(&folder.path().join("diunbox.db"));
        let writer = Writer::new(database.open().unwrap());
        let arrivals = [Arrival::from(Event { image: "a".into(), ..Event::default() })];
        writer.upsert_all(&database, &mut arrivals.iter()).unwrap();
        let pragma = |name| {
            let value = |connection: &mut Connection| {
                connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            };
            writer.with(&database, value).unwrap()
        };
        assert_eq!(pragma("synchronous"), 2);
        assert_eq!(pragma("journal_size_limit"), LOG_LIMIT);
    }
}
