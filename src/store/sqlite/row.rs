//! Values of rows, whoever wrote them.

use chrono::{DateTime, NaiveDateTime, Utc};
use rusqlite::Row;
use rusqlite::types::ValueRef;

use crate::event::{Metadata, parse_created};
use crate::store::{Place, Tag};

/// A text as it is. Other programs may have left a number or bytes that are not UTF-8 there.
pub(super) fn text(row: &Row<'_>, index: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => match str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => String::from_utf8_lossy(bytes).into_owned(),
        },
    })
}

/// The host, provider and workload in this column and the next two.
pub(super) fn place(row: &Row<'_>, first: usize) -> rusqlite::Result<Place> {
    Ok(Place {
        hostname: text(row, first)?,
        provider: text(row, first + 1)?,
        workload: text(row, first + 2)?,
    })
}

/// The tag whose number and name are in this column and the next; there may be none.
pub(super) fn tag(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Tag>> {
    Ok(match row.get(first)? {
        Some(id) => Some(Tag { id, name: text(row, first + 1)? }),
        None => None,
    })
}

/// A time, where there is one.
pub(super) fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let is_null = row.get_ref(index)? == ValueRef::Null;
    if is_null { Ok(None) } else { Ok(Some(received(&text(row, index)?))) }
}

/// When an image was built, where that is known.
pub(super) fn created(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<String>> {
    let text = text(row, index)?;
    Ok(matches!(parse_created(&text), Ok(Some(_))).then_some(text))
}

/// Metadata from its JSON. What is no map of texts counts as none.
pub(super) fn metadata(json: &str) -> Metadata {
    serde_json::from_str(json).unwrap_or_default()
}

/// A time as RFC 3339 or as SQLite's `datetime()` writes it. One that cannot be read counts as the
/// oldest, so that the row it is in still shows.
pub(super) fn received(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .or_else(|_| {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").map(|time| time.and_utc())
        })
        .unwrap_or(DateTime::UNIX_EPOCH)
}
