//! The events that are stored in one transaction.

use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use super::source::Found;
use crate::store::{Arrival, Arrivals};

/// A batch ends when the input gives nothing for this long.
const DRY: Duration = Duration::from_millis(20);
/// Or when it has taken this long: nobody else can write meanwhile.
const MOST_TIME: Duration = Duration::from_millis(400);
/// Or when this much was wrong in it, which is told after it.
const MOST_COMPLAINTS: usize = 100;

/// Events as they come in, until it is time to commit.
pub(super) struct Batch<'a> {
    receiver: &'a Receiver<Found>,
    spent: &'a Sender<Vec<Arrival>>,
    events: Vec<Arrival>,
    /// The next of them.
    position: usize,
    ends: Instant,
    /// Events handed out.
    pub(super) taken: usize,
    /// What was wrong in the input.
    pub(super) complaints: Vec<String>,
    /// How much was read.
    pub(super) bytes: u64,
    is_cut_off: bool,
}

impl<'a> Batch<'a> {
    /// Begins with what was found first. Events that were handed out go to `spent`.
    pub(super) fn new(
        first: Found,
        receiver: &'a Receiver<Found>,
        spent: &'a Sender<Vec<Arrival>>,
    ) -> Self {
        let mut batch = Self {
            receiver,
            spent,
            events: Vec::new(),
            position: 0,
            ends: Instant::now() + MOST_TIME,
            taken: 0,
            complaints: Vec::new(),
            bytes: 0,
            is_cut_off: false,
        };
        batch.add(first);
        batch
    }

    /// Whether there is nothing to store in what was found first.
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether it ended while there was more.
    pub(super) fn is_cut_off(&self) -> bool {
        self.is_cut_off
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
            if Instant::now() >= self.ends || self.complaints.len() >= MOST_COMPLAINTS {
                self.is_cut_off = true;
                return None;
            }
            self.add(self.receiver.recv_timeout(DRY).ok()?);
        }
        self.position += 1;
        self.taken += 1;
        self.events.get(self.position - 1)
    }
}
