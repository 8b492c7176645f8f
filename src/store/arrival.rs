//! Events on their way into the store.

use crate::event::{Event, Metadata};

/// How many texts of an update's row an event fills.
pub const TEXTS: usize = 16;

/// An event as its update's row holds it. Whoever brings it works that out: only one at a time can
/// store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// All texts, one behind another: many small ones would cost more than what is done with them.
    joined: String,
    /// Where each ends.
    ends: [usize; TEXTS],
}

impl Arrival {
    /// What the row holds, in this order: `image`, `diun_version`, `hostname`, `status`,
    /// `provider`, `hub_link`, `mime_type`, `digest`, `created`, `platform`, `ctn_name`, `ctn_id`,
    /// `ctn_state`, `ctn_status`, `metadata` (a JSON object, or nothing) and `workload`.
    pub fn texts(&self) -> [&str; TEXTS] {
        let mut start = 0;
        self.ends.map(|end| &self.joined[std::mem::replace(&mut start, end)..end])
    }
}

impl From<Event> for Arrival {
    fn from(event: Event) -> Self {
        Self::from(&event)
    }
}

impl From<&Event> for Arrival {
    fn from(event: &Event) -> Self {
        let get = |key| event.metadata.get(key).map(String::as_str);
        let texts: [&str; TEXTS] = [
            &event.image,
            &event.diun_version,
            &event.hostname,
            &event.status,
            &event.provider,
            &event.hub_link,
            &event.mime_type,
            &event.digest,
            event.created.as_deref().unwrap_or_default(),
            &event.platform,
            get("ctn_names").or_else(|| get("ctn_name")).unwrap_or_default(),
            get("ctn_id").unwrap_or_default(),
            get("ctn_state").unwrap_or_default(),
            get("ctn_status").unwrap_or_default(),
            &json(&event.metadata),
            &event.workload(),
        ];
        let mut joined = String::with_capacity(texts.iter().map(|text| text.len()).sum());
        let ends = texts.map(|text| {
            joined.push_str(text);
            joined.len()
        });
        Self { joined, ends }
    }
}

/// Metadata as the database holds it: a JSON object, or nothing.
pub(super) fn json(metadata: &Metadata) -> String {
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

    /// Whether others follow at once, to be stored next. Then these may be on disk only when those
    /// are.
    fn are_followed(&self) -> bool {
        false
    }
}

impl Arrivals for std::slice::Iter<'_, Arrival> {
    fn next(&mut self) -> Option<&Arrival> {
        Iterator::next(self)
    }
}
