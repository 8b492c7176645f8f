//! The events that are stored in one transaction.

use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use super::source::Found;
use crate::store::{Arrival, Arrivals};

/// A batch ends when the input gives nothing for this long.
const DRY: Duration = Duration::from_millis(20);
/// Or when it has taken this long and others wait to write.
const LEAST: Duration = Duration::from_millis(200);
/// Or when it has taken this long and the input does not keep up.
pub(super) const SHORT: Duration = Duration::from_millis(400);
/// Or when it has taken this long: what it holds can be read only then.
const LONGEST: Duration = Duration::from_millis(1600);
/// Whoever comes to wait waits for a commit. While it takes less than this, batches may be longer.
const QUICK: Duration = Duration::from_millis(350);
/// When it takes more than this, they must be shorter.
const SLOW: Duration = Duration::from_millis(600);
/// Or when this much was wrong in it, which is told after it.
const MOST_COMPLAINTS: usize = 100;

/// Events as they come in, until it is time to commit.
pub(super) struct Batch<'a> {
    receiver: &'a Receiver<Found>,
    spent: &'a Sender<Vec<Arrival>>,
    events: Vec<Arrival>,
    /// The next of them.
    position: usize,
    started: Instant,
    most_time: Duration,
    others_wait: bool,
    /// Events handed out.
    pub(super) taken: usize,
    /// What was wrong in the input.
    pub(super) complaints: Vec<String>,
    /// How much was read.
    pub(super) bytes: u64,
    ended: Instant,
    is_long: bool,
}

impl<'a> Batch<'a> {
    /// Begins with what was found first, and takes no longer than `most_time`. Events that were
    /// handed out go to `spent`.
    pub(super) fn new(
        first: Found,
        most_time: Duration,
        receiver: &'a Receiver<Found>,
        spent: &'a Sender<Vec<Arrival>>,
    ) -> Self {
        let mut batch = Self {
            receiver,
            spent,
            events: Vec::new(),
            position: 0,
            started: Instant::now(),
            most_time,
            others_wait: false,
            taken: 0,
            complaints: Vec::new(),
            bytes: 0,
            ended: Instant::now(),
            is_long: false,
        };
        batch.add(first);
        batch
    }

    /// Whether there is nothing to store in what was found first.
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether others may have waited for it to end.
    pub(super) fn is_long(&self) -> bool {
        self.is_long
    }

    /// The most time for the next, as this one is committed now.
    pub(super) fn next_most_time(&self) -> Duration {
        match self.ended.elapsed() {
            commit if commit > SLOW => (self.most_time / 2).max(SHORT),
            commit if commit < QUICK && self.is_long => (self.most_time * 2).min(LONGEST),
            _ => self.most_time,
        }
    }

    fn add(&mut self, found: Found) {
        let spent = std::mem::replace(&mut self.events, found.events);
        // Where the reader has ended nobody takes them any more.
        let _ = self.spent.send(spent);
        self.position = 0;
        self.complaints.extend(found.complaints);
        self.bytes += found.bytes;
    }
}

impl Arrivals for Batch<'_> {
    fn next(&mut self) -> Option<&Arrival> {
        while self.position == self.events.len() {
            let elapsed = self.started.elapsed();
            let is_over = elapsed >= self.most_time
                || elapsed >= LEAST && self.others_wait
                || self.complaints.len() >= MOST_COMPLAINTS;
            let patience = if elapsed < SHORT { DRY } else { Duration::ZERO };
            let found = if is_over { None } else { self.receiver.recv_timeout(patience).ok() };
            let Some(found) = found else {
                self.is_long = is_over || elapsed >= SHORT;
                self.ended = Instant::now();
                return None;
            };
            self.add(found);
        }
        self.position += 1;
        self.taken += 1;
        self.events.get(self.position - 1)
    }

    fn others_wait(&mut self) {
        self.others_wait = true;
    }
}
