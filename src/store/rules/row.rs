//! Lenient decoding of columns: other programs may have written the row.

use chrono::{DateTime, NaiveDateTime, Utc};
use rusqlite::Row;
use rusqlite::types::ValueRef;

use crate::event::{Metadata, parse_created};

/// A text. A number is printed, and bytes that are not UTF-8 are replaced.
pub(in crate::store) fn text(row: &Row<'_>, index: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => String::from_utf8_lossy(bytes).into_owned(),
        },
    })
}

/// A time of ours: milliseconds since 1970.
pub(in crate::store) fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<DateTime<Utc>> {
    let milliseconds: Option<i64> = row.get(index)?;
    Ok(DateTime::from_timestamp_millis(milliseconds.unwrap_or(0)).unwrap_or_default())
}

/// The same; `None` for NULL.
pub(in crate::store) fn time_or_null(
    row: &Row<'_>,
    index: usize,
) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let milliseconds: Option<i64> = row.get(index)?;
    Ok(milliseconds.and_then(DateTime::from_timestamp_millis))
}

/// When an image was built, if that is known.
pub(in crate::store) fn created(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<String>> {
    let text = text(row, index)?;
    Ok(matches!(parse_created(&text), Ok(Some(_))).then_some(text))
}

/// Metadata from its JSON. Anything but a map of strings counts as empty.
pub(in crate::store) fn metadata(json: &str) -> Metadata {
    if json.is_empty() { Metadata::new() } else { serde_json::from_str(json).unwrap_or_default() }
}

/// A time as RFC 3339 or as SQLite's `datetime()` writes it. One that cannot be read counts as 1970,
/// so that its row is still shown.
pub(in crate::store) fn parse_time(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .or_else(|_| {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").map(|time| time.and_utc())
        })
        .unwrap_or(DateTime::UNIX_EPOCH)
}
