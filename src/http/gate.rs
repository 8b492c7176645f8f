//! The gate: meets the clients, and lets whole requests through.
//!
//! Diun sends each notification once and gives up after 10 s, so no client may ever wait for
//! another. Each connection has a thread, a time in which its request must have come, and one
//! request: every answer ends its connection, as Diun opens a new one each time anyway.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::Socket;

use super::head::Received;
use super::inner::Inner;
use super::listen::Listener;
use super::log::{Entry, milliseconds, summary};
use super::message::{Request, Response};
use super::route::{self, Context};
use super::slots::{Slot, Slots};
use super::threads::Threads;
use super::wire::{Failure, Wire, send};

/// Threads that serve connections; each needs little more than its buffers.
const THREAD_STACK: usize = 256 * 1024;
const MOST_CONNECTIONS: usize = 2_048;
const MOST_EVENTS: usize = 512;
/// Each may hold all updates in memory.
const MOST_QUESTIONS: usize = 32;
/// Descriptors for the listeners, the log, the database and what else there is.
const RESERVED_DESCRIPTORS: usize = 40;
/// Descriptors of a request that is being answered: both ends of the private socket, and
/// tiny_http's copy.
const DESCRIPTORS_PER_EVENT: usize = 3;
/// The same, and a reader's database, log and index.
const DESCRIPTORS_PER_QUESTION: usize = 7;
/// How long an event waits for its turn. The store may then take 8 s, and Diun gives up after 10.
const EVENT_QUEUE_TIME: Duration = Duration::from_millis(1_500);
const QUESTION_QUEUE_TIME: Duration = Duration::from_secs(9);
/// How long a client that sends nothing can hold up the end.
const SILENCE: Duration = Duration::from_millis(500);
/// How long to wait before accepting again when there are too many connections.
const FULL: Duration = Duration::from_millis(10);

/// Everything a connection needs.
pub(super) struct Gate {
    inner: Inner,
    context: Arc<Context>,
    threads: Threads,
    connections: Slots,
    /// Connections that have sent something, and are owed an answer.
    requests: Slots,
    /// Events that are being stored.
    events: Slots,
    /// Requests of any other kind that are being answered. However many there are, events pass.
    questions: Slots,
}

impl Gate {
    pub(super) fn new(inner: Inner, context: Arc<Context>, descriptors: usize) -> Self {
        let free = descriptors.saturating_sub(RESERVED_DESCRIPTORS);
        let events = (free / 12).clamp(2, MOST_EVENTS);
        let questions = (free / 40).clamp(2, MOST_QUESTIONS);
        let taken = events * DESCRIPTORS_PER_EVENT + questions * DESCRIPTORS_PER_QUESTION;
        let connections = free.saturating_sub(taken).clamp(4, MOST_CONNECTIONS);
        Self {
            inner,
            context,
            threads: Threads::new(THREAD_STACK),
            connections: Slots::new(connections),
            requests: Slots::new(connections),
            events: Slots::new(events),
            questions: Slots::new(questions),
        }
    }

    /// Accepts clients until something can be read from `stop`.
    pub(super) fn run(self: &Arc<Self>, listeners: &[Listener], stop: impl AsFd) -> io::Result<()> {
        loop {
            let full = self.connections.take(Duration::ZERO).is_none();
            let waiting = if full { &[] } else { listeners };
            let mut polled = vec![PollFd::new(&stop, PollFlags::IN)];
            polled.extend(
                waiting.iter().map(|listener| PollFd::new(&listener.socket, PollFlags::IN)),
            );
            let timeout = full.then(|| Timespec::try_from(FULL).unwrap_or_default());
            match poll(&mut polled, timeout.as_ref()) {
                Err(rustix::io::Errno::INTR) => continue,
                result => result?,
            };
            let stopping = !polled[0].revents().is_empty();
            // What has come before the end is still answered.
            for listener in listeners {
                while self.accept(listener) {}
            }
            if stopping {
                return Ok(());
            }
        }
    }

