//! A page about one update, for people.

use std::io::{self, Write};

use chrono::{DateTime, Utc};

use super::table::{Long, cell, cut, places, print};
use super::terminal::{Terminal, safe};
use super::time::{ago, full};
use crate::event::{Event, parse_created};
use crate::store::{Report, Update};

/// A value on a page holds no more than this on a terminal: a pod's status can have many KiB, and
/// would push who runs the image out of sight.
const VALUE: usize = 500;

/// Prints one update on a page: its newest event, who runs it, and its earlier digests.
///
/// # Errors
/// When it cannot be written.
pub fn update(
    out: &mut dyn Write,
    update: &Update,
    reports: &[Report],
    now: DateTime<Utc>,
    terminal: Terminal,
) -> io::Result<()> {
    let event = &update.event;
    let state = update
        .acknowledged_at
        .map_or("pending".to_owned(), |time| format!("acknowledged {}", full(time, now)));
    let created = event.created.as_deref().and_then(|text| parse_created(text).ok().flatten());
    let sender = match (event.diun_version.as_str(), event.hostname.as_str()) {
        ("", "") => String::new(),
        ("", host) => format!("Diun on {host}"),
        (version, "") => format!("Diun {version}"),
        (version, host) => format!("Diun {version} on {host}"),
    };
    let entries = [
        ("Image", event.image.clone()),
        ("State", state),
        ("Received", full(update.received_at, now)),
        ("Tag", update.tag.as_ref().map(|tag| tag.name.clone()).unwrap_or_default()),
        ("Status", event.status.clone()),
        ("Digest", event.digest.clone()),
        ("Built", created.map(|time| full(time.to_utc(), now)).unwrap_or_default()),
        ("Platform", event.platform.clone()),
        ("Media type", event.mime_type.clone()),
        ("Link", event.hub_link.clone()),
        ("Sent by", sender),
    ];
    for (label, value) in entries {
        if !value.is_empty() {
            let value = shorten(&value, terminal);
            let value =
                if label == "Link" { terminal.link(&value, &event.hub_link) } else { value.into() };
            writeln!(out, "{} {value}", terminal.heading(&format!("{label:<10}")))?;
        }
    }
    metadata(out, event, terminal)?;
    reported(out, update, reports, now, terminal)
}

fn metadata(out: &mut dyn Write, event: &Event, terminal: Terminal) -> io::Result<()> {
    if !event.metadata.is_empty() {
        section(out, "Metadata", terminal)?;
        let longest = event.metadata.keys().map(|key| safe(key).chars().count()).max();
        let width = longest.unwrap_or_default().min(30);
        for (key, value) in &event.metadata {
            writeln!(out, "{:<width$}  {}", shorten(key, terminal), shorten(value, terminal))?;
        }
    }
    Ok(())
}

fn reported(
    out: &mut dyn Write,
    update: &Update,
    reports: &[Report],
    now: DateTime<Utc>,
    terminal: Terminal,
) -> io::Result<()> {
    let is_current = |report: &&Report| report.digest == update.event.digest;
    section(out, "Who runs it", terminal)?;
    let mut host = None;
    let rows = reports.iter().filter(is_current).map(|report| {
        let place = &report.place;
        // A host's name stands at its first workload only.
        let first = host.replace(&place.hostname) != Some(&place.hostname);
        vec![
            if first { cell(&place.hostname) } else { String::new() },
            cell(&place.provider),
            cell(if place.workload.is_empty() { "-" } else { &place.workload }),
            cell(&report.status),
            ago(report.first_seen, now),
            ago(report.last_seen, now),
            report.times.to_string(),
        ]
    });
    let headings = ["HOST", "PROVIDER", "WORKLOAD", "STATUS", "FIRST SEEN", "LAST SEEN", "TIMES"];
    if reports.iter().any(|report| is_current(&report)) {
        print(out, &headings, rows, std::iter::empty(), Long::Wrapped, terminal)?;
    } else {
        writeln!(out, "{}", cell(&places(update.places.first(), update.places.len())))?;
    }
    earlier(out, reports.iter().filter(|report| !is_current(report)), now, terminal)
}

fn earlier<'a>(
    out: &mut dyn Write,
    reports: impl Iterator<Item = &'a Report>,
    now: DateTime<Utc>,
    terminal: Terminal,
) -> io::Result<()> {
    let reports: Vec<&Report> = reports.collect();
    if reports.is_empty() {
        return Ok(());
    }
    section(out, "Earlier digests", terminal)?;
    let rows = reports.chunk_by(|a, b| a.digest == b.digest).map(|reports| {
        let first = reports.iter().map(|report| report.first_seen).min().unwrap_or_default();
        let last = reports.iter().map(|report| report.last_seen).max().unwrap_or_default();
        let where_ = places(Some(&reports[0].place), reports.len());
        vec![cell(&reports[0].digest), ago(first, now), ago(last, now), cell(&where_)]
    });
    print(
        out,
        &["DIGEST", "FIRST SEEN", "LAST SEEN", "WHERE"],
        rows,
        std::iter::empty(),
        Long::Wrapped,
        terminal,
    )
}

fn section(out: &mut dyn Write, title: &str, terminal: Terminal) -> io::Result<()> {
    writeln!(out, "\n{}", terminal.heading(title))
}

/// A value as it fits a page: whole where it goes to a file or a pipe.
fn shorten(value: &str, terminal: Terminal) -> String {
    let (mut text, is_cut) = cut(value, terminal.width.map_or(usize::MAX, |_| VALUE));
    if is_cut {
        text.push_str("… (--format json has all of it)");
    }
    text
}
