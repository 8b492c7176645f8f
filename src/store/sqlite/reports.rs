//! Reading reports: the newest of each image from `updates`, the others from `older_reports`.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hasher;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use siphasher::sip::SipHasher13;

use super::row::{metadata, place, received, text};
use crate::event::{Event, Metadata};
use crate::store::arrival::json;
use crate::store::{Place, Report};

pub(super) const SELECT_NEWEST: &str = "
    SELECT hostname, provider, workload, digest, status, metadata, first_seen, last_seen, times,
        received_at, ctn_name, ctn_id, ctn_state, ctn_status,
        places, first_hostname, first_provider, first_workload
    FROM updates WHERE image = ?1";

const SELECT_OLDER: &str = "
    SELECT hostname, provider, workload, digest, status, metadata, first_seen, last_seen, times
    FROM older_reports WHERE image_key = ?1 AND image = ?2";

/// The index has them in this order.
const SELECT_OLDER_PLACES: &str = "
    SELECT hostname, provider, workload FROM older_reports WHERE image_key = ?1 AND digest_key = ?2
    ORDER BY hostname, provider, workload";

/// A report as the database holds it; that of an image's newest event, or an older one.
pub(super) struct Stored {
    pub(super) place: Place,
    pub(super) digest: String,
    pub(super) status: String,
    /// As JSON.
    pub(super) metadata: String,
    /// In milliseconds since 1970.
    pub(super) first_seen: i64,
    /// In milliseconds since 1970.
    pub(super) last_seen: i64,
    pub(super) times: i64,
    /// Of the newest report's digest, where its row tells.
    pub(super) whereabouts: Option<Whereabouts>,
}

impl Stored {
    /// Reads a row of [`SELECT_NEWEST`].
    pub(super) fn newest(row: &Row<'_>) -> rusqlite::Result<Self> {
        let stored = Self::older(row)?;
        let received_at = received(&text(row, 9)?);
        if is_ours(received_at, stored.last_seen) {
            let whereabouts = match row.get(14)? {
                0 => None,
                1 => Some(Whereabouts { count: 1, first: stored.place.clone() }),
                count => Some(Whereabouts { count, first: place(row, 15)? }),
            };
            return Ok(Self { whereabouts, ..stored });
        }
        let theirs = Event {
            metadata: columns(&stored.place.provider, row, 10)?,
            provider: stored.place.provider.clone(),
            ..Event::default()
        };
        Ok(Self {
            place: Place { workload: theirs.workload(), ..stored.place },
            metadata: json(&theirs.metadata),
            first_seen: received_at.timestamp_millis(),
            last_seen: received_at.timestamp_millis(),
            times: 1,
            ..stored
        })
    }

    /// Reads a row of [`SELECT_OLDER`].
    fn older(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            place: place(row, 0)?,
            digest: text(row, 3)?,
            status: text(row, 4)?,
            metadata: text(row, 5)?,
            first_seen: row.get(6)?,
            last_seen: row.get(7)?,
            times: row.get(8)?,
            whereabouts: None,
        })
    }
}

/// How many places run an image's current digest, and the first of them.
pub(super) struct Whereabouts {
    pub(super) count: usize,
    pub(super) first: Place,
}

impl Whereabouts {
    /// Counts another place.
    pub(super) fn add(&mut self, place: Place) {
        self.count += 1;
        if place < self.first {
            self.first = place;
        }
    }
}

impl From<Stored> for Report {
    fn from(stored: Stored) -> Self {
        let time = |milliseconds| DateTime::from_timestamp_millis(milliseconds).unwrap_or_default();
        Self {
            digest: stored.digest,
            place: stored.place,
            status: stored.status,
            metadata: metadata(&stored.metadata),
            first_seen: time(stored.first_seen),
            last_seen: time(stored.last_seen),
            times: stored.times.try_into().unwrap_or_default(),
        }
    }
}

/// Whether a row of `updates` is as diunbox wrote it. Another program that writes an event there
/// changes `received_at`, and leaves the columns that it does not know.
pub(super) fn is_ours(received_at: DateTime<Utc>, last_seen: i64) -> bool {
    received_at.timestamp_millis() == last_seen
}