    /// Waits for what is in flight. Gives whether it was finished. Clients that have sent nothing
    /// yet get a moment only.
    pub(super) fn drain(&self, within: Duration) -> bool {
        self.connections.all_free(SILENCE) || self.requests.all_free(within)
    }

    /// Accepts one client; `false` when there is none, or no room.
    fn accept(self: &Arc<Self>, listener: &Listener) -> bool {
        let Some(slot) = self.connections.take(Duration::ZERO) else { return false };
        let (socket, peer) = match listener.socket.accept() {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => return true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(error) => {
                self.context.log.problem(&format!("cannot accept a client: {error}"));
                thread::sleep(FULL);
                return false;
            }
        };
        let client = peer.as_socket().map_or("unix".to_owned(), |peer| peer.to_string());
        let gate = Arc::clone(self);
        let thread = self.threads.run(move || {
            let _ = socket.set_nonblocking(false);
            gate.serve(&socket, &client);
            drop(slot);
        });
        if let Err(error) = thread {
            self.context.log.problem(&format!("cannot start a thread for a client: {error}"));
        }
        true
    }

    fn serve(&self, socket: &Socket, client: &str) {
        let began = Instant::now();
        let mut request_slot: Option<Slot> = None;
        let mut wire = Wire::new(socket);
        let received = wire.receive(|| request_slot = self.requests.take(Duration::ZERO));
        let (received, answer) = match received {
            Ok(received) => {
                let answer = self.answer(&received);
                (Box::new(received), answer)
            }
            Err(Failure::Refused(received, response)) => (received, raw(&response)),
            Err(Failure::Nothing) => {
                self.context.log.detail(&format!("{client} asked for nothing"));
                return;
            }
        };
        let (status, error) = summary(&answer);
        if status >= 500 {
            rescue(&received, &self.context);
        }
        self.context.metrics.answered(status);
        self.context.log.request(Entry {
            method: if received.method.is_empty() { "-" } else { &received.method },
            path: if received.target.is_empty() { "-" } else { &received.target },
            status,
            ms: milliseconds(began.elapsed()),
            client,
            error,
        });
        // A client that has gone cannot be helped.
        let _ = send(socket, &closing(answer));
    }

    fn answer(&self, received: &Received) -> Vec<u8> {
        let unavailable = || {
            let response = Response::error(503, "diunbox is too busy: try again");
            raw(&response.with("Retry-After", "1"))
        };
        let slot = if received.target.starts_with("/webhook") {
            self.events.take(EVENT_QUEUE_TIME)
        } else {
            self.questions.take(QUESTION_QUEUE_TIME)
        };
        let Some(_slot) = slot else { return unavailable() };
        self.inner.answer(received).unwrap_or_else(|_| unavailable())
    }
}

/// Whatever went wrong, the event that the request brought must not be lost with it.
fn rescue(received: &Received, context: &Context) {
    let header = |name: &str| received.header(name);
    let method = received.method.parse().unwrap_or(tiny_http::Method::Get);
    let (target, body) = (received.target.as_str(), received.body.as_slice());
    route::rescue(&Request { method: &method, target, header: &header, body }, context);
}

/// An answer as it goes over the wire.
fn raw(response: &Response) -> Vec<u8> {
    let reason = tiny_http::StatusCode(response.status).default_reason_phrase();
    let mut answer = format!("HTTP/1.1 {} {reason}\r\n", response.status).into_bytes();
    for (name, value) in &response.headers {
        answer.extend(format!("{name}: {value}\r\n").bytes());
    }
    answer.extend(format!("Content-Length: {}\r\n\r\n", response.body.len()).bytes());
    answer.extend(&response.body);
    answer
}

/// The answer, with word that the connection ends.
fn closing(mut answer: Vec<u8>) -> Vec<u8> {
    if let Some(end) = answer.windows(2).position(|end| end == b"\r\n") {
        answer.splice(end..end, *b"\r\nConnection: close");
    }
    answer
}
