//! Records and reads actions.

use rusqlite::{Connection, Result, params};

use super::row::{text, time};
use crate::image::ImageName;
use crate::inbox::action::Stamp;
use crate::inbox::history::{Entry, NAMED, Page};

/// A recorded action, without its images.
#[derive(Clone, Copy)]
pub(in crate::store) struct Deed<'a> {
    pub(in crate::store) kind: &'a str,
    /// What it changes: state, tag or pattern.
    pub(in crate::store) about: &'a str,
    pub(in crate::store) detail: Option<&'a str>,
    /// The action that it takes back.
    pub(in crate::store) undoes: Option<i64>,
}

/// Records an action. Returns its number.
pub(in crate::store) fn record(
    connection: &Connection,
    deed: &Deed<'_>,
    stamp: &Stamp,
) -> Result<i64> {
    let sql = "INSERT INTO actions (at, kind, about, detail, origin, user, note, undoes)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let (at, origin) = (stamp.at.timestamp_millis(), stamp.origin.name());
    let Deed { kind, about, detail, undoes } = deed;
    connection
        .prepare_cached(sql)?
        .execute(params![at, kind, about, detail, origin, stamp.user, stamp.note, undoes])?;
    Ok(connection.last_insert_rowid())
}

/// The number of an action. It is recorded when its first image changes.
pub(in crate::store) fn once(
    id: &mut Option<i64>,
    record: impl FnOnce() -> Result<i64>,
) -> Result<i64> {
    match id {
        Some(id) => Ok(*id),
        None => Ok(*id.insert(record()?)),
    }
}

/// A page of actions, newest first.
pub(in crate::store) fn list(connection: &Connection, page: &Page) -> Result<Vec<Entry>> {
    let sql = "SELECT id, at, kind, detail, origin, user, note, undoes, undone_by,
            (SELECT count(*) FROM action_images i WHERE i.action = a.id)
        FROM actions a WHERE id < ?1 AND (?2 IS NULL
            OR id IN (SELECT action FROM action_images WHERE image = ?2))
        ORDER BY id DESC LIMIT ?3";
    let image = page.image.as_ref().map(ImageName::as_str);
    let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
    let mut select = connection.prepare_cached(sql)?;
    let entries =
        select.query_map(params![page.before.unwrap_or(i64::MAX), image, limit], |row| {
            Ok(Entry {
                id: row.get(0)?,
                at: time(row, 1)?,
                kind: text(row, 2)?,
                detail: row.get(3)?,
                origin: text(row, 4)?,
                user: text(row, 5)?,
                note: row.get(6)?,
                images: Vec::new(),
                count: row.get(9)?,
                undoes: row.get(7)?,
                undone_by: row.get(8)?,
            })
        })?;
    let sql = "SELECT image FROM action_images WHERE action = ?1 ORDER BY image LIMIT ?2";
    let mut images = connection.prepare_cached(sql)?;
    entries
        .map(|entry| {
            let mut entry = entry?;
            let named = images.query_map(params![entry.id, NAMED], |row| text(row, 0))?;
            entry.images = named.collect::<Result<_>>()?;
            Ok(entry)
        })
        .collect()
}
