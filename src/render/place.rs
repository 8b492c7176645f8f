//! Short texts about the places of an update.

use chrono::{DateTime, Utc};

use super::time::ago;
use crate::inbox::seen::Verdict;
use crate::inbox::update::{Place, Update};

/// The places to name: those that need the update, or all if none does.
fn relevant(update: &Update) -> Vec<&Place> {
    let needed: Vec<&Place> = update.needed().collect();
    if !needed.is_empty() {
        return needed;
    }
    let present: Vec<&Place> = update.present().collect();
    if present.is_empty() { update.places.iter().collect() } else { present }
}

/// The hosts of the places to name.
pub fn hosts(update: &Update) -> Vec<&str> {
    let hosts = relevant(update).into_iter().map(|place| place.hostname.as_str());
    let mut hosts: Vec<&str> = hosts.filter(|host| !host.is_empty()).collect();
    hosts.dedup();
    hosts
}

/// The first place, and the number of further ones: `edge-1/api-0 +7`.
pub fn places(update: &Update) -> String {
    let places = relevant(update);
    let Some(first) = places.first() else {
        return "-".to_owned();
    };
    let text = place(&first.hostname, &first.workload);
    if places.len() > 1 { format!("{text} +{}", places.len() - 1) } else { text }
}

/// The number of done places, if some but not all are done: ` (2 of 3 done)`.
pub fn progress(update: &Update) -> String {
    let (needed, all) = (update.needed().count(), update.present().count());
    if needed == 0 || needed == all {
        return String::new();
    }
    format!(" ({} of {all} done)", all.saturating_sub(needed))
}

/// The state of a place, such as `behind`.
pub(super) fn state(place: &Place) -> &'static str {
    let verdict = place.runs.as_ref().and_then(|runs| runs.verdict);
    match verdict {
        _ if place.is_gone() => Verdict::Gone.name(),
        _ if !place.is_needed => Verdict::Done.name(),
        Some(verdict @ (Verdict::Behind | Verdict::Unknown)) => verdict.name(),
        _ => "needed",
    }
}

/// The running digests of a place, and since when: `sha256:9a… since 3 days ago`.
pub(super) fn runs(
    digests: &[String],
    wanted: &str,
    since: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> String {
    let digest = digests.iter().find(|digest| *digest == wanted).or(digests.first());
    let Some(digest) = digest else { return "-".to_owned() };
    let digest = if digest == wanted { "current" } else { short_digest(digest) };
    match since {
        Some(since) => format!("{digest} since {}", ago(since, now)),
        None => digest.to_owned(),
    }
}

/// The start of a digest, which distinguishes it from others.
pub(super) fn short_digest(digest: &str) -> &str {
    digest.get(..DIGEST).unwrap_or(digest)
}

/// The number of characters that are shown of a digest.
const DIGEST: usize = "sha256:".len() + 12;

/// A host and a workload, as far as they are known.
pub(super) fn place(host: &str, workload: &str) -> String {
    match (host, workload) {
        ("", "") => "-".to_owned(),
        (host, "") => host.to_owned(),
        ("", workload) => workload.to_owned(),
        (host, workload) => format!("{host}/{workload}"),
    }
}
