//! The rules of what an event changes.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::arrival::{Arrival, COLUMNS};
use super::hosts;
use super::ignores;
use super::lines::Lines;
use super::query::last_change;
use super::row::text;
use super::selection::NEEDED;
use crate::event::parse_created;
use crate::image::{ImagePattern, pinned_digest};
use crate::inbox::received::Received;

/// Stores events in order. Returns the lines that are to be folded again.
pub(in crate::store) fn events(connection: &Connection, received: &[Received]) -> Result<Lines> {
    let ignored = ignores::patterns(connection)?;
    let mut touched = Lines::default();
    for (change, received) in (next_change(connection)?..).zip(received) {
        let arrival = Arrival::new(received, change);
        match one(connection, &arrival, received.is_replayed, &ignored)? {
            Touched::Nothing => {}
            Touched::Added => {
                if let Some(standing) = arrival.standing() {
                    touched.added(standing.line.clone(), &received.event.image);
                }
            }
            Touched::Changed => touched.changed(arrival.settle(connection)?),
        }
    }
    hosts::heard_from(connection, received)?;
    Ok(touched)
}

/// The number of the next change to any update.
pub(in crate::store) fn next_change(connection: &Connection) -> Result<i64> {
    last_change(connection).map(|last| last + 1)
}

/// The row of the update before the event.
struct Current {
    digest: String,
    created: String,
    platform: String,
    received: i64,
    since: i64,
    is_acknowledged: bool,
    acknowledged_digest: Option<String>,
}

/// The effect of an event on the image's line.
enum Touched {
    Nothing,
    /// The image is new.
    Added,
    Changed,
}

/// Stores an event.
fn one(
    connection: &Connection,
    arrival: &Arrival<'_>,
    is_replayed: bool,
    ignored: &[ImagePattern],
) -> Result<Touched> {
    let event = arrival.event;
    let Some(current) = current(connection, &event.image)? else {
        let is_ignored = ignored.iter().any(|pattern| pattern.matches(&event.image));
        arrival.insert(connection, is_ignored)?;
        arrival.report(connection, false)?;
        close_pinned(connection, arrival)?;
        return Ok(Touched::Added);
    };
    let known = arrival.known(connection)?;
    // A repeat changes only the order of pinned digests. An event without a digest can reopen the update.
    let is_repeat = event.digest == current.digest
        && arrival.created() == current.created
        && known.is_some()
        && !current.is_acknowledged;
    let is_touched = !is_repeat || pinned_digest(&event.image).is_some();
    let touched = if is_touched { Touched::Changed } else { Touched::Nothing };
    // Replayed events have whole seconds.
    if is_replayed && arrival.at / 1_000 < current.received / 1_000 {
        // An event from the past only adds its place and its digest.
        if event.digest != current.digest {
            remember(
                connection,
                &event.image,
                &event.digest,
                arrival.created(),
                &event.platform,
                [arrival.at; 2],
            )?;
        }
        if known.is_none() {
            arrival.report(connection, false)?;
        }
        return Ok(touched);
    }
    if event.digest == current.digest && !event.digest.is_empty() {
        repeat(connection, arrival, &current, known.is_some())?;
    } else if is_echo(connection, arrival, &current, known.as_deref())? {
        arrival.report(connection, known.is_some())?;
    } else {
        replace(connection, arrival, &current)?;
        arrival.report(connection, known.is_some())?;
        close_running(connection, arrival)?;
    }
    close_pinned(connection, arrival)?;
    Ok(touched)
}

fn current(connection: &Connection, image: &str) -> Result<Option<Current>> {
    let sql = "SELECT digest, created, platform, received, since, acknowledged_at IS NOT NULL,
        acknowledged_digest FROM updates WHERE image = ?1";
    let row = |row: &rusqlite::Row<'_>| {
        Ok(Current {
            digest: text(row, 0)?,
            created: text(row, 1)?,
            platform: text(row, 2)?,
            received: row.get(3)?,
            since: row.get(4)?,
            is_acknowledged: row.get(5)?,
            acknowledged_digest: row.get(6)?,
        })
    };
    connection.prepare_cached(sql)?.query_row([image], row).optional()
}

