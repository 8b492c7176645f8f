//! Stores events on the server, or else in the spool, and drains the spool.

use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::change::{self, Source};
use super::failure::Failure;
use super::session::{Server, Session};
use super::spool::{Batches, DRAINED, Spool};
use super::transaction::Ledger;
use crate::inbox::received::Received;
use crate::store::group::Sink;
use crate::store::{ErrorKind, Result, StoreError, lock};

/// How long the server is tried before events go into the spool.
pub(super) const SPOOL_AFTER: Duration = Duration::from_secs(3);
/// The pause between attempts to drain the spool.
const PAUSE: Duration = Duration::from_millis(500);

/// Stores events of concurrent callers.
pub(super) struct Events {
    server: Arc<Server>,
    /// Created for the first event, as most commands store none.
    session: Mutex<Option<Session>>,
    pub(super) spool: Option<Arc<Spool>>,
}

impl Events {
    pub(super) fn new(server: Arc<Server>, spool: Option<Arc<Spool>>) -> Self {
        Self { server, session: Mutex::default(), spool }
    }

    /// The time at which an operation that begins now gives up.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.server.patience
    }

    /// Stores events in one transaction. Where the server refuses one of them, the others are stored.
    pub(super) fn all(&self, received: &[Received], deadline: Instant) -> Vec<Result<()>> {
        let mut kept = lock(&self.session);
        let session = match kept.take().map_or_else(Session::new, Ok) {
            Ok(session) => kept.insert(session),
            Err(failure) => {
                return vec![Err(failure.explain(&self.server.address)); received.len()];
            }
        };
        self.part(session, received, deadline)
    }

    fn part(
        &self,
        session: &mut Session,
        received: &[Received],
        deadline: Instant,
    ) -> Vec<Result<()>> {
        let ledger = session.next();
        let mut deadline = deadline;
        if let Some(spool) = &self.spool {
            deadline = deadline.min(Instant::now() + SPOOL_AFTER);
            if !spool.is_empty(deadline) {
                return spool_all(spool, &ledger, received);
            }
        }
        let stored = session.write(&self.server, deadline, &ledger, |transaction| {
            change::events(transaction, received, Source::Caller)
        });
        match (stored, &self.spool) {
            (Ok(()), _) => vec![Ok(()); received.len()],
            (Err(failure), _) if failure.is_about_data() && received.len() > 1 => {
                let (first, second) = received.split_at(received.len() / 2);
                let mut results = self.part(session, first, deadline);
                results.extend(self.part(session, second, deadline));
                results
            }
            (Err(failure), Some(spool)) if !failure.is_about_data() => {
                spool.blame(&failure.explain(&self.server.address).message);
                spool_all(spool, &ledger, received)
            }
            (Err(failure), _) => {
                vec![Err(failure.explain(&self.server.address)); received.len()]
            }
        }
    }
}

impl Sink for Events {
    fn store(&self, batch: &[Received], deadline: Instant) -> Vec<Result<()>> {
        self.all(batch, deadline)
    }
}

fn spool_all(spool: &Spool, ledger: &Ledger, received: &[Received]) -> Vec<Result<()>> {
    vec![spool.push(ledger, received); received.len()]
}

/// The thread that drains the spool. It ends when this is dropped.
pub(super) struct Drain {
    spool: Arc<Spool>,
    thread: Option<JoinHandle<()>>,
}

impl Drain {
    pub(super) fn start(server: &Arc<Server>, spool: &Arc<Spool>) -> Result<Self> {
        let thread = thread::Builder::new().name("spool".into());
        let (shared, server) = (Arc::clone(spool), Arc::clone(server));
        let started = thread.spawn(move || drain(&server, &shared)).map_err(|error| {
            StoreError::new(ErrorKind::Other, format!("cannot start a thread: {error}"))
        });
        Ok(Self { spool: Arc::clone(spool), thread: Some(started?) })
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.spool.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Moves batches from the spool to the server, until the spool is stopped.
fn drain(server: &Server, spool: &Spool) {
    let Ok(mut session) = Session::new() else { return };
    let mut most = DRAINED;
    while spool.wait(None) {
        match drain_some(server, spool, &mut session, most) {
            Ok(true) => most = DRAINED,
            // The server refuses one of the events: drain one batch at a time to find it.
            Ok(false) => most = 1,
            Err(error) => {
                spool.blame(&error.message);
                if !spool.wait(Some(PAUSE)) {
                    return;
                }
            }
        }
    }
}

/// Returns false if the server refuses one of several batches.
fn drain_some(server: &Server, spool: &Spool, session: &mut Session, most: usize) -> Result<bool> {
    let Some(batches) = spool.first(most)? else { return Ok(true) };
    let deadline = Instant::now() + SPOOL_AFTER;
    let stored = session.write(server, deadline, &batches.ledger, |transaction| {
        // An earlier attempt, whose answer was lost, stored the other batches.
        let before = transaction.stored_before()?;
        let events = batches.events.iter().filter(|(seq, _)| *seq > before);
        let events: Vec<Received> = events.map(|(_, event)| event.clone()).collect();
        change::events(transaction, &events, Source::Spool)
    });
    let refused = match stored {
        Ok(()) | Err(Failure::Stored) => Vec::new(),
        Err(failure) if failure.is_about_data() && most > 1 => return Ok(false),
        Err(failure) if failure.is_about_data() => one_by_one(server, session, &batches)?,
        Err(failure) => return Err(failure.explain(&server.address)),
    };
    spool.done(&batches, &refused)?;
    Ok(true)
}

/// Stores the events of a batch one by one. Returns those that the server refuses, with its reasons.
fn one_by_one(
    server: &Server,
    session: &mut Session,
    batches: &Batches,
) -> Result<Vec<(Received, String)>> {
    let mut refused = Vec::new();
    for (_, event) in &batches.events {
        let (ledger, deadline) = (session.next(), Instant::now() + server.patience);
        let stored = session.write(server, deadline, &ledger, |transaction| {
            change::events(transaction, std::slice::from_ref(event), Source::Spool)
        });
        match stored {
            Ok(()) => {}
            Err(failure) if failure.is_about_data() => {
                refused.push((event.clone(), failure.explain(&server.address).message));
            }
            Err(failure) => return Err(failure.explain(&server.address)),
        }
    }
    Ok(refused)
}
