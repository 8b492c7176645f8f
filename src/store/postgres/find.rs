//! Finds the rows that a query or an action needs, and loads them.

use rusqlite::types::Value as SqliteValue;

use super::failure::Failure;
use super::part::{Part, of_images, of_lines, part, whole};
use super::transaction::Transaction;
use super::value::{Statement, Value, ported};
use crate::image::ImagePattern;
use crate::inbox::fold::{Line, Standing};
use crate::inbox::query::{Detail, Query, Wanted};
use crate::store::rules::selection::{Dialect, Selection};

/// The images of the updates that a query selects, and possibly of more.
pub(super) fn images(transaction: &Transaction<'_>, query: &Query) -> Result<Vec<String>, Failure> {
    let Selection { sql, values, .. } = Selection::new(query, Dialect::Postgres);
    let sql = ported(&format!("SELECT u.image {sql}"));
    let values = values.into_iter().map(|value| match value {
        SqliteValue::Integer(number) => Value::from(number),
        SqliteValue::Text(text) => Value::from(text.as_str()),
        _ => Value::Text(None),
    });
    let rows = transaction.query(Statement::new(sql, values.collect()))?;
    let mut images = Vec::new();
    for row in rows {
        let image: String = row.try_get(0)?;
        if is_wanted(query, &image) {
            images.push(image);
        }
    }
    Ok(images)
}

fn is_wanted(query: &Query, image: &str) -> bool {
    let fits = |wanted: &Wanted| match wanted {
        Wanted::Exact(name, _) => name.as_str() == image,
        Wanted::Pattern(pattern) => pattern.matches(image),
    };
    let has_patterns = query.images.iter().any(|wanted| matches!(wanted, Wanted::Pattern(_)));
    !has_patterns || query.images.iter().any(fits)
}

/// Loads the rows that a query selects, and those that each update is compared with.
pub(super) fn select(transaction: &Transaction<'_>, query: &Query) -> Result<(), Failure> {
    let images = images(transaction, query)?;
    let mut parts = with_tags(&images);
    if query.detail == Detail::Full {
        parts = parts.into_iter().map(Part::with_metadata).collect();
    }
    if query.detail >= Detail::Item {
        parts.extend([
            of_images("digests", &images),
            of_images("labels", &images),
            before(&images),
        ]);
    }
    transaction.load(parts)?;
    // Updates that are folded under these are needed only where they are counted or named.
    let counted = if query.detail == Detail::Full { "older > 0" } else { "false" };
    let sql = format!(
        "SELECT image, received FROM updates WHERE acknowledged_at IS NULL AND ignored = 0
            AND series IS NOT NULL AND (older IS NULL OR {counted})"
    );
    fold_with(transaction, &sql)
}

/// Loads the rows that an action needs.
pub(super) fn act(transaction: &Transaction<'_>, query: &Query) -> Result<(), Failure> {
    let images = images(transaction, query)?;
    transaction.load(with_tags(&images).into_iter().chain([whole("ignores")]))?;
    all_lines(transaction)
}

/// Loads the updates of images, their places, and the lines that they are in.
pub(super) fn updates(
    transaction: &Transaction<'_>,
    images: &[String],
    others: Vec<Part>,
) -> Result<(), Failure> {
    let own = [of_images("updates", images), of_images("places", images)];
    transaction.load(own.into_iter().chain(others))?;
    all_lines(transaction)
}

/// The images that a pattern matches, of those that are ignored or of the others.
pub(super) fn matching(
    transaction: &Transaction<'_>,
    pattern: &ImagePattern,
    are_ignored: bool,
) -> Result<Vec<String>, Failure> {
    let sql = "SELECT image FROM updates WHERE (ignored <> 0) = ($1 <> 0)";
    let rows = transaction.query(Statement::new(sql, vec![i64::from(are_ignored).into()]))?;
    let mut images = Vec::new();
    for row in rows {
        let image: String = row.try_get(0)?;
        if pattern.matches(&image) {
            images.push(image);
        }
    }
    Ok(images)
}

/// Loads the lines of all updates of the working copy.
fn all_lines(transaction: &Transaction<'_>) -> Result<(), Failure> {
    fold_with(transaction, "SELECT image, received FROM updates WHERE series IS NOT NULL")
}

fn fold_with(transaction: &Transaction<'_>, sql: &str) -> Result<(), Failure> {
    let mut select = transaction.copy.sqlite.prepare_cached(sql)?;
    let rows = select.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let mut found = Vec::new();
    for row in rows {
        let (image, received) = row?;
        found.extend(Standing::new(&image, received).map(|standing| standing.line));
    }
    lines(transaction, found)
}

/// Loads the members of lines.
pub(super) fn lines(transaction: &Transaction<'_>, mut lines: Vec<Line>) -> Result<(), Failure> {
    lines.sort_unstable();
    lines.dedup();
    if lines.is_empty() { Ok(()) } else { transaction.load(of_lines(&lines)) }
}

fn with_tags(images: &[String]) -> Vec<Part> {
    vec![
        of_images("updates", images),
        of_images("places", images),
        of_images("tag_assignments", images),
        whole("tags"),
    ]
}

/// The labels with the versions that updates are compared with.
fn before(images: &[String]) -> Part {
    let condition = "t.image IN (SELECT b.image FROM updates u CROSS JOIN LATERAL (
            SELECT b.image FROM updates b WHERE b.series = u.series AND b.rank < u.rank
                AND b.acknowledged_at IS NOT NULL AND b.ignored = 0 ORDER BY b.rank DESC LIMIT 1) b
        WHERE u.image = ANY($1))";
    part("updates", condition, vec![images.iter().map(String::as_str).collect()])
}