/// Handles the current digest, reported again. The update reopens only if the place is new here and the event's
/// status is `update`, and then for that place alone.
fn repeat(
    connection: &Connection,
    arrival: &Arrival<'_>,
    current: &Current,
    is_known: bool,
) -> Result<()> {
    let image = arrival.event.image.as_str();
    if current.is_acknowledged && !is_known {
        let sql = "UPDATE places SET done_digest = ?2, done_by = 'person'
            WHERE image = ?1 AND done_digest IS DISTINCT FROM ?2";
        connection.prepare_cached(sql)?.execute(params![image, current.digest])?;
    }
    let sql = format!("UPDATE updates SET {COLUMNS} WHERE image = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    arrival.bind(&mut statement)?;
    statement.raw_execute()?;
    arrival.report(connection, is_known)?;
    if current.is_acknowledged && !is_known {
        if arrival.event.status == "update" {
            return reopen(connection, image);
        }
        return arrival.done(connection, "person");
    }
    Ok(())
}

/// Removes the acknowledgement of an update.
pub(in crate::store) fn reopen(connection: &Connection, image: &str) -> Result<()> {
    let sql = "UPDATE updates SET acknowledged_at = NULL, acknowledged_digest = NULL,
        acknowledged_by = NULL WHERE image = ?1";
    connection.prepare_cached(sql)?.execute([image]).map(drop)
}

/// Whether the event reports an earlier digest that is not news, as a mirror, a Diun that lags or a replayed log
/// does. It is news if the place had the current digest or if the image was built later: the registry went back.
fn is_echo(
    connection: &Connection,
    arrival: &Arrival<'_>,
    current: &Current,
    known: Option<&str>,
) -> Result<bool> {
    let event = arrival.event;
    if event.digest.is_empty() || known == Some(current.digest.as_str()) {
        return Ok(false);
    }
    let time = |text: &str| parse_created(text).ok().flatten();
    let is_later = match (event.created.as_deref().and_then(time), time(&current.created)) {
        (Some(event), Some(current)) => event > current,
        _ => false,
    };
    let sql = "SELECT EXISTS (SELECT 1 FROM digests WHERE image = ?1 AND digest = ?2)";
    let mut select = connection.prepare_cached(sql)?;
    Ok(!is_later && select.query_row([&event.image, &event.digest], |row| row.get(0))?)
}

/// Replaces the current digest by another one, or by none.
fn replace(connection: &Connection, arrival: &Arrival<'_>, current: &Current) -> Result<()> {
    let event = arrival.event;
    let is_another = event.digest != current.digest;
    if is_another && !current.digest.is_empty() {
        let seen = [current.since, current.received];
        remember(
            connection,
            &event.image,
            &current.digest,
            &current.created,
            &current.platform,
            seen,
        )?;
        let sql = "DELETE FROM digests WHERE image = ?1 AND digest = ?2";
        connection.prepare_cached(sql)?.execute([&event.image, &event.digest])?;
    }
    if event.digest.is_empty() {
        // Without a digest a place cannot be known to be done.
        let sql = "UPDATE places SET done_digest = NULL, done_by = NULL WHERE image = ?1
            AND hostname = ?2 AND provider = ?3 AND workload = ?4";
        connection.prepare_cached(sql)?.execute(arrival.key())?;
    }
    // The digest that was acknowledged last is acknowledged again.
    let is_dealt_with = !event.digest.is_empty()
        && current.acknowledged_digest.as_deref() == Some(event.digest.as_str());
    let sql = format!(
        "UPDATE updates SET {COLUMNS}, since = CASE WHEN ?19 THEN ?17 ELSE since END,
            acknowledged_at = CASE WHEN ?20 THEN coalesce(acknowledged_at, datetime(?17 / 1000, 'unixepoch')) END
        WHERE image = ?1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    arrival.bind(&mut statement)?;
    statement.raw_bind_parameter(19, is_another)?;
    statement.raw_bind_parameter(20, is_dealt_with)?;
    statement.raw_execute().map(drop)
}

/// Stores a digest that is not the current one.
fn remember(
    connection: &Connection,
    image: &str,
    digest: &str,
    created: &str,
    platform: &str,
    [first, last]: [i64; 2],
) -> Result<()> {
    if digest.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO digests VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (image, digest)
        DO UPDATE SET first_seen = min(first_seen, ?5), last_seen = max(last_seen, ?6)";
    let values = params![image, digest, created, platform, first, last];
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

/// Marks the places as done that were already seen running this digest.
fn close_running(connection: &Connection, arrival: &Arrival<'_>) -> Result<()> {
    let event = arrival.event;
    if event.digest.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE places SET done_digest = ?2, done_by = 'reconcile' WHERE image = ?1
        AND running IS NOT NULL AND refused IS NULL AND EXISTS (SELECT 1 FROM json_each(running) WHERE value = ?2)";
    if connection.prepare_cached(sql)?.execute([&event.image, &event.digest])? > 0 {
        close_if_done(connection, &event.image, arrival.at)?;
    }
    Ok(())
}

/// Marks the place as done if the image's name contains the digest: the place runs it already.
fn close_pinned(connection: &Connection, arrival: &Arrival<'_>) -> Result<()> {
    let event = arrival.event;
    if event.digest.is_empty() || pinned_digest(&event.image) != Some(event.digest.as_str()) {
        return Ok(());
    }
    arrival.done(connection, "name")?;
    close_if_done(connection, &event.image, arrival.at)?;
    Ok(())
}

/// Acknowledges an update that no place needs any more. Returns whether it did.
pub(in crate::store) fn close_if_done(
    connection: &Connection,
    image: &str,
    at: i64,
) -> Result<bool> {
    let sql = format!(
        "UPDATE updates AS u SET acknowledged_at = datetime(?2 / 1000, 'unixepoch'),
            acknowledged_digest = digest, acknowledged_by = 'places', snoozed_until = NULL
        WHERE image = ?1 AND acknowledged_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM places p WHERE p.image = u.image AND {NEEDED})"
    );
    Ok(connection.prepare_cached(&sql)?.execute(params![image, at])? > 0)
}
