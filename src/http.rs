//! `serve`: the webhook that Diun sends its notifications to, and an API for dashboards.
//!
//! Diun sends each notification once and gives up after 10 s, so no client may ever wait for another,
//! and nothing may make the server deaf. tiny_http, which answers, promises neither: it has no
//! time-outs, its few threads wait for clients that keep their connection open, and its first error
//! ends it. So a client meets the `gate`, which gives each connection a thread and a time. It reads
//! one whole request (`wire`), has tiny_http, behind a private socket (`inner`), find the `route` and
//! the answer, and ends the connection. Places (`slots`) for so many at a time keep descriptors and
//! memory within bounds.

mod assignments;
mod auth;
mod gate;
mod head;
mod health;
mod inner;
mod listen;
mod log;
mod message;
mod metrics;
mod route;
mod slots;
mod stderr;
mod summary;
mod tags;
mod threads;
mod updates;
mod webhook;
mod wire;

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use self::gate::Gate;
use self::inner::Inner;
use self::route::Context;
use crate::store::Store;

pub use self::auth::Token;
pub use self::listen::Listener;
pub use self::log::{Level, Log};

/// How long what is in flight may take to end when the server stops.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// What to serve, where and to whom.
pub struct Server {
    /// Where updates are kept.
    pub store: Box<dyn Store>,
    /// Where to listen.
    pub listeners: Vec<Listener>,
    /// What clients must know.
    pub token: Option<Token>,
    /// Where to say what happens.
    pub log: Log,
    /// How many descriptors the process may have open.
    pub descriptors: usize,
}

impl Server {
    /// Answers until something can be read from `stop`, then finishes what is in flight and tidies
    /// the store.
    ///
    /// # Errors
    /// When the server cannot be started.
    pub fn run(self, stop: impl AsFd) -> io::Result<()> {
        let log = self.log;
        // Browsers reach TCP addresses only, and on loopback by names of this machine only.
        let tcp = self.listeners.iter().any(Listener::is_tcp);
        let local = self.listeners.iter().all(Listener::is_local);
        let context = Arc::new(Context {
            store: self.store,
            local_names_only: tcp && local && self.token.is_none(),
            token: self.token,
            log,
            metrics: metrics::Metrics::default(),
        });
        let folder = private_folder()?;
        let inner = Inner::start(Arc::clone(&context), folder.path())?;
        let gate = Arc::new(Gate::new(inner, Arc::clone(&context), self.descriptors));
        gate.run(&self.listeners, stop)?;
        drop(self.listeners);
        log.info("stopping: finishing what is in flight");
        if !gate.drain(DRAIN_TIME) {
            log.problem("some requests did not end in time");
        }
        if let Err(error) = context.store.checkpoint() {
            log.problem(&format!("nothing is lost, but the database could not be tidied: {error}"));
        }
        log.info("stopped");
        Ok(())
    }
}

/// A folder for its owner only, which goes when it is dropped. Containers often have no /tmp that
/// can be written.
fn private_folder() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("diunbox-");
    builder.tempdir().or_else(|error| builder.tempdir_in("/dev/shm").map_err(|_| error))
}
