//! Standard error, without waiting for whoever reads it.
//!
//! A terminal on which someone pressed Ctrl-S, or a pipe that nobody empties, must not keep a client
//! from its answer. So a thread of its own writes, and what piles up is limited.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// Bytes that may wait when a line that can be missed comes.
const LIMIT: usize = 1024 * 1024;
/// Bytes that may wait when an event comes that is nowhere else.
const EVENT_LIMIT: usize = 64 * LIMIT;
/// How long to wait for what must not be missed.
const PATIENCE: Duration = Duration::from_secs(1);

static QUEUE: OnceLock<Sender<Item>> = OnceLock::new();
static WAITING: AtomicUsize = AtomicUsize::new(0);

enum Item {
    Line(Vec<u8>),
    Flush(Sender<()>),
}

/// Writes a line, or drops it where too much waits already.
pub(super) fn write(line: Vec<u8>) {
    push(line, LIMIT);
}

/// Writes a line that must not be missed, and waits a moment until it is written.
pub(super) fn write_event(line: Vec<u8>) {
    push(line, EVENT_LIMIT);
    flush();
}

/// Waits until everything is written, but not for long.
pub(super) fn flush() {
    let (sender, receiver) = channel();
    if queue().send(Item::Flush(sender)).is_ok() {
        let _ = receiver.recv_timeout(PATIENCE);
    }
}

fn push(line: Vec<u8>, limit: usize) {
    let length = line.len();
    if WAITING.fetch_add(length, Ordering::Relaxed) + length > limit
        || queue().send(Item::Line(line)).is_err()
    {
        WAITING.fetch_sub(length, Ordering::Relaxed);
    }
}

fn queue() -> &'static Sender<Item> {
    QUEUE.get_or_init(|| {
        let (sender, receiver) = channel();
        // Without the thread there is no log; serving goes on.
        let _ = thread::Builder::new().name("log".into()).spawn(move || run(&receiver));
        sender
    })
}

fn run(receiver: &Receiver<Item>) {
    for item in receiver {
        match item {
            Item::Line(line) => {
                // A log that has gone stops nothing.
                let _ = io::stderr().lock().write_all(&line);
                WAITING.fetch_sub(line.len(), Ordering::Relaxed);
            }
            Item::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}
