//! Patterns of images that never become pending.

use rusqlite::{Connection, Result, params};

use super::history::{Deed, record};
use super::lines::{self, Lines};
use super::row::{text, time};
use super::upsert::next_change;
use crate::image::ImagePattern;
use crate::inbox::action::{Receipt, Stamp};
use crate::inbox::fold::Standing;
use crate::inbox::history::Ignore;

/// The kinds of the actions that add and remove a pattern.
pub(in crate::store) const IGNORE: &str = "ignore";
pub(in crate::store) const UNIGNORE: &str = "unignore";

/// The action about a pattern.
pub(in crate::store) fn deed<'a>(kind: &'a str, pattern: &'a str) -> Deed<'a> {
    Deed { kind, about: "pattern", detail: Some(pattern), undoes: None }
}

/// A pattern in the form in which it is stored.
pub(in crate::store) fn as_added(pattern: &str) -> String {
    ImagePattern::new(pattern).map_or(pattern.to_owned(), |known| known.as_str().to_owned())
}

/// Every pattern, from A to Z, with the number of images that it matches.
pub(in crate::store) fn list(connection: &Connection) -> Result<Vec<Ignore>> {
    let sql = "SELECT pattern, note, added, (SELECT count(*) FROM updates
            WHERE ignored <> 0 AND matches(pattern, image)) FROM ignores ORDER BY pattern";
    let row = |row: &rusqlite::Row<'_>| {
        let (note, added, images) = (row.get(1)?, time(row, 2)?, row.get(3)?);
        Ok(Ignore { pattern: text(row, 0)?, note, added, images })
    };
    connection.prepare_cached(sql)?.query_map([], row)?.collect()
}

/// The patterns, compiled.
pub(in crate::store) fn patterns(connection: &Connection) -> Result<Vec<ImagePattern>> {
    let patterns: Vec<String> = connection
        .prepare_cached("SELECT pattern FROM ignores ORDER BY pattern")?
        .query_map([], |row| text(row, 0))?
        .collect::<Result<_>>()?;
    Ok(patterns.iter().filter_map(|pattern| ImagePattern::new(pattern).ok()).collect())
}

/// The first pattern that matches an image.
pub(in crate::store) fn matching(connection: &Connection, image: &str) -> Result<Option<String>> {
    let patterns = patterns(connection)?.into_iter();
    let mut matching = patterns.filter(|pattern| pattern.matches(image));
    Ok(matching.next().map(|pattern| pattern.as_str().to_owned()))
}

/// Adds a pattern. Returns `None` if it is there already.
pub(in crate::store) fn add(
    connection: &Connection,
    deed: &Deed<'_>,
    note: Option<&str>,
    stamp: &Stamp,
) -> Result<Option<Receipt>> {
    let sql = "INSERT INTO ignores VALUES (?1, ?2, ?3) ON CONFLICT (pattern) DO NOTHING";
    if connection.execute(sql, params![deed.detail, note, stamp.at.timestamp_millis()])? == 0 {
        return Ok(None);
    }
    let sql = "SELECT image, received, digest FROM updates
        WHERE ignored = 0 AND matches(?1, image) ORDER BY image";
    apply(connection, deed, stamp, true, sql).map(Some)
}

/// Removes a pattern. Images that match no other pattern are no longer ignored. Returns `None` if there is
/// no such pattern.
pub(in crate::store) fn remove(
    connection: &Connection,
    deed: &Deed<'_>,
    stamp: &Stamp,
) -> Result<Option<Receipt>> {
    let sql = "DELETE FROM ignores WHERE pattern = ?1";
    if connection.execute(sql, [deed.detail])? == 0 {
        return Ok(None);
    }
    let sql = "SELECT image, received, digest FROM updates WHERE ignored <> 0 AND matches(?1, image)
            AND NOT EXISTS (SELECT 1 FROM ignores i WHERE matches(i.pattern, image)) ORDER BY image";
    apply(connection, deed, stamp, false, sql).map(Some)
}

/// Sets whether the images that a statement selects are ignored, and records the action.
fn apply(
    connection: &Connection,
    deed: &Deed<'_>,
    stamp: &Stamp,
    is_ignored: bool,
    select: &str,
) -> Result<Receipt> {
    let images: Vec<(String, i64, String)> = connection
        .prepare_cached(select)?
        .query_map([deed.detail], |row| Ok((text(row, 0)?, row.get(1)?, text(row, 2)?)))?
        .collect::<Result<_>>()?;
    let id = record(connection, deed, stamp)?;
    let sql = "UPDATE updates SET ignored = ?2, changed = ?3 WHERE image = ?1";
    let mut update = connection.prepare_cached(sql)?;
    let mut keep = connection.prepare_cached(
        "INSERT INTO action_images (action, image, digest, before) VALUES (?1, ?2, ?3, '{}')",
    )?;
    let mut lines = Lines::default();
    for (change, (image, received, digest)) in (next_change(connection)?..).zip(&images) {
        update.execute(params![image, is_ignored, change])?;
        keep.execute(params![id, image, digest])?;
        lines.changed(Standing::new(image, *received).map(|standing| standing.line));
    }
    lines::fold(connection, lines)?;
    let images = images.into_iter().map(|(image, ..)| image).collect();
    Ok(Receipt { id: Some(id), images, left: Vec::new() })
}
