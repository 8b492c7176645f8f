//! Undoes actions.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::before::{keep, restore};
use super::history::{Deed, once, record};
use super::ignores::{self, IGNORE, UNIGNORE};
use super::lines::{self, Lines};
use super::row::text;
use super::tags;
use super::upsert::next_change;
use crate::inbox::action::{Left, Reason, Receipt, Stamp};
use crate::store::{ErrorKind, StoreError};

/// The result of an undo.
pub(in crate::store) enum Undone {
    /// There is no such action.
    Missing,
    /// The action was already taken back, by the action with this number.
    Already(i64),
    /// The action's pattern was removed or added again since.
    Pattern(String),
    Done(Receipt),
}

impl Undone {
    /// Converts it to a receipt; `None` if there is no such action.
    pub(in crate::store) fn into_receipt(self) -> std::result::Result<Option<Receipt>, StoreError> {
        let refuse = |message| Err(StoreError::new(ErrorKind::Undone, message));
        match self {
            Self::Missing => Ok(None),
            Self::Done(receipt) => Ok(Some(receipt)),
            Self::Already(by) => {
                refuse(format!("it was undone already, by action {by}: undo that"))
            }
            Self::Pattern(pattern) => {
                refuse(format!("the pattern {pattern} was removed or added again since"))
            }
        }
    }
}

/// The action to take back.
struct Target {
    id: i64,
    kind: String,
    about: String,
    detail: Option<String>,
    undoes: Option<i64>,
    undone_by: Option<i64>,
}

/// Takes back an action, or the last one of the stamp's origin and user.
pub(in crate::store) fn undo(
    connection: &Connection,
    id: Option<i64>,
    stamp: &Stamp,
) -> Result<Undone> {
    let Some(target) = target(connection, id, stamp)? else { return Ok(Undone::Missing) };
    if let Some(by) = target.undone_by {
        return Ok(Undone::Already(by));
    }
    let deed = |kind| Deed {
        kind,
        about: &target.about,
        detail: target.detail.as_deref(),
        undoes: Some(target.id),
    };
    let receipt = match target.kind.as_str() {
        IGNORE => ignores::remove(connection, &deed(UNIGNORE), stamp)?,
        UNIGNORE => {
            let note = note(connection, target.detail.as_deref())?;
            ignores::add(connection, &deed(IGNORE), note.as_deref(), stamp)?
        }
        _ => Some(images(connection, &target, &deed("undo"), stamp)?),
    };
    let Some(receipt) = receipt else {
        return Ok(Undone::Pattern(target.detail.unwrap_or_default()));
    };
    if let Some(id) = receipt.id {
        let sql = "UPDATE actions SET undone_by = ?2 WHERE id = ?1";
        connection.execute(sql, params![target.id, id])?;
        // An action that an undo took back is valid again.
        let sql = "UPDATE actions SET undone_by = NULL WHERE id = ?1";
        connection.execute(sql, [target.undoes])?;
    }
    Ok(Undone::Done(receipt))
}

fn target(connection: &Connection, id: Option<i64>, stamp: &Stamp) -> Result<Option<Target>> {
    let sql =
        "SELECT id, kind, about, detail, undoes, undone_by FROM actions WHERE id = coalesce(?1,
        (SELECT id FROM actions WHERE origin = ?2 AND user = ?3 AND undoes IS NULL
            AND undone_by IS NULL ORDER BY at DESC, id DESC LIMIT 1))";
    let row = |row: &rusqlite::Row<'_>| {
        Ok(Target {
            id: row.get(0)?,
            kind: text(row, 1)?,
            about: text(row, 2)?,
            detail: row.get(3)?,
            undoes: row.get(4)?,
            undone_by: row.get(5)?,
        })
    };
    connection
        .prepare_cached(sql)?
        .query_row(params![id, stamp.origin.name(), stamp.user], row)
        .optional()
}

/// The note with which a pattern was last added.
fn note(connection: &Connection, pattern: Option<&str>) -> Result<Option<String>> {
    let sql = "SELECT note FROM actions WHERE kind = ?1 AND detail = ?2 AND undoes IS NULL
        ORDER BY id DESC LIMIT 1";
    let note = connection.prepare_cached(sql)?.query_row([Some(IGNORE), pattern], |row| row.get(0));
    Ok(note.optional()?.flatten())
}

/// Restores the state or the tag that each image had before.
fn images(
    connection: &Connection,
    target: &Target,
    deed: &Deed<'_>,
    stamp: &Stamp,
) -> Result<Receipt> {
    let mut receipt = Receipt::default();
    let mut change = next_change(connection)?;
    let mut lines = Lines::default();
    for (image, digest, before) in changed(connection, target.id)? {
        if let Some(reason) = obstacle(connection, target, (&image, &digest, &before))? {
            receipt.left.push(Left { image, reason });
            continue;
        }
        let id = once(&mut receipt.id, || record(connection, deed, stamp))?;
        mark(connection, target, &image)?;
        if target.about == "tag" {
            tags::keep(connection, id, &image)?;
            tags::restore(connection, &image, &before)?;
        } else {
            keep(connection, id, &image, &digest)?;
            restore(connection, &image, &before, change)?;
            change += 1;
            lines.changed(lines::of(connection, &image)?);
        }
        receipt.images.push(image);
    }
    lines::fold(connection, lines)?;
    Ok(receipt)
}

/// The images that an action changed, with their digests at that time and the recorded state.
fn changed(connection: &Connection, action: i64) -> Result<Vec<(String, String, String)>> {
    let sql = "SELECT image, digest, before FROM action_images WHERE action = ?1 ORDER BY image";
    connection
        .prepare_cached(sql)?
        .query_map([action], |row| Ok((text(row, 0)?, text(row, 1)?, text(row, 2)?)))?
        .collect()
}

/// The reason why an image cannot be restored; `None` if it can.
fn obstacle(
    connection: &Connection,
    target: &Target,
    (image, digest, before): (&str, &str, &str),
) -> Result<Option<Reason>> {
    if target.about == "tag" {
        if !tags::can_restore(connection, before)? {
            return Ok(Some(Reason::NoTag));
        }
    } else {
        let sql = "SELECT digest FROM updates WHERE image = ?1";
        let current = connection.prepare_cached(sql)?.query_row([image], |row| text(row, 0));
        match current.optional()? {
            None => return Ok(Some(Reason::Missing)),
            Some(current) if current != digest => return Ok(Some(Reason::Digest(current))),
            Some(_) => {}
        }
    }
    // Actions that were taken back do not count as later ones, nor does an undo of a later action.
    let sql = "SELECT EXISTS (SELECT 1 FROM action_images i JOIN actions a ON a.id = i.action
        WHERE i.image = ?1 AND a.id > ?2 AND a.about = ?3 AND i.undone = 0
            AND (a.undoes IS NULL OR a.undoes < ?2))";
    let values = params![image, target.id, target.about];
    let is_decided = connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
    Ok(if is_decided { Some(Reason::Decided) } else { None })
}

/// Marks the image of an action as restored.
fn mark(connection: &Connection, target: &Target, image: &str) -> Result<()> {
    let sql = "UPDATE action_images SET undone = ?3 WHERE action = ?1 AND image = ?2";
    let mut update = connection.prepare_cached(sql)?;
    update.execute(params![target.id, image, true])?;
    if let Some(first) = target.undoes {
        update.execute(params![first, image, false])?;
    }
    Ok(())
}
