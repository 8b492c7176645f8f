//! The rules that decide whether a place is done, in their order.

use chrono::{DateTime, Utc};
use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::running::Workload;
use crate::event::parse_created;
use crate::image::{pinned_digest, repository, tag, unpinned};
use crate::inbox::seen::Verdict;
use crate::inbox::version::Version;

/// The inbox's side: an update and one of its places.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) image: &'a str,
    pub(super) digest: &'a str,
    pub(super) created: Option<&'a str>,
    /// Digests that earlier events announced.
    pub(super) earlier: &'a BTreeSet<String>,
    /// The container of the place's last report, if that reported an update.
    pub(super) updated_id: Option<&'a str>,
    pub(super) received: DateTime<Utc>,
}

/// Whether the running image is the update's, or newer.
pub(super) fn verdict(known: &Known<'_>, runs: &Workload) -> Verdict {
    if !known.digest.is_empty() && runs.digests.contains(known.digest) {
        return Verdict::Done;
    }
    let wanted = unpinned(known.image);
    if let Some(image) = &runs.image {
        if repository(image) != repository(wanted) {
            return Verdict::Gone;
        }
    }
    // The name is a digest: the update ends when nothing runs that digest any more.
    if let (Some(pinned), None) = (pinned_digest(known.image), tag(known.image)) {
        return if runs.digests.contains(pinned) { Verdict::Behind } else { Verdict::Done };
    }
    let built = |text: Option<&str>| text.and_then(real);
    let by_date = built(runs.built.as_deref()).zip(built(known.created));
    let by_date = by_date.map(|(runs, wanted)| runs.cmp(&wanted));
    if let Some(image) = runs.image.as_deref().filter(|image| *image != wanted) {
        return other_tag(wanted, image, by_date);
    }
    // A build time with a fraction of a second identifies a build.
    let fingerprint = known.created.filter(|created| created.contains('.'));
    if fingerprint.is_some() && fingerprint == runs.built.as_deref() {
        return Verdict::Done;
    }
    if runs.digests.iter().any(|digest| known.earlier.contains(digest)) {
        return Verdict::Behind;
    }
    // The image of an existing container cannot change.
    if known.updated_id.is_some_and(|id| !id.is_empty() && id == runs.id) {
        return Verdict::Behind;
    }
    if runs.is_local {
        return Verdict::Unknown;
    }
    match by_date {
        Some(Ordering::Greater) => return Verdict::Done,
        Some(Ordering::Less) => return Verdict::Behind,
        _ => {}
    }
    match runs.pulled {
        Some(pulled) if runs.is_vague && pulled > known.received => Verdict::Done,
        _ => Verdict::Unknown,
    }
}

/// The verdict if another tag of the repository runs: it is known if both are versions of the same line.
fn other_tag(wanted: &str, runs: &str, by_date: Option<Ordering>) -> Verdict {
    let versions = tag(runs).and_then(Version::new).zip(tag(wanted).and_then(Version::new));
    match versions.and_then(|(runs, wanted)| runs.compare(&wanted)) {
        Some(Ordering::Greater) if by_date != Some(Ordering::Less) => Verdict::Done,
        Some(Ordering::Less) if by_date != Some(Ordering::Greater) => Verdict::Behind,
        _ => Verdict::Unknown,
    }
}

/// A real build time: not one of the years 1 and 1970, which tools write for reproducible builds.
fn real(text: &str) -> Option<DateTime<Utc>> {
    let time = parse_created(text).ok().flatten()?.to_utc();
    (time.timestamp() > 24 * 60 * 60).then_some(time)
}

#[cfg(test)]
mod tests;
