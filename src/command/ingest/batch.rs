//! The events that are stored in one transaction.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use std::vec;

use super::source::Found;
use crate::event::Event;

/// A batch ends when the input gives nothing for this long.
const DRY: Duration = Duration::from_millis(20);
/// Or when it has taken this long: nobody else can write meanwhile.
const MOST_TIME: Duration = Duration::from_millis(300);
/// Or when this much was wrong in it, which is told after it.
const MOST_COMPLAINTS: usize = 100;

/// Events as they come in, until it is time to commit.
pub(super) struct Batch<'a> {
    receiver: &'a Receiver<Found>,
    events: vec::IntoIter<Event>,
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
    pub(super) fn new(first: Found, receiver: &'a Receiver<Found>) -> Self {
        let mut batch = Self {
            receiver,
            events: Vec::new().into_iter(),
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
        self.events.as_slice().is_empty()
    }

    /// Whether it ended while there was more.
    pub(super) fn is_cut_off(&self) -> bool {
        self.is_cut_off
    }

    fn add(&mut self, found: Found) {
        self.events = found.events.into_iter();
        self.complaints.extend(found.complaints);
        self.bytes += found.bytes;
    }
}

impl Iterator for Batch<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.next() {
                self.taken += 1;
                return Some(event);
            }
            if Instant::now() >= self.ends || self.complaints.len() >= MOST_COMPLAINTS {
                self.is_cut_off = true;
                return None;
            }
            self.add(self.receiver.recv_timeout(DRY).ok()?);
        }
    }
}
