//! The JSON of the command line and of HTTP.
//!
//! Characters that a terminal could act on are written as `\u` escapes: the values are the same,
//! and printing them does no harm.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};

use super::terminal::is_unsafe;
use crate::event::{Event, Metadata};
use crate::store::{Counts, Report, Tag, Update};

/// An update as JSON.
#[derive(Debug, Serialize)]
pub struct UpdateView<'a> {
    event: &'a Event,
    #[serde(serialize_with = "rfc3339")]
    received_at: DateTime<Utc>,
    acknowledged: bool,
    tag: Option<&'a Tag>,
    workloads: usize,
    hosts: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reports: Option<Vec<ReportView<'a>>>,
}

/// A report as JSON.
#[derive(Debug, Serialize)]
struct ReportView<'a> {
    digest: &'a str,
    hostname: &'a str,
    provider: &'a str,
    workload: &'a str,
    status: &'a str,
    metadata: &'a Metadata,
    #[serde(serialize_with = "rfc3339")]
    first_seen: DateTime<Utc>,
    #[serde(serialize_with = "rfc3339")]
    last_seen: DateTime<Utc>,
    times: u64,
    current: bool,
}

/// The counts of `status` and `/api/summary` as flat JSON.
#[derive(Debug, Serialize)]
pub struct CountsView {
    pending: u64,
    acknowledged: u64,
    total: u64,
    #[serde(serialize_with = "rfc3339_or_null")]
    oldest_pending: Option<DateTime<Utc>>,
    #[serde(serialize_with = "rfc3339_or_null")]
    newest_pending: Option<DateTime<Utc>>,
}

impl<'a> From<&'a Update> for UpdateView<'a> {
    fn from(update: &'a Update) -> Self {
        let mut hosts: Vec<&str> =
            update.places.iter().map(|place| place.hostname.as_str()).collect();
        hosts.dedup();
        Self {
            event: &update.event,
            received_at: update.received_at,
            acknowledged: update.acknowledged_at.is_some(),
            tag: update.tag.as_ref(),
            workloads: update.places.iter().filter(|place| !place.workload.is_empty()).count(),
            hosts,
            reports: None,
        }
    }
}

impl<'a> UpdateView<'a> {
    /// An update with everything that was said of its image.
    pub fn with_reports(update: &'a Update, reports: &'a [Report]) -> Self {
        let reports = reports.iter().map(|report| ReportView {
            digest: &report.digest,
            hostname: &report.place.hostname,
            provider: &report.place.provider,
            workload: &report.place.workload,
            status: &report.status,
            metadata: &report.metadata,
            first_seen: report.first_seen,
            last_seen: report.last_seen,
            times: report.times,
            current: report.digest == update.event.digest,
        });
        Self { reports: Some(reports.collect()), ..Self::from(update) }
    }
}

impl From<Counts> for CountsView {
    fn from(counts: Counts) -> Self {
        Self {
            pending: counts.pending,
            acknowledged: counts.acknowledged,
            total: counts.pending + counts.acknowledged,
            oldest_pending: counts.oldest_pending,
            newest_pending: counts.newest_pending,
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
fn rfc3339<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

#[allow(clippy::ref_option, reason = "serde passes references")]
fn rfc3339_or_null<S: Serializer>(
    time: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, serializer),
        None => serializer.serialize_none(),
    }
}

/// Compact JSON in which what a terminal could act on is escaped.
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
