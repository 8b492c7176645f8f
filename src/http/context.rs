//! What answers need.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;

use super::auth::Token;
use super::limits::{Capacity, Limits};
use super::log::Log;
use super::metrics::Metrics;
use crate::store::Store;

/// Everything that requests share.
pub(super) struct Context {
    pub(super) store: Box<dyn Store>,
    pub(super) token: Option<Token>,
    /// Whether the `Host` header must name this machine.
    pub(super) local_names_only: bool,
    pub(super) log: Log,
    pub(super) metrics: Metrics,
    pub(super) limits: Limits,
    pub(super) capacity: Capacity,
    /// Why the server cannot go on, and what wakes it then.
    pub(super) fatal: (OnceLock<String>, UnixStream),
}

impl Context {
    /// The context of a server, and what can be read from once the server cannot go on.
    pub(super) fn new(
        store: Box<dyn Store>,
        token: Option<Token>,
        local_names_only: bool,
        log: Log,
        limits: Limits,
    ) -> io::Result<(Self, UnixStream)> {
        let (gives_up, wake) = UnixStream::pair()?;
        let capacity = Capacity::new(limits.descriptors);
        let (metrics, fatal) = (Metrics::default(), (OnceLock::new(), wake));
        Ok((
            Self { store, token, local_names_only, log, metrics, limits, capacity, fatal },
            gives_up,
        ))
    }

    /// Stops the server: a supervisor may start it again.
    pub(super) fn give_up(&self, reason: &str) {
        if self.fatal.0.set(reason.to_owned()).is_ok() {
            // The other end is polled until the server stops.
            let _ = (&self.fatal.1).write_all(b"x");
        }
    }
}
