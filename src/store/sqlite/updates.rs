//! Reading updates, and acknowledging them.

use rusqlite::{Connection, OptionalExtension, Row, Rows, params};

use super::reports::{Keys, columns, complete, is_ours, key, places};
use super::row::{created, metadata, received, tag, text, time};
use crate::event::{Event, Metadata};
use crate::store::{Counts, Place, State, Update};

const SELECT: &str = "
    SELECT u.image, u.diun_version, u.hostname, u.status, u.provider, u.hub_link, u.mime_type,
        u.digest, u.created, u.platform, u.ctn_name, u.ctn_id, u.ctn_state, u.ctn_status,
        u.received_at, u.acknowledged_at, u.metadata, u.workload, u.last_seen, t.id, t.name, u.places";

/// A page of updates ends when their metadata has this many bytes.
const PAGE_BYTES: usize = 64 * 1024;

/// Updates with their tags.
pub(super) const FROM: &str = "
    FROM updates u
    LEFT JOIN tag_assignments a ON a.image = u.image
    LEFT JOIN tags t ON t.id = a.tag_id";

pub(super) fn list(connection: &Connection, state: State) -> rusqlite::Result<Vec<Update>> {
    let mut select = connection.prepare_cached(&format!("{SELECT} {FROM} {}", condition(state)))?;
    collect(connection, select.query([])?, usize::MAX)
}

/// At most `most` updates whose image sorts after this one, ordered by image.
pub(super) fn after(
    connection: &Connection,
    state: State,
    image: &str,
    most: usize,
) -> rusqlite::Result<Vec<Update>> {
    let condition = match state {
        State::All => "WHERE",
        state => &format!("{} AND", condition(state)),
    };
    let sql = format!("{SELECT} {FROM} {condition} u.image > ?1 ORDER BY u.image LIMIT ?2");
    let mut select = connection.prepare_cached(&sql)?;
    collect(connection, select.query(params![image, most])?, PAGE_BYTES)
}

/// The updates of some rows, until their metadata has this many bytes.
fn collect(
    connection: &Connection,
    mut rows: Rows<'_>,
    most_bytes: usize,
) -> rusqlite::Result<Vec<Update>> {
    let (mut updates, mut incomplete, mut bytes) = (Vec::new(), Vec::new(), 0);
    while bytes < most_bytes
        && let Some(row) = rows.next()?
    {
        let (update, is_complete) = update(row)?;
        if !is_complete {
            incomplete.push((keys(&update), updates.len()));
        }
        let metadata = update.event.metadata.iter();
        bytes += metadata.map(|(name, value)| name.len() + value.len()).sum::<usize>();
        updates.push(update);
    }
    complete(connection, &mut updates, incomplete, |update: &mut Update| &mut update.places)?;
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

pub(super) fn get(connection: &Connection, image: &str) -> rusqlite::Result<Option<Update>> {
    let mut select = connection.prepare_cached(&format!("{SELECT} {FROM} WHERE u.image = ?1"))?;
    let Some((mut update, is_complete)) = select.query_row([image], update).optional()? else {
        return Ok(None);
    };
    if !is_complete {
        update.places = places(connection, keys(&update), update.places.remove(0))?;
    }
    Ok(Some(update))
}

fn keys(update: &Update) -> Keys {
    (key(&update.event.image), key(&update.event.digest))
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

/// An update with the place of its newest report alone, and whether there are no others.
fn update(row: &Row<'_>) -> rusqlite::Result<(Update, bool)> {
    let received_at = received(&text(row, 14)?);
    let mut event = event(row)?;
    let is_ours = is_ours(received_at, row.get(18)?);
    let workload = if is_ours {
        event.metadata = metadata(&text(row, 16)?);
        text(row, 17)?
    } else {
        event.metadata = columns(&event.provider, row, 10)?;
        event.workload()
    };
    let is_complete = is_ours && row.get::<_, usize>(21)? == 1;
    let newest =
        Place { hostname: event.hostname.clone(), provider: event.provider.clone(), workload };
    let (acknowledged_at, tag) = (time(row, 15)?, tag(row, 19)?);
    let update = Update { event, received_at, acknowledged_at, tag, places: vec![newest] };
    Ok((update, is_complete))
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
