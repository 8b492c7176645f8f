//! Where an update is, in a few words.

use crate::inbox::update::{Place, Update};

/// The places to name: those that need the update, or all of them when none does.
fn relevant(update: &Update) -> Vec<&Place> {
    let needed: Vec<&Place> = update.needed().collect();
    if needed.is_empty() { update.places.iter().collect() } else { needed }
}

/// The hosts of the places to name.
pub(super) fn hosts(update: &Update) -> Vec<&str> {
    let mut hosts: Vec<&str> =
        relevant(update).into_iter().map(|place| place.hostname.as_str()).collect();
    hosts.dedup();
    hosts
}

/// The first place, and how many more there are: `edge-1/api-0 +7`.
pub(super) fn places(update: &Update) -> String {
    let places = relevant(update);
    let Some(first) = places.first() else {
        return "-".to_owned();
    };
    let text = place(first);
    if places.len() > 1 { format!("{text} +{}", places.len() - 1) } else { text }
}

/// A host and a workload, as far as they are known.
pub(super) fn place(place: &Place) -> String {
    match (place.hostname.as_str(), place.workload.as_str()) {
        ("", "") => "-".to_owned(),
        (host, "") => host.to_owned(),
        ("", workload) => workload.to_owned(),
        (host, workload) => format!("{host}/{workload}"),
    }
}
