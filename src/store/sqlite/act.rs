//! Applying actions, and recording them.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Result, params};
use serde_json::json;

use super::query::updates;
use super::upsert::{close_if_done, next_change};
use crate::inbox::action::{Action, Kind, Left, Reason, Receipt};
use crate::inbox::query::Wanted;
use crate::inbox::update::{State, Update};

pub(super) fn apply(connection: &Connection, action: &Action) -> Result<Receipt> {
    let mut query = action.query.clone();
    query.details = false;
    let mut receipt = Receipt::default();
    let mut change = next_change(connection)?;
    let names = query.images.iter().filter_map(|wanted| match wanted {
        Wanted::Exact(name, digest) => Some((name.as_str(), digest.as_deref())),
        Wanted::Pattern(_) => None,
    });
    let mut names: HashMap<&str, Option<&str>> = names.collect();
    for update in &updates(connection, &query)? {
        let image = &update.event.image;
        let left = |reason| Left { image: image.clone(), reason };
        let expected = names.remove(image.as_str()).flatten();
        match verdict(action, update, expected) {
            Verdict::Left(reason) => receipt.left.push(left(reason)),
            Verdict::Done => receipt.images.push(image.clone()),
            Verdict::Take => {
                let id = match receipt.id {
                    Some(id) => id,
                    None => *receipt.id.insert(record(connection, action)?),
                };
                keep(connection, id, update)?;
                match action.kind {
                    Kind::Acknowledge if !action.hosts.is_empty() => {
                        at_hosts(connection, action, update)?;
                    }
                    Kind::Acknowledge => acknowledge(connection, action, update)?,
                    Kind::Reopen => reopen(connection, update)?,
                }
                let sql = "UPDATE updates SET changed = ?2, note = ?3 WHERE image = ?1";
                connection.prepare_cached(sql)?.execute(params![image, change, action.note])?;
                change += 1;
                receipt.images.push(image.clone());
            }
        }
    }
    let mut missing: Vec<&str> = names.into_keys().collect();
    missing.sort_unstable();
    let left = |image: &str| Left { image: image.to_owned(), reason: Reason::Missing };
    receipt.left.extend(missing.into_iter().map(left));
    Ok(receipt)
}

/// What becomes of one update.
enum Verdict {
    /// It is changed.
    Take,
    /// It is as the action asks already.
    Done,
    Left(Reason),
}

fn verdict(action: &Action, update: &Update, expected: Option<&str>) -> Verdict {
    let digest = &update.event.digest;
    if expected.is_some_and(|expected| expected != digest) {
        return Verdict::Left(Reason::Digest(digest.clone()));
    }
    let is_at = |hosts: &[String]| {
        hosts.is_empty() || update.places.iter().any(|place| hosts.contains(&place.hostname))
    };
    match (action.kind, update.state) {
        (_, State::Ignored) => Verdict::Left(Reason::Ignored),
        (_, _) if !is_at(&action.hosts) => Verdict::Left(Reason::NoPlace),
        (Kind::Acknowledge, State::Acknowledged) => Verdict::Done,
        (Kind::Acknowledge, _) if !action.hosts.is_empty() => {
            let mut needed = update.needed();
            let is_needed = needed.any(|place| action.hosts.contains(&place.hostname));
            if is_needed { Verdict::Take } else { Verdict::Done }
        }
        (Kind::Acknowledge, _) | (Kind::Reopen, State::Acknowledged | State::Snoozed) => {
            Verdict::Take
        }
        (Kind::Reopen, _) => Verdict::Left(Reason::Pending),
    }
}

fn acknowledge(connection: &Connection, action: &Action, update: &Update) -> Result<()> {
    let sql = "UPDATE updates SET acknowledged_at = datetime(?2 / 1000, 'unixepoch'),
        acknowledged_digest = digest, acknowledged_by = 'person', snoozed_until = NULL WHERE image = ?1";
    let at = action.query.now.timestamp_millis();
    connection.prepare_cached(sql)?.execute(params![update.event.image, at]).map(drop)
}

/// Acknowledges the places on some hosts, and with the last of them the update.
fn at_hosts(connection: &Connection, action: &Action, update: &Update) -> Result<()> {
    let image = &update.event.image;
    let sql =
        "UPDATE places SET done_digest = ?3, done_by = 'person' WHERE image = ?1 AND hostname = ?2";
    for host in &action.hosts {
        connection.prepare_cached(sql)?.execute([image, host, &update.event.digest])?;
    }
    // Some places have moved on: going back to the digest that was acknowledged before is news.
    let sql = "UPDATE updates SET acknowledged_digest = NULL WHERE image = ?1
        AND acknowledged_digest IS DISTINCT FROM digest";
    connection.prepare_cached(sql)?.execute([image])?;
    close_if_done(connection, image, action.query.now.timestamp_millis()).map(drop)
}

fn reopen(connection: &Connection, update: &Update) -> Result<()> {
    let image = &update.event.image;
    let sql = "UPDATE updates SET acknowledged_at = NULL, acknowledged_digest = NULL,
        acknowledged_by = NULL, snoozed_until = NULL WHERE image = ?1";
    connection.prepare_cached(sql)?.execute([image])?;
    let sql = "UPDATE places SET done_digest = NULL, done_by = NULL WHERE image = ?1";
    connection.prepare_cached(sql)?.execute([image]).map(drop)
}

/// Records an action. Returns its number.
fn record(connection: &Connection, action: &Action) -> Result<i64> {
    let sql = "INSERT INTO actions (at, kind, origin, note) VALUES (?1, ?2, ?3, ?4)";
    let at = action.query.now.timestamp_millis();
    connection.execute(sql, params![at, action.kind.name(), action.origin.name(), action.note])?;
    Ok(connection.last_insert_rowid())
}

/// Records what an image's row and places hold before the action changes them.
fn keep(connection: &Connection, action: i64, update: &Update) -> Result<()> {
    let image = &update.event.image;
    let sql = "SELECT acknowledged_at, acknowledged_digest, acknowledged_by, snoozed_until, note
        FROM updates WHERE image = ?1";
    let row = |row: &rusqlite::Row<'_>| {
        let [at, digest, by] = [0, 1, 2].map(|column| row.get::<_, Option<String>>(column));
        let (until, note) = (row.get::<_, Option<i64>>(3)?, row.get::<_, Option<String>>(4)?);
        Ok(json!({
            "acknowledged_at": at?, "acknowledged_digest": digest?, "acknowledged_by": by?,
            "snoozed_until": until, "note": note,
        }))
    };
    let before = connection.prepare_cached(sql)?.query_row([image], row).optional()?;
    let mut before = before.unwrap_or_default();
    let sql = "SELECT hostname, provider, workload, done_digest, done_by FROM places
        WHERE image = ?1 AND done_digest IS NOT NULL";
    before["done"] = connection
        .prepare_cached(sql)?
        .query_map([image], |row| {
            let [host, provider, workload] = [0, 1, 2].map(|column| row.get::<_, String>(column));
            let [digest, by] = [3, 4].map(|column| row.get::<_, Option<String>>(column));
            Ok(json!([host?, provider?, workload?, digest?, by?]))
        })?
        .collect::<Result<Vec<_>>>()?
        .into();
    let sql = "INSERT INTO action_images VALUES (?1, ?2, ?3, ?4)";
    let values = params![action, image, update.event.digest, before.to_string()];
    connection.prepare_cached(sql)?.execute(values).map(drop)
}
