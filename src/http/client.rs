//! A client's socket, with deadlines on reads and writes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::Socket;

use super::limits::Limits;
use super::waiting::{Phase, Waiting};

/// How many bytes a client may send after its answer before the connection is closed anyway.
const LINGER_LIMIT: usize = 8 * 1024 * 1024;
/// The slowest pace, in bytes a second, at which a client may read a long answer.
const PACE: u64 = 16 * 1024;

/// A client's non-blocking socket.
#[derive(Debug)]
pub(super) struct Client {
    socket: Arc<Socket>,
    waiting: Waiting,
    /// The time at which reading fails with `TimedOut`.
    pub(super) deadline: Instant,
    /// What the connection waits for.
    pub(super) phase: Phase,
}

impl Client {
    pub(super) fn new(socket: Socket, waiting: Waiting, deadline: Instant) -> Self {
        Self { socket: Arc::new(socket), waiting, deadline, phase: Phase::New }
    }

    /// Writes for one answer.
    pub(super) fn writer(&self, progress: Duration) -> Writer<'_> {
        Writer { socket: &self.socket, progress, sent: 0, blocked: Duration::ZERO }
    }

    /// Resets the connection when it is closed, so that the client notices that its answer is incomplete.
    pub(super) fn tear(&self) {
        let _ = self.socket.set_linger(Some(Duration::ZERO));
    }

    /// Waits until the client has closed its end. Closing while bytes of the client are unread would reset the
    /// connection, and the client could lose the answer.
    pub(super) fn linger(&mut self, limits: &Limits) -> io::Result<()> {
        self.socket.shutdown(Shutdown::Write)?;
        (self.phase, self.deadline) = (Phase::Idle, Instant::now() + limits.linger);
        let (mut discarded, mut piece) = (0, [0; 8 * 1024]);
        while discarded < LINGER_LIMIT {
            match self.read(&mut piece)? {
                0 => break,
                bytes => discarded += bytes,
            }
        }
        Ok(())
    }
}

impl Read for Client {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match (&*self.socket).read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let left = self.deadline.saturating_duration_since(Instant::now());
                    let wait = || ready(&self.socket, PollFlags::IN, left);
                    let waited = self.waiting.during(&self.socket, self.phase, wait);
                    waited.unwrap_or_else(|| Err(ErrorKind::TimedOut.into()))?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

/// Writes one answer. Only the time in which the client does not read counts.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    socket: &'a Socket,
    /// How long the client may read nothing.
    progress: Duration,
    sent: u64,
    blocked: Duration,
}

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let mut socket = self.socket;
            match socket.write(bytes) {
                Ok(written) => {
                    self.sent += written as u64;
                    return Ok(written);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let began = Instant::now();
                    let in_all = self.progress + Duration::from_secs(self.sent / PACE);
                    let left = in_all.saturating_sub(self.blocked).min(self.progress);
                    ready(socket, PollFlags::OUT, left)?;
                    self.blocked += began.elapsed();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until the socket is ready, or fails with `TimedOut`.
fn ready(socket: &Socket, flags: PollFlags, within: Duration) -> io::Result<()> {
    let timeout = Timespec::try_from(within).unwrap_or_default();
    match poll(&mut [PollFd::new(socket, flags)], Some(&timeout)) {
        Ok(0) => Err(ErrorKind::TimedOut.into()),
        // The caller tries again.
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
