//! Reads updates, digests and counts.

use chrono::{DateTime, Utc};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Result, Row, params_from_iter};

use super::labels;
use super::lines;
use super::row::{created, metadata, parse_time, text, time, time_or_null};
use super::selection::{Dialect, Selection, TAG, condition};
use crate::event::Event;
use crate::inbox::labels::Labels;
use crate::inbox::query::{Detail, Query};
use crate::inbox::seen::Verdict;
use crate::inbox::update::{Counts, Digest, Place, Runs, State, Tag, Update};
use crate::inbox::version::Change;

pub(in crate::store) fn updates(connection: &Connection, query: &Query) -> Result<Vec<Update>> {
    // A table needs few columns, and reading the others takes most of the time.
    let details = if query.detail == Detail::Full {
        ", u.diun_version, u.hostname, u.provider, u.mime_type, u.created, u.platform, u.metadata"
    } else {
        ""
    };
    let Selection { sql, values, .. } = Selection::new(query, Dialect::Sqlite);
    let sql = format!(
        "SELECT u.image, u.status, u.hub_link, u.digest, u.received, u.since, u.acknowledged_at,
            u.ignored, u.superseded_from, u.snoozed_until, u.note,
            u.changed, u.older,
            (SELECT t.id || ' ' || t.name {TAG}) {details} {sql}"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let is_full = query.detail == Detail::Full;
    let mut places = places(connection, is_full)?;
    let mut rows = select.query(params_from_iter(values))?;
    let mut updates = Vec::new();
    while let Some(row) = rows.next()? {
        let mut update = update(row, query)?;
        read_places(&mut places, &mut update, is_full)?;
        if update.state == State::Pending {
            // Only the full detail names them, and most updates have none.
            let older = row.get::<_, Option<u64>>(12)?;
            if older.is_none() || older > Some(0) && is_full {
                let now = query.now.timestamp_millis();
                update.supersedes = lines::older(connection, &update, now)?;
            }
            update.older = older.unwrap_or(update.supersedes.len() as u64);
        }
        if is_full {
            update.labels = labels::of(connection, &update.event.image, &update.event.digest)?;
        }
        if query.detail >= Detail::Item {
            (update.change, update.previous) = lines::change(connection, &update)?;
        }
        updates.push(update);
    }
    Ok(updates)
}

pub(in crate::store) fn images(connection: &Connection, query: &Query) -> Result<Vec<String>> {
    let Selection { sql, values, .. } = Selection::new(query, Dialect::Sqlite);
    let mut select = connection.prepare_cached(&format!("SELECT u.image {sql}"))?;
    select.query_map(params_from_iter(values), |row| text(row, 0))?.collect()
}

/// An update without its places.
fn update(row: &Row<'_>, query: &Query) -> Result<Update> {
    let is_null = |column: usize| row.get_ref(column).map(|value| value == ValueRef::Null);
    let acknowledged_at = if is_null(6)? { None } else { Some(parse_time(&text(row, 6)?)) };
    let snoozed_until = if is_null(9)? { None } else { Some(time(row, 9)?) };
    let state = if row.get::<_, i64>(7)? != 0 {
        State::Ignored
    } else if acknowledged_at.is_some() {
        State::Acknowledged
    } else if row.get::<_, Option<i64>>(8)?.is_some_and(|from| from <= query.now.timestamp_millis())
    {
        State::Superseded
    } else if snoozed_until.is_some_and(|until| until > query.now) {
        State::Snoozed
    } else {
        State::Pending
    };
    let tag = text(row, 13)?;
    let tag = tag
        .split_once(' ')
        .and_then(|(id, name)| Some(Tag { id: id.parse().ok()?, name: name.to_owned() }));
    let mut event = Event {
        image: text(row, 0)?,
        status: text(row, 1)?,
        hub_link: text(row, 2)?,
        digest: text(row, 3)?,
        ..Event::default()
    };
    if query.detail == Detail::Full {
        event.diun_version = text(row, 14)?;
        event.hostname = text(row, 15)?;
        event.provider = text(row, 16)?;
        event.mime_type = text(row, 17)?;
        event.created = created(row, 18)?;
        event.platform = text(row, 19)?;
        event.metadata = metadata(&text(row, 20)?);
    }
    Ok(Update {
        event,
        received_at: time(row, 4)?,
        since: time(row, 5)?,
        state,
        acknowledged_at,
        snoozed_until,
        note: row.get(10)?,
        changed: row.get(11)?,
        tag,
        places: Vec::new(),
        older: 0,
        supersedes: Vec::new(),
        change: Change::default(),
        previous: None,
        labels: Labels::default(),
    })
}

/// Reads the places of an image, and whether each is done with this digest.
fn places(connection: &Connection, details: bool) -> Result<CachedStatement<'_>> {
    let details = if details {
        ", digest, status, metadata, first_seen, last_seen, times, running, running_since,
            iif(compared = ?2, verdict, NULL)"
    } else {
        ""
    };
    connection.prepare_cached(&format!(
        "SELECT hostname, provider, workload, done_digest IS DISTINCT FROM ?2, done_by {details}
        FROM places WHERE image = ?1 ORDER BY hostname, provider, workload"
    ))
}

