//! Events on their way into the store.

use crate::event::{Event, Metadata};

/// An event with what its report needs. Whoever brings it works that out: only one at a time can
/// store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The event.
    pub event: Event,
    /// As [`Event::workload`] gives it.
    pub workload: String,
    /// The event's metadata as the database holds it: a JSON object, or nothing.
    pub metadata: String,
}

impl From<Event> for Arrival {
    fn from(event: Event) -> Self {
        Self { workload: event.workload(), metadata: json(&event.metadata), event }
    }
}

fn json(metadata: &Metadata) -> String {
    if metadata.is_empty() {
        return String::new();
    }
    // A map of texts always has a JSON form.
    serde_json::to_string(metadata).unwrap_or_default()
}

/// Arrivals one after another. Unlike an iterator, whoever gives them keeps them.
pub trait Arrivals {
    /// The next one; `None` when there are no more.
    fn next(&mut self) -> Option<&Arrival>;

    /// Called when somebody else waits to write: there should be no more soon.
    fn others_wait(&mut self) {}
}

impl Arrivals for std::slice::Iter<'_, Arrival> {
    fn next(&mut self) -> Option<&Arrival> {
        Iterator::next(self)
    }
}
