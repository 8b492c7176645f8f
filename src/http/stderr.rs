//! Writes the log to standard error in a separate thread.
//!
//! A terminal stopped by Ctrl-S, or a pipe without a reader, must not delay an answer. So
//! requests only queue their lines. The queue is limited: ordinary lines are dropped first, then
//! events that could not be stored.

use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// Queue limit, in bytes, for ordinary log lines; beyond it they are dropped.
const LIMIT: usize = 1024 * 1024;
/// Queue limit, in bytes, for events that could not be stored.
const EVENT_LIMIT: usize = 64 * LIMIT;
/// How long to wait for an event to be written, and for the queue to empty at the end.
const PATIENCE: Duration = Duration::from_secs(1);

static QUEUE: OnceLock<Sender<Line>> = OnceLock::new();
/// Bytes in the queue.
static QUEUED: AtomicUsize = AtomicUsize::new(0);
/// Events that are not known to be written.
static UNWRITTEN: AtomicUsize = AtomicUsize::new(0);

struct Line {
    bytes: Vec<u8>,
    /// Receives whether the whole line was written.
    done: Option<Sender<bool>>,
}

/// Queues a line, or drops it if too much is queued.
pub(super) fn write(line: Vec<u8>) {
    push(line, LIMIT, None);
}

/// Queues a line with an event, and waits a moment. Returns whether it is written.
pub(super) fn write_event(line: Vec<u8>) -> bool {
    UNWRITTEN.fetch_add(1, Ordering::Relaxed);
    let (sender, receiver) = channel();
    push(line, EVENT_LIMIT, Some(sender));
    receiver.recv_timeout(PATIENCE).unwrap_or(false)
}

/// Waits until the queue is written, but not for long. Returns false if an event is not written.
pub(super) fn flush() -> bool {
    let (sender, receiver) = channel();
    push(Vec::new(), usize::MAX, Some(sender));
    let _ = receiver.recv_timeout(PATIENCE);
    UNWRITTEN.load(Ordering::Relaxed) == 0
}

fn push(bytes: Vec<u8>, limit: usize, done: Option<Sender<bool>>) {
    let length = bytes.len();
    if QUEUED.fetch_add(length, Ordering::Relaxed) + length > limit
        || queue().send(Line { bytes, done }).is_err()
    {
        QUEUED.fetch_sub(length, Ordering::Relaxed);
    }
}

fn queue() -> &'static Sender<Line> {
    QUEUE.get_or_init(|| {
        let (sender, receiver) = channel();
        // Without the thread nothing is logged; the server continues.
        let _ = thread::Builder::new().name("log".into()).spawn(move || run(&receiver));
        sender
    })
}

fn run(receiver: &Receiver<Line>) {
    let mut log = Lines { out: io::stderr(), is_torn: false };
    for line in receiver {
        let is_written = log.write(&line.bytes).is_ok();
        QUEUED.fetch_sub(line.bytes.len(), Ordering::Relaxed);
        let Some(done) = line.done else { continue };
        if is_written && !line.bytes.is_empty() {
            UNWRITTEN.fetch_sub(1, Ordering::Relaxed);
        }
        let _ = done.send(is_written);
    }
}

/// Writes whole lines. After a line that was cut short, for example by a full disk, a new line is begun.
struct Lines<W> {
    out: W,
    is_torn: bool,
}

impl<W: Write> Lines<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let mut rest = line;
        while !rest.is_empty() {
            if std::mem::take(&mut self.is_torn) {
                let ended = self.out.write_all(b"\n");
                self.is_torn = ended.is_err();
                ended?;
            }
            match self.out.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_torn |= rest.len() < line.len();
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk that takes `room` more bytes.
    struct Disk {
        written: Vec<u8>,
        room: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let written = bytes.len().min(self.room);
            if written == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.room -= written;
            self.written.extend(&bytes[..written]);
            Ok(written)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_after_a_torn_one_begins_a_new_line() {
        let mut log = Lines { out: Disk { written: Vec::new(), room: 7 }, is_torn: false };
        assert!(log.write(b"one\n").is_ok());
        for _ in 0..2 {
            assert!(log.write(b"two-is-long\n").is_err());
        }
        log.out.room = 100;
        assert!(log.write(b"three\n").is_ok());
        assert!(log.write(b"four\n").is_ok());
        assert_eq!(String::from_utf8(log.out.written).unwrap(), "one\ntwo\nthree\nfour\n");
    }
}