/// The metadata of an event that another program wrote, which kept these four values alone.
pub(super) fn columns(provider: &str, row: &Row<'_>, first: usize) -> rusqlite::Result<Metadata> {
    let name = if provider == "docker" { "ctn_names" } else { "ctn_name" };
    let mut metadata = Metadata::new();
    for (index, key) in [name, "ctn_id", "ctn_state", "ctn_status"].into_iter().enumerate() {
        let value = text(row, first + index)?;
        if !value.is_empty() {
            metadata.insert(key.to_owned(), value);
        }
    }
    Ok(metadata)
}

/// The place of an image's newest report.
pub(super) fn newest_place(connection: &Connection, image: &str) -> rusqlite::Result<Place> {
    let mut newest = connection.prepare_cached(SELECT_NEWEST)?;
    newest.query_row([image], |row| Ok(Stored::newest(row)?.place))
}

/// Everything said of an image: first of its current digest, then the newest first.
pub(super) fn list(connection: &Connection, image: &str) -> rusqlite::Result<Vec<Report>> {
    let newest = connection
        .prepare_cached(SELECT_NEWEST)?
        .query_row([image], Stored::newest)
        .optional()?
        .map(Report::from);
    let current = newest.as_ref().map(|report| report.digest.clone());
    let mut older = connection.prepare_cached(SELECT_OLDER)?;
    let older = older.query_map(params![key(image), image], Stored::older)?;
    let mut reports: Vec<Report> = newest.into_iter().collect();
    for report in older {
        let report = Report::from(report?);
        // Where another program deleted the update, an event that came again is in both tables.
        if reports.first().is_none_or(|newest| !is_same(newest, &report)) {
            reports.push(report);
        }
    }
    let mut last_seen = HashMap::<String, DateTime<Utc>>::new();
    for report in &reports {
        let last = last_seen.entry(report.digest.clone()).or_default();
        *last = report.last_seen.max(*last);
    }
    reports.sort_by_cached_key(|report| {
        let is_current = Some(&report.digest) == current.as_ref();
        let last = last_seen.get(&report.digest).copied();
        (!is_current, Reverse(last), report.digest.clone(), report.place.clone())
    });
    Ok(reports)
}

fn is_same(one: &Report, other: &Report) -> bool {
    one.digest == other.digest && one.place == other.place
}

/// Who runs an image's digest, by their keys: whoever older reports tell of, and `newest`. They are
/// ordered, and each is there once.
pub(super) fn places(
    connection: &Connection,
    keys: Keys,
    newest: Place,
) -> rusqlite::Result<Vec<Place>> {
    let mut older = connection.prepare_cached(SELECT_OLDER_PLACES)?;
    let mut places: Vec<Place> =
        older.query_map(keys, |row| place(row, 0))?.collect::<rusqlite::Result<_>>()?;
    if let Err(position) = places.binary_search(&newest) {
        places.insert(position, newest);
    }
    Ok(places)
}

/// Gives what was read of updates all its [`places`], where it has that of the newest report alone:
/// by keys, and by where it is in the list.
pub(super) fn complete<T>(
    connection: &Connection,
    listed: &mut [T],
    mut incomplete: Vec<(Keys, usize)>,
    places_of: impl Fn(&mut T) -> &mut Vec<Place>,
) -> rusqlite::Result<()> {
    // In the order of the index, each page of it is read once.
    incomplete.sort_unstable();
    for (keys, index) in incomplete {
        let known = places_of(&mut listed[index]);
        *known = places(connection, keys, known.remove(0))?;
    }
    Ok(())
}

/// How many [`places`] there are, and the first.
pub(super) fn whereabouts(
    connection: &Connection,
    keys: Keys,
    newest: Place,
) -> rusqlite::Result<Whereabouts> {
    let places = places(connection, keys, newest.clone())?;
    Ok(Whereabouts { count: places.len(), first: places.into_iter().next().unwrap_or(newest) })
}

/// Those of an image and a digest.
pub(super) type Keys = (i64, i64);

/// The 64 bits that stand for an image or a digest in the key of `older_reports`: SipHash-1-3 with
/// a zero key, as SQLite's signed integer. Databases hold them, so they never change.
pub(super) fn key(text: &str) -> i64 {
    let mut hasher = SipHasher13::new();
    hasher.write(text.as_bytes());
    hasher.finish().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_never_change() {
        assert_eq!(key(""), -3_315_872_660_926_475_476);
        assert_eq!(key("docker.io/library/nginx:1.27"), -3_093_289_436_704_775_810);
    }
}
