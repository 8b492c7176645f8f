//! The events that are stored in one transaction.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::source::Found;
use crate::store::{Arrival, Arrivals};

/// A batch ends when the input gives nothing for this long.
const DRY: Duration = Duration::from_millis(20);
/// Or when it has taken this long: others wait to write, and what it holds can be read only then.
const LONGEST: Duration = Duration::from_millis(200);
/// Or when it has this many events: of more, the pages that change do not fit into the writer's
/// cache, and are written more than once.
const MOST_EVENTS: usize = 16 * 1024;
/// Or when this much was wrong in it, which is told after it.
const MOST_COMPLAINTS: usize = 100;

/// Events as they come in, until it is time to commit.
pub(super) struct Batch<'a> {
    receiver: &'a Receiver<Found<Arrival>>,
    events: Vec<Arrival>,
    /// The next of them.
    position: usize,
    /// When the first was asked for: before that it may have waited for others.
    started: Option<Instant>,
    /// Events handed out.
    pub(super) taken: usize,
    /// What was wrong in the input.
    pub(super) complaints: Vec<String>,
    /// How much was read.
    pub(super) bytes: u64,
    /// Whether it took all the time, or all the events, that it may.
    pub(super) is_over: bool,
    /// What was found when it was over.
    following: Option<Found<Arrival>>,
}

impl<'a> Batch<'a> {
    /// Begins with what was found first.
    pub(super) fn new(first: Found<Arrival>, receiver: &'a Receiver<Found<Arrival>>) -> Self {
        let mut batch = Self {
            receiver,
            events: Vec::new(),
            position: 0,
            started: None,
            is_over: false,
            taken: 0,
            complaints: Vec::new(),
            bytes: 0,
            following: None,
        };
        batch.add(first);
        batch
    }

    /// Whether there is nothing to store in what was found first.
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// What the next one begins with, where that is there already.
    pub(super) fn following(self) -> Option<Found<Arrival>> {
        self.following
    }

    fn add(&mut self, found: Found<Arrival>) {
        self.events = found.events;
        self.position = 0;
        self.complaints.extend(found.complaints);
        self.bytes += found.bytes;
    }
}

impl Arrivals for Batch<'_> {
    fn next(&mut self) -> Option<&Arrival> {
        let started = *self.started.get_or_insert_with(Instant::now);
        while self.position == self.events.len() {
            self.is_over = started.elapsed() >= LONGEST
                || self.taken >= MOST_EVENTS
                || self.complaints.len() >= MOST_COMPLAINTS;
            let patience = if self.is_over { Duration::ZERO } else { DRY };
            match self.receiver.recv_timeout(patience) {
                Ok(found) if !self.is_over => self.add(found),
                found => {
                    self.following = found.ok();
                    return None;
                }
            }
        }
        self.position += 1;
        self.taken += 1;
        self.events.get(self.position - 1)
    }

    fn are_followed(&self) -> bool {
        self.following.as_ref().is_some_and(|found| !found.events.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::event::Event;

    fn found(events: usize, complaints: usize) -> Found<Arrival> {
        let arrival = Arrival::from(Event { image: "a".into(), ..Event::default() });
        Found {
            events: vec![arrival; events],
            complaints: vec!["wrong".to_owned(); complaints],
            bytes: 0,
        }
    }

    /// Takes a batch out of what was found: how many events, whether others follow, and what comes
    /// next.
    fn batch(all: Vec<Found<Arrival>>) -> (usize, bool, Option<usize>) {
        let (sender, receiver) = sync_channel(all.len());
        let mut all = all.into_iter();
        let mut batch = Batch::new(all.next().unwrap(), &receiver);
        all.for_each(|found| sender.send(found).unwrap());
        while batch.next().is_some() {}
        let (taken, are_followed) = (batch.taken, batch.are_followed());
        (taken, are_followed, batch.following().map(|found| found.events.len()))
    }

    #[test]
    fn a_full_batch_is_followed_where_more_has_come() {
        let full = || found(MOST_EVENTS, 0);
        assert_eq!(batch(vec![full(), found(2, 0)]), (MOST_EVENTS, true, Some(2)));
        assert_eq!(batch(vec![full()]), (MOST_EVENTS, false, None));
        // Nothing is stored of it, so nothing would be synced with it.
        assert_eq!(batch(vec![full(), found(0, 1)]), (MOST_EVENTS, false, Some(0)));
    }

    #[test]
    fn a_batch_goes_on_until_the_input_is_dry_or_much_was_wrong() {
        assert_eq!(batch(vec![found(1, 0), found(0, 1), found(2, 0)]), (3, false, None));
        let all = vec![found(1, MOST_COMPLAINTS), found(2, 0)];
        assert_eq!(batch(all), (1, true, Some(2)));
    }
}
