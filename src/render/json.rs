//! The JSON of the command line and of HTTP.
//!
//! Control characters are written as `\u` escapes. The values are the same, and printing them on a terminal is safe.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};

use super::history::EntryView;
use super::links::Links;
use super::place::{hosts, state};
use super::terminal::is_unsafe;
use crate::event::{Event, Metadata};
use crate::inbox::history::Entry;
use crate::inbox::time::rfc3339;
use crate::inbox::update::{Digest, State, Tag, Update};

/// An update as JSON.
#[derive(Debug, Serialize)]
pub struct UpdateView<'a> {
    event: &'a Event,
    #[serde(serialize_with = "seconds")]
    received_at: DateTime<Utc>,
    #[serde(serialize_with = "seconds")]
    since: DateTime<Utc>,
    state: State,
    acknowledged: bool,
    #[serde(serialize_with = "seconds_or_null")]
    snoozed_until: Option<DateTime<Utc>>,
    note: Option<&'a str>,
    tag: Option<&'a Tag>,
    places: usize,
    needed: usize,
    hosts: Vec<&'a str>,
    supersedes: &'a [String],
    change: &'static str,
    previous: Option<&'a str>,
    links: Links<'a>,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    where_: Option<Vec<PlaceView<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digests: Option<Vec<DigestView<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<EntryView<'a>>>,
}

/// A place as JSON.
#[derive(Debug, Serialize)]
struct PlaceView<'a> {
    hostname: &'a str,
    provider: &'a str,
    workload: &'a str,
    needed: bool,
    state: &'static str,
    runs: Option<&'a [String]>,
    #[serde(serialize_with = "seconds_or_null")]
    runs_since: Option<DateTime<Utc>>,
    digest: &'a str,
    status: &'a str,
    metadata: &'a Metadata,
    #[serde(serialize_with = "seconds")]
    first_seen: DateTime<Utc>,
    #[serde(serialize_with = "seconds")]
    last_seen: DateTime<Utc>,
    times: u64,
}

/// A digest that an image had before, as JSON.
#[derive(Debug, Serialize)]
struct DigestView<'a> {
    digest: &'a str,
    created: Option<&'a str>,
    platform: &'a str,
    #[serde(serialize_with = "seconds")]
    first_seen: DateTime<Utc>,
    #[serde(serialize_with = "seconds")]
    last_seen: DateTime<Utc>,
}

impl<'a> From<&'a Update> for UpdateView<'a> {
    fn from(update: &'a Update) -> Self {
        Self {
            event: &update.event,
            received_at: update.received_at,
            since: update.since,
            state: update.state,
            acknowledged: update.state == State::Acknowledged,
            snoozed_until: update.snoozed_until,
            note: update.note.as_deref(),
            tag: update.tag.as_ref(),
            places: update.present().count(),
            needed: update.needed().count(),
            hosts: hosts(update),
            supersedes: &update.supersedes,
            change: update.change.name(),
            previous: update.previous.as_deref(),
            links: Links::of(update),
            where_: None,
            digests: None,
            history: None,
        }
    }
}

impl<'a> UpdateView<'a> {
    /// An update with its places, its earlier digests and its actions.
    pub fn in_full(update: &'a Update, digests: &'a [Digest], history: &'a [Entry]) -> Self {
        let places = update.places.iter().map(|place| PlaceView {
            hostname: &place.hostname,
            provider: &place.provider,
            workload: &place.workload,
            needed: place.is_needed,
            state: state(place),
            runs: place.runs.as_ref().map(|runs| runs.digests.as_slice()),
            runs_since: place.runs.as_ref().map(|runs| runs.since),
            digest: &place.digest,
            status: &place.status,
            metadata: &place.metadata,
            first_seen: place.first_seen,
            last_seen: place.last_seen,
            times: place.times,
        });
        let digests = digests.iter().map(|digest| DigestView {
            digest: &digest.digest,
            created: digest.created.as_deref(),
            platform: &digest.platform,
            first_seen: digest.first_seen,
            last_seen: digest.last_seen,
        });
        Self {
            where_: Some(places.collect()),
            digests: Some(digests.collect()),
            history: Some(history.iter().map(EntryView::from).collect()),
            ..Self::from(update)
        }
    }
}

/// Writes one value and a line end.
///
/// # Errors
/// When it cannot be written.
pub fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Harmless))?;
    out.write_all(b"\n")
}

/// Writes one value a line.
///
/// # Errors
/// When one cannot be written.
pub fn lines(
    out: &mut impl Write,
    values: impl IntoIterator<Item = impl Serialize>,
) -> io::Result<()> {
    values.into_iter().try_for_each(|value| line(out, &value))
}

/// Writes an array with a line for each value.
///
/// # Errors
/// When it cannot be written.
pub fn array(
    out: &mut impl Write,
    values: impl IntoIterator<Item = impl Serialize>,
) -> io::Result<()> {
    let mut before: &[u8] = b"[\n";
    for value in values {
        out.write_all(before)?;
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Harmless))?;
        before = b",\n";
    }
    out.write_all(if before == b",\n" { b"\n]\n" } else { b"[]\n" })
}

/// Writes an update as an entry of a map by image.
///
/// # Errors
/// When it cannot be written.
pub fn entry(out: &mut impl Write, update: &Update) -> io::Result<()> {
    update
        .event
        .image
        .serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Harmless))?;
    out.write_all(b":")?;
    let mut serializer = serde_json::Serializer::with_formatter(out, Harmless);
    Ok(UpdateView::from(update).serialize(&mut serializer)?)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(super) fn seconds<S: Serializer>(
    time: &DateTime<Utc>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*time))
}

#[allow(clippy::ref_option, reason = "serde passes references")]
pub(super) fn seconds_or_null<S: Serializer>(
    time: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => seconds(time, serializer),
        None => serializer.serialize_none(),
    }
}

/// Compact JSON in which control characters are escaped.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_unsafe) {
            let mut characters = rest[at..].chars();
            writer.write_all(&rest.as_bytes()[..at])?;
            let mut units = [0; 2];
            for unit in characters.next().unwrap_or_default().encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = characters.as_str();
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_characters_are_escaped_and_stay_the_same_value() {
        let text = "a\u{1b}[2J\u{9b}1m\u{7f}\u{202e}b\u{e0041}é\n\"";
        let mut out = Vec::new();
        line(&mut out, &text).unwrap();
        let json = String::from_utf8(out).unwrap();
        assert_eq!(json, "\"a\\u001b[2J\\u009b1m\\u007f\\u202eb\\udb40\\udc41é\\n\\\"\"\n");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn an_array_has_a_line_for_each_value() {
        let json = |values: &[u8]| {
            let mut out = Vec::new();
            array(&mut out, values).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(json(&[]), "[]\n");
        assert_eq!(json(&[1, 2]), "[\n1,\n2\n]\n");
    }
}
