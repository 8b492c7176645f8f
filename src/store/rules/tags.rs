//! Tags, and the images that have them.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Result, params};
use serde_json::json;

use super::history::{Deed, once, record};
use super::row::text;
use super::upsert::next_change;
use crate::image::ImageName;
use crate::inbox::action::{Receipt, Stamp};
use crate::inbox::update::Tag;
use crate::store::{ErrorKind, StoreError};

/// The longest name of a tag, in bytes.
const LONGEST: usize = 256;

/// The name without the white space around it.
pub(in crate::store) fn valid(name: &str) -> std::result::Result<&str, StoreError> {
    let name = name.trim();
    let refuse = |reason: &str| Err(StoreError::new(ErrorKind::TagName, reason));
    if name.is_empty() {
        refuse("a tag's name cannot be empty: give it a name")
    } else if name.len() > LONGEST {
        refuse(&format!("a tag's name has {LONGEST} bytes at most: choose a shorter name"))
    } else if name.contains('\0') {
        refuse("a tag's name cannot hold NUL: choose another name")
    } else {
        Ok(name)
    }
}

pub(in crate::store) fn exists(name: &str) -> StoreError {
    let message =
        format!("a tag named \"{}\" exists already: choose another name", name.escape_debug());
    StoreError::new(ErrorKind::TagExists, message)
}

pub(in crate::store) fn unknown(id: i64) -> StoreError {
    let message = format!("there is no tag with the id {id}: list the tags for those there are");
    StoreError::new(ErrorKind::UnknownTag, message)
}

pub(in crate::store) fn list(connection: &Connection) -> Result<Vec<Tag>> {
    connection
        .prepare_cached("SELECT id, name FROM tags ORDER BY name")?
        .query_map([], |row| Ok(Tag { id: row.get(0)?, name: text(row, 1)? }))?
        .collect()
}

/// The new tag's id; `None` if the name is taken.
pub(in crate::store) fn create(connection: &Connection, name: &str) -> Result<Option<i64>> {
    let sql = "INSERT INTO tags (name) VALUES (?1) ON CONFLICT (name) DO NOTHING RETURNING id";
    connection.query_row(sql, [name], |row| row.get(0)).optional()
}

/// Renames a tag. Returns whether it exists; `None` if another tag has the name.
pub(in crate::store) fn rename(
    connection: &Connection,
    id: i64,
    name: &str,
) -> Result<Option<bool>> {
    let sql = "SELECT EXISTS (SELECT 1 FROM tags WHERE name = ?1 AND id <> ?2)";
    if connection.query_row(sql, params![name, id], |row| row.get(0))? {
        return Ok(None);
    }
    let sql = "UPDATE tags SET name = ?1 WHERE id = ?2";
    Ok(Some(connection.execute(sql, params![name, id])? > 0))
}

pub(in crate::store) fn delete(connection: &Connection, id: i64) -> Result<bool> {
    Ok(connection.execute("DELETE FROM tags WHERE id = ?1", [id])? > 0)
}

/// Replaces or removes the tag of images in one action. Returns `None` if there is no such tag.
pub(in crate::store) fn put(
    connection: &Connection,
    images: &[ImageName],
    tag: Option<i64>,
    stamp: &Stamp,
) -> Result<Option<Receipt>> {
    let mut name = None;
    if let Some(id) = tag {
        let sql = "SELECT name FROM tags WHERE id = ?1";
        name = connection.query_row(sql, [id], |row| text(row, 0)).optional()?;
        if name.is_none() {
            return Ok(None);
        }
    }
    let kind = if tag.is_some() { "tag" } else { "untag" };
    let deed = Deed { kind, about: "tag", detail: name.as_deref(), undoes: None };
    let mut receipt = Receipt::default();
    for image in images {
        let image = image.as_str();
        receipt.images.push(image.to_owned());
        if current(connection, image)? != tag {
            let id = once(&mut receipt.id, || record(connection, &deed, stamp))?;
            keep(connection, id, image)?;
            set(connection, image, tag)?;
        }
    }
    Ok(Some(receipt))
}

/// The tag of an image.
fn current(connection: &Connection, image: &str) -> Result<Option<i64>> {
    let sql = "SELECT tag_id FROM tag_assignments WHERE image = ?1";
    connection.prepare_cached(sql)?.query_row([image], |row| row.get(0)).optional()
}

/// Sets the tag of an image, if the tag exists.
fn set(connection: &Connection, image: &str, tag: Option<i64>) -> Result<()> {
    let sql = "DELETE FROM tag_assignments WHERE image = ?1";
    connection.prepare_cached(sql)?.execute([image])?;
    let sql = "INSERT INTO tag_assignments (image, tag_id) SELECT ?1, id FROM tags WHERE id = ?2";
    connection.prepare_cached(sql)?.execute(params![image, tag])?;
    let change = next_change(connection)?;
    let sql = "UPDATE updates SET changed = ?2 WHERE image = ?1";
    connection.prepare_cached(sql)?.execute(params![image, change]).map(drop)
}

/// Records the tag of an image before an action changes it.
pub(in crate::store) fn keep(connection: &Connection, action: i64, image: &str) -> Result<()> {
    let before = json!({ "tag": current(connection, image)? }).to_string();
    let sql = "INSERT INTO action_images (action, image, digest, before)
        VALUES (?1, ?2, coalesce((SELECT digest FROM updates WHERE image = ?2), ''), ?3)";
    connection.prepare_cached(sql)?.execute(params![action, image, before]).map(drop)
}

/// Whether the recorded tag can be restored: there was none, or it still exists.
pub(in crate::store) fn can_restore(connection: &Connection, before: &str) -> Result<bool> {
    let Some(id) = recorded(before) else { return Ok(true) };
    let sql = "SELECT EXISTS (SELECT 1 FROM tags WHERE id = ?1)";
    connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))
}

/// Restores the recorded tag.
pub(in crate::store) fn restore(connection: &Connection, image: &str, before: &str) -> Result<()> {
    set(connection, image, recorded(before))
}

fn recorded(before: &str) -> Option<i64> {
    serde_json::from_str::<serde_json::Value>(before).ok()?["tag"].as_i64()
}

pub(in crate::store) fn count(connection: &Connection) -> Result<BTreeMap<i64, u64>> {
    connection
        .prepare_cached("SELECT tag_id, count(*) FROM tag_assignments GROUP BY tag_id")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
