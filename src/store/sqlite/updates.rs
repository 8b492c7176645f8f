//! Reading updates, and acknowledging them.

use rusqlite::{Connection, OptionalExtension, Row};

use super::reports::{self, columns, is_ours, key};
use super::row::{created, metadata, received, tag, text, time};
use crate::event::{Event, Metadata};
use crate::store::{Counts, Place, State, Update};

const SELECT: &str = "
    SELECT u.image, u.diun_version, u.hostname, u.status, u.provider, u.hub_link, u.mime_type,
        u.digest, u.created, u.platform, u.ctn_name, u.ctn_id, u.ctn_state, u.ctn_status,
        u.received_at, u.acknowledged_at, u.metadata, u.workload, u.last_seen, t.id, t.name";

/// Updates with their tags.
pub(super) const FROM: &str = "
    FROM updates u
    LEFT JOIN tag_assignments a ON a.image = u.image
    LEFT JOIN tags t ON t.id = a.tag_id";

pub(super) fn list(connection: &Connection, state: State) -> rusqlite::Result<Vec<Update>> {
    let mut updates: Vec<Update> = connection
        .prepare_cached(&format!("{SELECT} {FROM} {}", condition(state)))?
        .query_map([], update)?
        .collect::<rusqlite::Result<_>>()?;
    add_places(connection, &mut updates)?;
    Ok(updates)
}

/// What a state means in SQL.
pub(super) fn condition(state: State) -> &'static str {
    match state {
        State::Pending => "WHERE u.acknowledged_at IS NULL",
        State::Acknowledged => "WHERE u.acknowledged_at IS NOT NULL",
        State::All => "",
    }
}

fn add_places(connection: &Connection, updates: &mut [Update]) -> rusqlite::Result<()> {
    let known = updates.iter_mut().map(|update| {
        let event = &update.event;
        ((key(&event.image), key(&event.digest)), &mut update.places)
    });
    reports::add_places(connection, known.collect())
}

pub(super) fn get(connection: &Connection, image: &str) -> rusqlite::Result<Option<Update>> {
    let mut update = connection
        .prepare_cached(&format!("{SELECT} {FROM} WHERE u.image = ?1"))?
        .query_row([image], update)
        .optional()?;
    add_places(connection, update.as_mut_slice())?;
    Ok(update)
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
        Ok(Counts {
            pending: row.get(0)?,
            acknowledged: row.get(1)?,
            oldest_pending: time(row, 2)?,
            newest_pending: time(row, 3)?,
        })
    })
}

/// An update with the place of its newest report alone.
fn update(row: &Row<'_>) -> rusqlite::Result<Update> {
    let received_at = received(&text(row, 14)?);
    let mut event = event(row)?;
    let workload = if is_ours(received_at, row.get(18)?) {
        event.metadata = metadata(&text(row, 16)?);
        text(row, 17)?
    } else {
        event.metadata = columns(&event.provider, row, 10)?;
        event.workload()
    };
    let newest =
        Place { hostname: event.hostname.clone(), provider: event.provider.clone(), workload };
    let (acknowledged_at, tag) = (time(row, 15)?, tag(row, 19)?);
    Ok(Update { event, received_at, acknowledged_at, tag, places: vec![newest] })
}

/// The event, but for its metadata.
fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        image: text(row, 0)?,
        diun_version: text(row, 1)?,
        hostname: text(row, 2)?,
        status: text(row, 3)?,
        provider: text(row, 4)?,
        hub_link: text(row, 5)?,
        mime_type: text(row, 6)?,
        digest: text(row, 7)?,
        created: created(row, 8)?,
        platform: text(row, 9)?,
        metadata: Metadata::new(),
    })
}
