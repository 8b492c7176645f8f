//! `serve`: the webhook that Diun sends its notifications to, and an API for dashboards.
//!
//! Diun sends each notification once and gives up after 10 s, so one slow client must never delay
//! another, and the server must never stop accepting. Each `connection` has a thread. It reads a
//! head, decides by the `route` whether the request may be answered, and only then reads the body,
//! calls the handler and writes the answer. Every wait has a deadline, and `limits` bound how many
//! connections, requests and bytes there are at once. tiny_http provides the type of answers and
//! prints their heads.

mod actions;
mod assignments;
mod auth;
mod browser;
mod budget;
mod bulk;
mod caller;
mod changes;
mod client;
mod connection;
mod context;
mod cookie;
mod error;
mod feed;
mod head;
mod health;
mod ignores;
mod inbox;
mod limits;
mod listen;
mod log;
mod login;
mod metrics;
pub mod openapi;
mod page;
mod ping;
mod reader;
mod refusals;
mod response;
mod route;
mod routes;
mod running;
mod semaphore;
mod stderr;
mod summary;
mod tags;
mod threads;
mod updates;
mod waiting;
mod webhook;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};

use self::context::Context;
use self::threads::Threads;
use self::waiting::Waiting;
use crate::store::Store;

pub use self::auth::Tokens;
pub use self::caller::{Access, Proxy};
pub use self::context::Settings;
pub use self::limits::Limits;
pub use self::listen::Listener;
pub use self::log::{Format, Level, Log};

/// The stack of a connection's thread, in bytes. Only pages that are used take memory.
const THREAD_STACK: usize = 512 * 1024;
/// How long to wait for a connection to end when there is no room for another.
const FULL: Duration = Duration::from_millis(10);

/// What to serve, where and to whom.
pub struct Server {
    /// Where updates are kept.
    pub store: Box<dyn Store>,
    /// Where to listen.
    pub listeners: Vec<Listener>,
    /// How to serve.
    pub settings: Settings,
}

impl Server {
    /// Answers until something can be read from `stop`, then finishes what is in progress and
    /// flushes the store.
    ///
    /// # Errors
    /// If the listeners cannot be polled, or the store cannot be used any more.
    pub fn run(self, stop: impl AsFd) -> io::Result<()> {
        // Browsers connect to TCP addresses only. On loopback, the Host header must name this machine.
        let tcp = self.listeners.iter().any(Listener::is_tcp);
        let local = self.listeners.iter().all(Listener::is_local);
        let local_names_only = tcp && local && self.settings.access.is_open();
        let (context, gives_up) = Context::new(self.store, self.settings, local_names_only)?;
        let running = Running {
            context: Arc::new(context),
            waiting: Waiting::default(),
            threads: Threads::new(THREAD_STACK),
        };
        let context = Arc::clone(&running.context);
        running.threads.run(move || context.changes.watch(&context))?;
        let context = Arc::clone(&running.context);
        running.threads.run(move || context.refusals.watch(&*context.store))?;
        let accepted = running.accept_until(&self.listeners, [stop.as_fd(), gives_up.as_fd()]);
        running.context.changes.stop();
        accepted?;
        drop(self.listeners);
        running.finish();
        match running.context.fatal.0.get() {
            Some(reason) => Err(io::Error::other(reason.clone())),
            None => Ok(()),
        }
    }
}

struct Running {
    context: Arc<Context>,
    waiting: Waiting,
    threads: Threads,
}

impl Running {
    /// Accepts clients until something can be read from one of `stop`. Clients that connected before are
    /// still answered.
    fn accept_until(&self, listeners: &[Listener], stop: [BorrowedFd<'_>; 2]) -> io::Result<()> {
        loop {
            let mut polled: Vec<_> =
                stop.iter().map(|stop| PollFd::new(stop, PollFlags::IN)).collect();
            polled.extend(listeners.iter().map(|listener| PollFd::new(listener, PollFlags::IN)));
            match poll(&mut polled, None) {
                Err(rustix::io::Errno::INTR) => continue,
                result => result?,
            };
            let is_stopping = polled[..2].iter().any(|stop| !stop.revents().is_empty());
            for listener in listeners {
                while self.accept(listener) {}
            }
            if is_stopping {
                return Ok(());
            }
        }
    }

    /// Accepts one client. Returns false when there is none, or no room yet.
    fn accept(&self, listener: &Listener) -> bool {
        let connections = &self.context.capacity.connections;
        let permit = connections.take(Duration::ZERO).or_else(|| {
            self.waiting.end_oldest();
            connections.take(FULL)
        });
        let Some(permit) = permit else { return false };
        let (socket, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => return true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(error) => {
                self.context.log.problem(&format!("cannot accept a client: {error}"));
                self.waiting.end_oldest();
                thread::sleep(FULL);
                return false;
            }
        };
        let (context, waiting) = (Arc::clone(&self.context), self.waiting.clone());
        let thread = self.threads.run(move || {
            connection::serve(socket, &peer, &context, &waiting);
            drop(permit);
        });
        if let Err(error) = thread {
            self.context.log.problem(&format!("cannot start a thread for a client: {error}"));
        }
        true
    }

    /// Waits for requests in progress, but not long for clients that have sent nothing.
    fn finish(&self) {
        let Context { log, limits, store, capacity, refusals, .. } = &*self.context;
        log.info("stopping: finishing what is in flight");
        self.waiting.stop();
        if !capacity.connections.all_free(limits.silence) {
            self.waiting.end_new();
            if !capacity.connections.all_free(limits.drain) {
                log.problem("some requests did not end in time");
            }
        }
        refusals.stop(&**store);
        if let Err(error) = store.flush() {
            log.problem(&format!("nothing is lost, but the database could not be tidied: {error}"));
        }
        log.info("stopped");
    }
}
