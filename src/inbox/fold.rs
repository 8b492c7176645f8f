//! Superseding: an older version is folded under a newer one if all its places have the newer one too.

use std::cmp::Ordering;

use chrono::{DateTime, FixedOffset};

use super::version::{Version, sortable};
use crate::image::{pinned_digest, repository, tag};

/// The rank of an image, and the images that it can fold with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// A text that sorts as the versions of a series do.
    pub rank: String,
    /// The images that it can be folded with.
    pub line: Line,
    /// The version in its tag; `None` for a pinned digest, which is ordered by arrival.
    pub version: Option<Version>,
}

/// The images of a series that can be folded with one another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The text that all versions of one thing share.
    pub series: String,
    /// Their lowest rank.
    pub from: String,
    /// Their ranks are lower than this.
    pub to: String,
}

impl Standing {
    /// The standing of an image whose newest event was received at this time, in milliseconds. Returns `None` if the
    /// image never folds.
    pub fn new(image: &str, received: i64) -> Option<Self> {
        let tag = tag(image)?;
        let repository = repository(image);
        if pinned_digest(image).is_some() {
            let series = format!("{repository}:{tag}@");
            let rank = sortable(received.try_into().unwrap_or_default());
            let line = Line { series, from: String::new(), to: "~".to_owned() };
            return Some(Self { rank, line, version: None });
        }
        let version = Version::new(tag)?;
        let series = format!("{repository}:{}", version.series());
        let (from, to) = version.line();
        let line = Line { series, from, to };
        Some(Self { rank: version.rank(), line, version: Some(version) })
    }
}

/// An update of a line that is neither acknowledged nor ignored.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its image.
    pub image: String,
    /// Its rank and line.
    pub standing: Standing,
    /// When it was built, if that is known.
    pub built: Option<DateTime<FixedOffset>>,
    /// Its places, sorted.
    pub places: Vec<[String; 3]>,
    /// The end of its snooze, in milliseconds; 0 if it has none.
    pub snoozed_until: i64,
}

/// Whether the first supersedes the second while the first is not snoozed.
fn supersedes(newer: &Member, older: &Member) -> bool {
    let by_date = newer.built.zip(older.built).map(|(newer, older)| newer.cmp(&older));
    let order = match (&newer.standing.version, &older.standing.version) {
        (Some(newer), Some(older)) => newer.compare(older),
        _ => Some(newer.standing.rank.cmp(&older.standing.rank)),
    };
    let is_newer = match order {
        Some(Ordering::Greater) => by_date != Some(Ordering::Less),
        Some(Ordering::Equal) => by_date == Some(Ordering::Greater),
        _ => false,
    };
    is_newer && older.places.iter().all(|place| newer.places.binary_search(place).is_ok())
}

/// The time from which a member is superseded, in milliseconds. 0 means now; a later time is the end of the snooze
/// of the update that supersedes it.
pub fn superseded_from<'a>(
    others: impl IntoIterator<Item = &'a Member>,
    older: &Member,
) -> Option<i64> {
    let mut first = None;
    for newer in others.into_iter().filter(|newer| supersedes(newer, older)) {
        if newer.snoozed_until <= 0 {
            return Some(0);
        }
        first = Some(first.map_or(newer.snoozed_until, |at: i64| at.min(newer.snoozed_until)));
    }
    first
}

