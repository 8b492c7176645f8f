//! State shared by all requests.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::caller::Access;
use super::changes::Changes;
use super::limits::{Capacity, Limits};
use super::log::Log;
use super::metrics::Metrics;
use super::refusals::Refusals;
use crate::store::Store;

/// How to serve.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How callers are authenticated.
    pub access: Access,
    /// What all paths can begin with; empty, or with a slash at its start and none at its end.
    pub base_path: String,
    /// Where to log.
    pub log: Log,
    /// Limits on clients.
    pub limits: Limits,
}

/// Everything that requests share.
pub(super) struct Context {
    pub(super) store: Box<dyn Store>,
    pub(super) access: Access,
    /// What all paths can begin with; empty, or with a slash at its start and none at its end.
    pub(super) base_path: String,
    /// Whether the `Host` header must name this machine.
    pub(super) local_names_only: bool,
    pub(super) log: Log,
    pub(super) metrics: Metrics,
    pub(super) limits: Limits,
    pub(super) capacity: Capacity,
    pub(super) changes: Changes,
    pub(super) refusals: Refusals,
    /// Whether events went into the spool when one was last stored.
    is_spooling: AtomicBool,
    /// The reason why the server must stop, and the socket that tells the accepting thread.
    pub(super) fatal: (OnceLock<String>, UnixStream),
}

impl Context {
    /// The context of a server, and a socket that becomes readable when the server must stop.
    pub(super) fn new(
        store: Box<dyn Store>,
        settings: Settings,
        local_names_only: bool,
    ) -> io::Result<(Self, UnixStream)> {
        let (gives_up, wake) = UnixStream::pair()?;
        let Settings { access, base_path, log, limits } = settings;
        let context = Self {
            store,
            access,
            base_path,
            local_names_only,
            log,
            metrics: Metrics::default(),
            capacity: Capacity::new(limits.descriptors),
            limits,
            changes: Changes::default(),
            refusals: Refusals::default(),
            is_spooling: AtomicBool::new(false),
            fatal: (OnceLock::new(), wake),
        };
        Ok((context, gives_up))
    }

    /// Logs when events begin to go into the spool, and when they no longer do.
    pub(super) fn note_spool(&self) {
        let Some(spooled) = self.store.spooled() else { return };
        let is_spooling = spooled.events > 0;
        match (self.is_spooling.swap(is_spooling, Ordering::Relaxed), is_spooling) {
            (false, true) => {
                let reason = match spooled.reason.as_str() {
                    "" => "earlier events are moved to the database first",
                    reason => reason,
                };
                self.log.problem(&format!("events go into the spool: {reason}"));
            }
            (true, false) => self.log.info("the spool is empty: events go into the database again"),
            _ => {}
        }
    }

    /// Stops the server: a supervisor may start it again.
    pub(super) fn give_up(&self, reason: &str) {
        if self.fatal.0.set(reason.to_owned()).is_ok() {
            // The other end is polled until the server stops.
            let _ = (&self.fatal.1).write_all(b"x");
        }
    }
}