fn read_places(places: &mut CachedStatement<'_>, update: &mut Update, details: bool) -> Result<()> {
    let is_open = update.acknowledged_at.is_none();
    let mut rows = places.query([&update.event.image, &update.event.digest])?;
    while let Some(row) = rows.next()? {
        let mut place = Place {
            hostname: text(row, 0)?,
            provider: text(row, 1)?,
            workload: text(row, 2)?,
            is_needed: is_open && row.get(3)?,
            done_by: text(row, 4)?,
            ..Place::default()
        };
        place.is_needed &= !place.is_gone();
        if details {
            place.digest = text(row, 5)?;
            place.status = text(row, 6)?;
            place.metadata = metadata(&text(row, 7)?);
            place.first_seen = time(row, 8)?;
            place.last_seen = time(row, 9)?;
            place.times = row.get(10)?;
            place.runs = runs(row)?;
        }
        update.places.push(place);
    }
    // A place without a workload counts only while no place has one.
    if update.places.iter().any(|place| !place.workload.is_empty()) {
        for place in &mut update.places {
            place.is_needed &= !place.workload.is_empty();
        }
    }
    Ok(())
}

/// The digests that a place was last seen running.
fn runs(row: &Row<'_>) -> Result<Option<Runs>> {
    let Ok(digests) = serde_json::from_str(&text(row, 11)?) else { return Ok(None) };
    Ok(Some(Runs { digests, since: time(row, 12)?, verdict: Verdict::of(&text(row, 13)?) }))
}

pub(in crate::store) fn digests(connection: &Connection, image: &str) -> Result<Vec<Digest>> {
    let sql = "SELECT digest, created, platform, first_seen, last_seen FROM digests
        WHERE image = ?1 ORDER BY last_seen DESC, digest";
    connection
        .prepare_cached(sql)?
        .query_map([image], |row| {
            Ok(Digest {
                digest: text(row, 0)?,
                created: created(row, 1)?,
                platform: text(row, 2)?,
                first_seen: time(row, 3)?,
                last_seen: time(row, 4)?,
            })
        })?
        .collect()
}

/// Counts each state by its own small index. Acknowledged updates are all others.
pub(in crate::store) fn count(connection: &Connection, now: DateTime<Utc>) -> Result<Counts> {
    let now = now.timestamp_millis();
    let count = |condition: &str| -> Result<u64> {
        let sql = format!("SELECT count(*) FROM updates WHERE {condition}");
        connection.prepare_cached(&sql)?.query_row([now], |row| row.get(0))
    };
    // Without a condition SQLite counts the entries of its smallest index.
    let all: u64 = connection
        .prepare_cached("SELECT count(*) FROM updates")?
        .query_row([], |row| row.get(0))?;
    let of = |state| count(&format!("?1 = ?1 AND {}", condition(state)));
    let edge = |order: &str| -> Result<Option<DateTime<Utc>>> {
        let pending = condition(State::Pending);
        let sql =
            format!("SELECT since FROM updates WHERE {pending} ORDER BY since {order} LIMIT 1");
        let mut select = connection.prepare_cached(&sql)?;
        let mut rows = select.query([now])?;
        rows.next()?.map(|row| time(row, 0)).transpose()
    };
    let mut counts = Counts {
        pending: of(State::Pending)?,
        snoozed: of(State::Snoozed)?,
        superseded: of(State::Superseded)?,
        ignored: of(State::Ignored)?,
        oldest_pending: edge("ASC")?,
        newest_pending: edge("DESC")?,
        acknowledged: 0,
        as_of: last_change(connection)?,
    };
    let others = counts.pending + counts.snoozed + counts.superseded + counts.ignored;
    counts.acknowledged = all.saturating_sub(others);
    Ok(counts)
}

pub(in crate::store) fn last_change(connection: &Connection) -> Result<i64> {
    let sql = "SELECT max(coalesce((SELECT max(changed) FROM updates), 0), (SELECT changed FROM removed))";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

pub(in crate::store) fn next_snooze_end(
    connection: &Connection,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let snoozed = condition(State::Snoozed);
    let sql = format!("SELECT min(snoozed_until) FROM updates WHERE {snoozed}");
    let now = now.timestamp_millis();
    connection.prepare_cached(&sql)?.query_row([now], |row| time_or_null(row, 0))
}