/// For each member, the pending member that it is folded under at this time, in milliseconds.
pub fn folded_under(members: &[Member], now: i64) -> Vec<Option<usize>> {
    let above = |older: usize| {
        let awake = members.iter().enumerate().filter(|(_, newer)| newer.snoozed_until <= now);
        awake
            .filter(|(_, newer)| supersedes(newer, &members[older]))
            .max_by_key(|(_, newer)| (&newer.standing.rank, newer.built))
            .map(|(index, _)| index)
    };
    let above: Vec<Option<usize>> = (0..members.len()).map(above).collect();
    // The newer update may be superseded itself. Each step goes to a newer one, so the loop ends.
    let top = |first: Option<usize>| {
        let mut top = first?;
        while let Some(next) = above[top] {
            top = next;
        }
        Some(top)
    };
    above.iter().copied().map(top).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `TAG PLACES BUILT SNOOZED`: places are letters, and times numbers.
    fn members(lines: &[&str]) -> Vec<Member> {
        let member = |line: &&str| {
            let [tag, places, built, snoozed] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let image = format!("r/x:{tag}");
            let place = |host: char| [host.to_string(), String::new(), String::new()];
            let built = format!("2026-01-01T{built:0>2}:00:00Z");
            Member {
                standing: Standing::new(&image, 0).unwrap(),
                image,
                built: DateTime::parse_from_rfc3339(&built).ok(),
                places: places.chars().map(place).collect(),
                snoozed_until: snoozed.parse().unwrap(),
            }
        };
        lines.iter().map(member).collect()
    }

    #[test]
    fn each_version_is_folded_under_the_newest_that_takes_its_place() {
        for (lines, from, under) in [
            // In any order.
            (&["1.0.1 a - 0", "1.0.10 a - 0", "1.0.2 a - 0"][..], "0 - 0", "1 - 1"),
            // On two hosts, neither takes the place of the other.
            (&["1.0.1 a - 0", "1.0.2 b - 0"], "- -", "- -"),
            (&["1.0.1 a - 0", "1.0.2 ab - 0"], "0 -", "1 -"),
            (&["1.0.1 ab - 0", "1.0.2 a - 0"], "- -", "- -"),
            (&["1.0.1 a - 0", "1.0.2 ab - 0", "1.0.3 b - 0"], "0 - -", "1 - -"),
            // An older build is not newer, whatever it is called.
            (&["1.0.1 a 2 0", "1.0.2 a 1 0"], "- -", "- -"),
            (&["1.0.1 a 1 0", "1.0.2 a 1 0"], "0 -", "1 -"),
            (&["1.0.1-abcdef1 a 1 0", "1.0.1-abcdef2 a 2 0"], "0 -", "1 -"),
            (&["1.0.1-abcdef1 a - 0", "1.0.1-abcdef2 a 2 0"], "- -", "- -"),
            // A pre-release is folded under its release, and with that under a newer one.
            (&["1.0.1-rc.1 a - 0", "1.0.1 a - 0", "1.0.2 a - 0"], "0 0 -", "2 2 -"),
            (&["1.0.1-rc.1 a - 0", "1.0.2 a - 0"], "- -", "- -"),
            // A snooze ends by itself.
            (&["1.0.1 a - 0", "1.0.2 a - 9"], "9 -", "- -"),
            (&["1.0.1 a - 0", "1.0.2 a - 9", "1.0.3 a - 7"], "7 7 -", "- - -"),
            (&["1.0.1 a - 0", "1.0.2 a - 0", "1.0.3 a - 9"], "0 9 -", "1 - -"),
            (&["1.0.1 a - 0", "1.0.2 a - 3"], "3 -", "1 -"),
        ] {
            let members = members(lines);
            let text = |values: Vec<Option<String>>| {
                let values: Vec<String> =
                    values.into_iter().map(|value| value.unwrap_or("-".to_owned())).collect();
                values.join(" ")
            };
            let found = members
                .iter()
                .map(|older| superseded_from(&members, older).map(|at| at.to_string()));
            assert_eq!(text(found.collect()), from, "{lines:?}");
            let found = folded_under(&members, 5).into_iter().map(|at| at.map(|at| at.to_string()));
            assert_eq!(text(found.collect()), under, "{lines:?}");
        }
    }

    #[test]
    fn of_pinned_digests_the_last_received_stands_for_all() {
        let standing = |image: &str, at| Standing::new(image, at).unwrap();
        let (old, new) = (standing("r/x:1@sha256:a", 9), standing("r/x:1@sha256:b", 10));
        assert_eq!(old.line, new.line);
        assert!(old.rank < new.rank);
        assert_ne!(standing("r/x:2@sha256:a", 9).line, old.line);
        assert_eq!(Standing::new("r/x@sha256:a", 9), None);
        assert_eq!(Standing::new("r/x:latest", 9), None);
    }
}
