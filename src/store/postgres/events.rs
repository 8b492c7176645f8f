//! Stores events on the server, or else in the spool, and drains the spool.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use super::change;
use super::failure::Failure;
use super::session::{Server, Session};
use super::spool::{Batch, Spool};
use super::transaction::Ledger;
use crate::inbox::received::Received;
use crate::store::group::Sink;
use crate::store::{PATIENCE, Result, lock};

/// How long the server is tried before events go into the spool.
pub(super) const SPOOL_AFTER: Duration = Duration::from_secs(3);
/// The pause between attempts to drain the spool.
const PAUSE: Duration = Duration::from_millis(500);

/// What stores the events of concurrent callers.
pub(super) struct Events {
    server: Arc<Server>,
    session: Mutex<Session>,
    pub(super) spool: Option<Arc<Spool>>,
}

impl Events {
    pub(super) fn new(
        server: Arc<Server>,
        spool: Option<Arc<Spool>>,
    ) -> std::result::Result<Self, Failure> {
        Ok(Self { server, session: Mutex::new(Session::new()?), spool })
    }

    /// Stores events in one transaction. Where the server refuses one of them, the others are stored.
    pub(super) fn all(&self, received: &[Received], deadline: Instant) -> Vec<Result<()>> {
        let mut session = lock(&self.session);
        self.part(&mut session, received, deadline)
    }

    fn part(
        &self,
        session: &mut Session,
        received: &[Received],
        deadline: Instant,
    ) -> Vec<Result<()>> {
        let ledger = session.next();
        let deadline = match &self.spool {
            Some(spool) if spool.spooled().events > 0 => {
                return spool_all(spool, &ledger, received);
            }
            Some(_) => deadline.min(Instant::now() + SPOOL_AFTER),
            None => deadline,
        };
        match (store(session, &self.server, &ledger, received, deadline, false), &self.spool) {
            (Ok(()), _) => vec![Ok(()); received.len()],
            (Err(failure), _) if failure.is_about_data() && received.len() > 1 => {
                let (first, second) = received.split_at(received.len() / 2);
                let mut results = self.part(session, first, deadline);
                results.extend(self.part(session, second, deadline));
                results
            }
            (Err(failure), Some(spool)) if !failure.is_about_data() => {
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

/// Stores events. Their times are those of this machine's clock, and are moved to the server's.
fn store(
    session: &mut Session,
    server: &Server,
    ledger: &Ledger,
    received: &[Received],
    deadline: Instant,
    are_spooled: bool,
) -> std::result::Result<(), Failure> {
    session.write(server, deadline, ledger, None, |transaction, ahead| {
        if ahead == 0 && !are_spooled {
            return change::events(transaction, received);
        }
        let to_server = |received: &Received| {
            let by = if received.is_replayed && !are_spooled { 0 } else { ahead };
            let at = received.at + TimeDelta::seconds(by);
            Received { at, is_replayed: received.is_replayed || are_spooled, ..received.clone() }
        };
        let moved: Vec<Received> = received.iter().map(to_server).collect();
        change::events(transaction, &moved)
    })
}

/// Moves batches from the spool to the server, until the spool is stopped.
pub(super) fn drain(server: &Server, spool: &Spool) {
    let Ok(mut session) = Session::new() else { return };
    while spool.wait(None) {
        if drain_one(server, spool, &mut session).is_err() && !spool.wait(Some(PAUSE)) {
            return;
        }
    }
}

fn drain_one(server: &Server, spool: &Spool, session: &mut Session) -> Result<()> {
    let Some(batch) = spool.first()? else { return Ok(()) };
    let deadline = Instant::now() + SPOOL_AFTER;
    let refused = match store(session, server, &batch.ledger, &batch.events, deadline, true) {
        // Stored by an attempt that was in doubt.
        Ok(()) | Err(Failure::Stored) => Vec::new(),
        Err(failure) if failure.is_about_data() => one_by_one(server, session, &batch)?,
        Err(failure) => return Err(failure.explain(&server.address)),
    };
    spool.done(&batch, &refused)
}

/// Stores what can be stored of a batch. Returns the other events, with the reasons.
fn one_by_one(
    server: &Server,
    session: &mut Session,
    batch: &Batch,
) -> Result<Vec<(Received, String)>> {
    let mut refused = Vec::new();
    for event in &batch.events {
        let (ledger, deadline) = (session.next(), Instant::now() + PATIENCE);
        match store(session, server, &ledger, std::slice::from_ref(event), deadline, true) {
            Ok(()) => {}
            Err(failure) if failure.is_about_data() => {
                refused.push((event.clone(), failure.explain(&server.address).message));
            }
            Err(failure) => return Err(failure.explain(&server.address)),
        }
    }
    Ok(refused)
}
