//! Tags, and the images that have them.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::row::text;
use crate::image::ImageName;
use crate::inbox::update::Tag;
use crate::store::{ErrorKind, StoreError};

/// The name without the white space around it.
pub(super) fn valid(name: &str) -> std::result::Result<&str, StoreError> {
    let name = name.trim();
    let refuse = |reason| Err(StoreError::new(ErrorKind::TagName, reason));
    if name.is_empty() {
        refuse("a tag's name cannot be empty: give it a name")
    } else if name.contains('\0') {
        refuse("a tag's name cannot hold NUL: choose another name")
    } else {
        Ok(name)
    }
}

pub(super) fn exists(name: &str) -> StoreError {
    let message =
        format!("a tag named \"{}\" exists already: choose another name", name.escape_debug());
    StoreError::new(ErrorKind::TagExists, message)
}

pub(super) fn unknown(id: i64) -> StoreError {
    let message = format!("there is no tag with the id {id}: list the tags for those there are");
    StoreError::new(ErrorKind::UnknownTag, message)
}

pub(super) fn list(connection: &Connection) -> Result<Vec<Tag>> {
    connection
        .prepare_cached("SELECT id, name FROM tags ORDER BY name")?
        .query_map([], |row| Ok(Tag { id: row.get(0)?, name: text(row, 1)? }))?
        .collect()
}

/// The new tag's id; `None` if the name is taken.
pub(super) fn create(connection: &Connection, name: &str) -> Result<Option<i64>> {
    let sql = "INSERT INTO tags (name) VALUES (?1) ON CONFLICT (name) DO NOTHING RETURNING id";
    connection.query_row(sql, [name], |row| row.get(0)).optional()
}

/// Whether there is such a tag; `None` if another one has the name.
pub(super) fn rename(connection: &Connection, id: i64, name: &str) -> Result<Option<bool>> {
    let sql = "SELECT EXISTS (SELECT 1 FROM tags WHERE name = ?1 AND id <> ?2)";
    if connection.query_row(sql, params![name, id], |row| row.get(0))? {
        return Ok(None);
    }
    let sql = "UPDATE tags SET name = ?1 WHERE id = ?2";
    Ok(Some(connection.execute(sql, params![name, id])? > 0))
}

pub(super) fn delete(connection: &Connection, id: i64) -> Result<bool> {
    Ok(connection.execute("DELETE FROM tags WHERE id = ?1", [id])? > 0)
}

/// Whether there is such a tag.
pub(super) fn assign(connection: &Connection, image: &ImageName, id: i64) -> Result<bool> {
    let sql = "INSERT OR REPLACE INTO tag_assignments (image, tag_id)
        SELECT ?1, id FROM tags WHERE id = ?2";
    Ok(connection.execute(sql, params![image.as_str(), id])? > 0)
}

pub(super) fn unassign(connection: &Connection, image: &ImageName) -> Result<()> {
    let sql = "DELETE FROM tag_assignments WHERE image = ?1";
    connection.execute(sql, [image.as_str()]).map(drop)
}

pub(super) fn count(connection: &Connection) -> Result<BTreeMap<i64, u64>> {
    connection
        .prepare_cached("SELECT tag_id, count(*) FROM tag_assignments GROUP BY tag_id")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
