//! A bulk ends when others wait to write.

use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use diunbox::event::Event;
use diunbox::store::{Arrival, Arrivals, SqliteStore, State, Store};

use crate::common::Inbox;

/// Less than the store waits for a lock.
const PATIENCE: Duration = Duration::from_secs(6);

/// One event again and again, until others wait.
struct Endless {
    arrival: Arrival,
    begun: Option<Sender<()>>,
    ends: Instant,
    others_wait: bool,
}

impl Arrivals for Endless {
    fn next(&mut self) -> Option<&Arrival> {
        if let Some(begun) = self.begun.take() {
            begun.send(()).unwrap();
        }
        let is_over = self.others_wait || Instant::now() >= self.ends;
        (!is_over).then_some(&self.arrival)
    }

    fn others_wait(&mut self) {
        self.others_wait = true;
    }
}

fn event(image: &str) -> Event {
    Event { image: image.into(), ..Event::default() }
}

#[test]
fn who_writes_for_long_learns_that_others_wait() {
    let inbox = Inbox::new();
    let bulk = SqliteStore::open(&inbox.database()).unwrap();
    // As another program would: with a connection of its own.
    let other = SqliteStore::open(&inbox.database()).unwrap();
    for round in 0..3 {
        let (begun, begins) = channel();
        let ends = Instant::now() + PATIENCE;
        let arrival = Arrival::from(event("bulk:1"));
        let mut endless = Endless { arrival, begun: Some(begun), ends, others_wait: false };
        thread::scope(|scope| {
            let other = &other;
            scope.spawn(move || {
                begins.recv().unwrap();
                other.upsert_event(&event(&format!("other:{round}"))).unwrap();
            });
            bulk.upsert_events(&mut endless).unwrap();
        });
        assert!(endless.others_wait, "round {round}");
    }
    assert_eq!(bulk.list_updates(State::Pending).unwrap().len(), 4);
}

#[test]
fn nobody_waits_where_nobody_does() {
    let inbox = Inbox::new();
    let bulk = SqliteStore::open(&inbox.database()).unwrap();
    let ends = Instant::now() + Duration::from_millis(200);
    let arrival = Arrival::from(event("bulk:1"));
    let mut endless = Endless { arrival, begun: None, ends, others_wait: false };
    bulk.upsert_events(&mut endless).unwrap();
    assert!(!endless.others_wait);
}
