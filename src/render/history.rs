//! Recorded actions, as tables and JSON.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::columns::{Column, cell, print};
use super::fit;
use super::json::seconds;
use super::terminal::Terminal;
use super::time::ago;
use crate::image::short_name;
use crate::inbox::history::{Entry, Ignore};

/// An action as JSON.
#[derive(Debug, Serialize)]
pub struct EntryView<'a> {
    id: i64,
    #[serde(serialize_with = "seconds")]
    at: DateTime<Utc>,
    action: &'a str,
    detail: Option<&'a str>,
    origin: &'a str,
    user: Option<&'a str>,
    note: Option<&'a str>,
    count: u64,
    images: &'a [String],
    undoes: Option<i64>,
    undone_by: Option<i64>,
}

impl<'a> From<&'a Entry> for EntryView<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            action: action(entry),
            detail: entry.detail.as_deref(),
            origin: &entry.origin,
            user: Some(entry.user.as_str()).filter(|user| !user.is_empty()),
            note: entry.note.as_deref(),
            count: entry.count,
            images: &entry.images,
            undoes: entry.undoes,
            undone_by: entry.undone_by,
        }
    }
}

/// The name of an action. The undo of a pattern adds or removes the pattern, but is called an undo.
fn action(entry: &Entry) -> &str {
    if entry.undoes.is_some() { "undo" } else { &entry.kind }
}

/// A pattern as JSON.
#[derive(Debug, Serialize)]
pub struct IgnoreView<'a> {
    pattern: &'a str,
    note: Option<&'a str>,
    #[serde(serialize_with = "seconds")]
    added: DateTime<Utc>,
    images: u64,
}

impl<'a> From<&'a Ignore> for IgnoreView<'a> {
    fn from(ignore: &'a Ignore) -> Self {
        let Ignore { pattern, note, added, images } = ignore;
        Self { pattern, note: note.as_deref(), added: *added, images: *images }
    }
}

/// Prints actions, one per line.
///
/// # Errors
/// When they cannot be written.
pub fn table(
    out: &mut dyn Write,
    entries: &[Entry],
    now: DateTime<Utc>,
    terminal: Terminal,
) -> io::Result<()> {
    let rows = entries.iter().map(|entry| {
        let images = match entry.images.first() {
            None => "-".to_owned(),
            Some(first) if entry.count > 1 => {
                format!("{} +{}", short_name(first), entry.count - 1)
            }
            Some(first) => short_name(first).to_owned(),
        };
        let by = match entry.user.as_str() {
            "" => entry.origin.clone(),
            user => format!("{user}, {}", entry.origin),
        };
        let mut what = action(entry).to_owned();
        if let Some(id) = entry.undoes {
            what = format!("{what} of {id}");
        } else if let Some(detail) = &entry.detail {
            what = format!("{what} {detail}");
        }
        if let Some(id) = entry.undone_by {
            what = format!("{what} (undone by {id})");
        }
        vec![
            entry.id.to_string(),
            cell(&what),
            cell(&images),
            ago(entry.at, now),
            cell(&by),
            cell(entry.note.as_deref().unwrap_or("-")),
        ]
    });
    let columns = [
        Column::fitted("ID", fit::end),
        Column::fitted("ACTION", fit::end),
        Column::fitted("IMAGES", fit::place),
        Column::fitted("WHEN", fit::end),
        Column::fitted("BY", fit::end),
        Column::fitted("NOTE", fit::end),
    ];
    print(out, &columns, rows, std::iter::empty(), terminal)
}

/// Prints patterns, one per line.
///
/// # Errors
/// When they cannot be written.
pub fn ignores(
    out: &mut dyn Write,
    patterns: &[Ignore],
    now: DateTime<Utc>,
    terminal: Terminal,
) -> io::Result<()> {
    let rows = patterns.iter().map(|ignore| {
        vec![
            cell(&ignore.pattern),
            ignore.images.to_string(),
            ago(ignore.added, now),
            cell(ignore.note.as_deref().unwrap_or("-")),
        ]
    });
    let columns = [
        Column::fitted("PATTERN", fit::end),
        Column::fitted("IMAGES", fit::end),
        Column::fitted("ADDED", fit::end),
        Column::fitted("NOTE", fit::end),
    ];
    print(out, &columns, rows, std::iter::empty(), terminal)
}
