//! Reading updates and reports, and acknowledging.

use chrono::{DateTime, NaiveDateTime, Utc};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use super::events::{Container, key};
use crate::event::{Event, Metadata, parse_created};
use crate::store::{Counts, Place, Report, State, Tag, Update};

const SELECT: &str = "
    SELECT u.image, u.diun_version, u.hostname, u.status, u.provider, u.hub_link, u.mime_type,
        u.digest, u.created, u.platform, u.ctn_name, u.ctn_id, u.ctn_state, u.ctn_status,
        u.received_at, u.acknowledged_at, u.metadata, t.id, t.name
    FROM updates u
    LEFT JOIN tag_assignments a ON a.image = u.image
    LEFT JOIN tags t ON t.id = a.tag_id";

const SELECT_PLACES: &str = "
    SELECT hostname, provider, workload FROM reports WHERE image_key = ?1 AND digest_key = ?2
    ORDER BY hostname, provider, workload";

pub(super) fn list(connection: &Connection, state: State) -> rusqlite::Result<Vec<Update>> {
    let filter = match state {
        State::Pending => "WHERE u.acknowledged_at IS NULL",
        State::Acknowledged => "WHERE u.acknowledged_at IS NOT NULL",
        State::All => "",
    };
    let mut updates = connection.prepare_cached(&format!("{SELECT} {filter}"))?;
    let mut places = connection.prepare_cached(SELECT_PLACES)?;
    updates.query_map([], |row| update(row, &mut places))?.collect()
}

pub(super) fn get(connection: &Connection, image: &str) -> rusqlite::Result<Option<Update>> {
    let mut places = connection.prepare_cached(SELECT_PLACES)?;
    connection
        .prepare_cached(&format!("{SELECT} WHERE u.image = ?1"))?
        .query_row([image], |row| update(row, &mut places))
        .optional()
}

pub(super) fn reports(connection: &Connection, image: &str) -> rusqlite::Result<Vec<Report>> {
    let sql = "
        SELECT r.digest, r.hostname, r.provider, r.workload, r.status, r.metadata, r.first_seen,
            r.last_seen, r.times
        FROM reports r LEFT JOIN updates u ON u.image = r.image
        WHERE r.image_key = ?1 AND r.image = ?2
        ORDER BY r.digest IS u.digest DESC,
            max(r.last_seen) OVER (PARTITION BY r.digest) DESC, r.digest,
            r.hostname, r.provider, r.workload";
    connection
        .prepare_cached(sql)?
        .query_map(params![key(image), image], |row| {
            Ok(Report {
                digest: text(row, 0)?,
                place: place(row, 1)?,
                status: text(row, 4)?,
                metadata: metadata(&text(row, 5)?),
                first_seen: DateTime::from_timestamp_millis(row.get(6)?).unwrap_or_default(),
                last_seen: DateTime::from_timestamp_millis(row.get(7)?).unwrap_or_default(),
                times: row.get(8)?,
            })
        })?
        .collect()
}

pub(super) fn acknowledge(connection: &Connection, image: &str) -> rusqlite::Result<bool> {
    let sql = "UPDATE updates SET acknowledged_at = datetime('now') WHERE image = ?1";
    Ok(connection.prepare_cached(sql)?.execute([image])? > 0)
}

pub(super) fn count(connection: &Connection) -> rusqlite::Result<Counts> {
    let sql = "
        SELECT count(*) FILTER (WHERE acknowledged_at IS NULL), count(acknowledged_at),
            min(received_at) FILTER (WHERE acknowledged_at IS NULL),
            max(received_at) FILTER (WHERE acknowledged_at IS NULL)
        FROM updates";
    connection.prepare_cached(sql)?.query_row([], |row| {
        let time = |index| {
            let text: Option<String> = row.get(index)?;
            Ok::<_, rusqlite::Error>(text.as_deref().map(received))
        };
        Ok(Counts {
            pending: row.get(0)?,
            acknowledged: row.get(1)?,
            oldest_pending: time(2)?,
            newest_pending: time(3)?,
        })
    })
}

/// A text as it is. Other programs may have left a number or bytes that are not UTF-8 there.
pub(super) fn text(row: &Row<'_>, index: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    })
}

fn update(row: &Row<'_>, places: &mut CachedStatement<'_>) -> rusqlite::Result<Update> {
    let event = event(row)?;
    let keys = params![key(&event.image), key(&event.digest)];
    let mut places: Vec<Place> =
        places.query_map(keys, |row| place(row, 0))?.collect::<rusqlite::Result<_>>()?;
    if places.is_empty() {
        // The update is from before there were reports, or another program's.
        places.push(Place {
            hostname: event.hostname.clone(),
            provider: event.provider.clone(),
            workload: event.workload(),
        });
    }
    let tag = match row.get(17)? {
        Some(id) => Some(Tag { id, name: text(row, 18)? }),
        None => None,
    };
    let acknowledged_at: Option<String> = row.get(15)?;
    Ok(Update {
        event,
        received_at: received(&text(row, 14)?),
        acknowledged_at: acknowledged_at.as_deref().map(received),
        tag,
        places,
    })
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let created = text(row, 8)?;
    let mut event = Event {
        image: text(row, 0)?,
        diun_version: text(row, 1)?,
        hostname: text(row, 2)?,
        status: text(row, 3)?,
        provider: text(row, 4)?,
        hub_link: text(row, 5)?,
        mime_type: text(row, 6)?,
        digest: text(row, 7)?,
        created: matches!(parse_created(&created), Ok(Some(_))).then_some(created),
        platform: text(row, 9)?,
        metadata: metadata(&text(row, 16)?),
    };
    let (name, id, state, status) =
        (text(row, 10)?, text(row, 11)?, text(row, 12)?, text(row, 13)?);
    let columns = Container { name: &name, id: &id, state: &state, status: &status };
    if Container::of(&event) != columns {
        // Another program wrote this event over ours, and its metadata is in these columns alone.
        let name_key = if event.provider == "docker" { "ctn_names" } else { "ctn_name" };
        event.metadata =
            [(name_key, name), ("ctn_id", id), ("ctn_state", state), ("ctn_status", status)]
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(key, value)| (key.to_owned(), value))
                .collect();
    }
    Ok(event)
}

fn place(row: &Row<'_>, first: usize) -> rusqlite::Result<Place> {
    Ok(Place {
        hostname: text(row, first)?,
        provider: text(row, first + 1)?,
        workload: text(row, first + 2)?,
    })
}

fn metadata(json: &str) -> Metadata {
    serde_json::from_str(json).unwrap_or_default()
}

/// A time as RFC 3339 or as SQLite's `datetime()` writes it. One that cannot be read counts as the
/// oldest, so that the row it is in still shows.
fn received(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .or_else(|_| {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").map(|time| time.and_utc())
        })
        .unwrap_or(DateTime::UNIX_EPOCH)
}
