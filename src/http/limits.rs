//! Limits on sizes, times, connections and memory.

use std::time::Duration;

use super::budget::Budget;
use super::semaphore::{Permit, Semaphore};

/// The largest body, in bytes. A larger one gets 413.
pub(super) const BODY_LIMIT: usize = 1024 * 1024;
/// The same for `/api/running`: hundreds of pods are several MB.
pub(super) const RUNNING_LIMIT: usize = 16 * 1024 * 1024;
/// A body or an answer up to this size does not count against the memory budget.
pub(super) const FREE_MEMORY: usize = 16 * 1024;
/// The memory budget of all bodies, in bytes. All answers have another one of the same size.
const MEMORY: usize = 64 * 1024 * 1024;
const MOST_CONNECTIONS: usize = 2_048;
const MOST_EVENTS: usize = 512;
const MOST_REQUESTS: usize = 32;
const MOST_FEEDS: usize = 64;
/// Logins that are checked at once. As a wrong one takes a second, few can be tried.
const MOST_LOGINS: usize = 4;
/// Descriptors for standard streams, listeners, signals and the writer of the database.
const RESERVED_DESCRIPTORS: usize = 14;
/// Descriptors of a connection to the database that only reads.
const DESCRIPTORS_PER_READER: usize = 3;

/// Limits on clients. The defaults suit Diun, which waits 10 s for an answer.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long a client may take to send a request.
    pub request: Duration,
    /// How long a connection may stay open without a request.
    pub idle: Duration,
    /// How long a client may read nothing of its answer.
    pub progress: Duration,
    /// How long a client may go on sending after its answer.
    pub linger: Duration,
    /// How long an event waits for a permit. The store may then take 8 s.
    pub event_queue: Duration,
    /// How long any other request waits for a permit.
    pub queue: Duration,
    /// How long a feed without news stays silent.
    pub heartbeat: Duration,
    /// How long a wrong login waits for its answer.
    pub wrong_login: Duration,
    /// How long clients that have sent nothing are waited for when the server stops.
    pub silence: Duration,
    /// How long requests in progress may take to end when the server stops.
    pub drain: Duration,
    /// How many descriptors the process may have open.
    pub descriptors: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(5),
            idle: Duration::from_secs(10),
            progress: Duration::from_secs(30),
            linger: Duration::from_secs(2),
            event_queue: Duration::from_millis(1_500),
            queue: Duration::from_secs(9),
            heartbeat: Duration::from_secs(15),
            wrong_login: Duration::from_secs(1),
            silence: Duration::from_millis(500),
            drain: Duration::from_secs(10),
            descriptors: 1_024,
        }
    }
}

/// Classes of requests. Each has permits of its own, so that no class can block another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// An event on the webhook.
    Event,
    /// A request of supervisors and monitoring.
    Health,
    /// A login, which is slow where it is wrong.
    Login,
    /// A read of the store.
    Read,
    /// A change, which may have to wait for the database's lock.
    Write,
}

/// The permits and the memory budgets.
#[derive(Debug)]
pub(super) struct Capacity {
    pub(super) connections: Semaphore,
    pub(super) bodies: Budget,
    pub(super) answers: Budget,
    events: Semaphore,
    health: Semaphore,
    logins: Semaphore,
    reads: Semaphore,
    writes: Semaphore,
    feeds: Semaphore,
}

impl Capacity {
    pub(super) fn new(descriptors: usize) -> Self {
        let free = descriptors.saturating_sub(RESERVED_DESCRIPTORS);
        let readers = (free / 16).clamp(1, MOST_REQUESTS);
        let reserved = 2 * readers * DESCRIPTORS_PER_READER;
        let connections = free.saturating_sub(reserved).clamp(2, MOST_CONNECTIONS);
        Self {
            connections: Semaphore::new(connections),
            bodies: Budget::new(MEMORY),
            answers: Budget::new(MEMORY),
            events: Semaphore::new((connections / 2).clamp(1, MOST_EVENTS)),
            health: Semaphore::new(readers),
            logins: Semaphore::new(MOST_LOGINS),
            reads: Semaphore::new(readers),
            feeds: Semaphore::new((connections / 4).clamp(1, MOST_FEEDS)),
            writes: Semaphore::new(MOST_REQUESTS),
        }
    }

    /// A permit for a feed; `None` if all are taken.
    pub(super) fn feed(&self) -> Option<Permit> {
        self.feeds.take(Duration::ZERO)
    }

    /// Waits for a permit to answer a request; `None` when none is free in time.
    pub(super) fn take(&self, class: Class, limits: &Limits) -> Option<Permit> {
        match class {
            Class::Event => self.events.take(limits.event_queue),
            Class::Health => self.health.take(limits.queue),
            Class::Login => self.logins.take(limits.queue),
            Class::Read => self.reads.take(limits.queue),
            Class::Write => self.writes.take(limits.queue),
        }
    }
}
