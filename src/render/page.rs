//! One update in full, as text.

use std::io::{self, Write};

use chrono::{DateTime, Utc};

use super::columns::{Column, cell, cell_or_dash, cut, print};
use super::history;
use super::links::Links;
use super::place::{runs, short_digest, state};
use super::terminal::{Terminal, safe};
use super::time::{self, ago, date, full};
use crate::event::{Event, parse_created};
use crate::image::short_name;
use crate::inbox::history::Entry;
use crate::inbox::update::{Digest, State, Update};

/// The longest value on a terminal, in characters. A pod's status can have many KiB, which would push the places off
/// the screen.
const VALUE: usize = 500;

/// Prints one update in full: its newest event, its places and its earlier digests.
///
/// # Errors
/// When it cannot be written.
pub fn update(
    out: &mut dyn Write,
    update: &Update,
    digests: &[Digest],
    decided: &[Entry],
    now: DateTime<Utc>,
    terminal: Terminal,
) -> io::Result<()> {
    let event = &update.event;
    let links = Links::of(update);
    let state = match (update.state, update.acknowledged_at, update.snooze_end()) {
        (State::Acknowledged, Some(at), _) => format!("acknowledged {}", full(at, now)),
        (_, _, Some(until)) => {
            format!("snoozed until {} ({})", date(until), time::until(until, now))
        }
        (state, ..) => state.to_string(),
    };
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
        ("Note", update.note.clone().unwrap_or_default()),
        ("Change", update.change_from()),
        (
            "Older",
            update.supersedes.iter().map(|image| short_name(image)).collect::<Vec<_>>().join(", "),
        ),
        ("Since", full(update.since, now)),
        ("Received", full(update.received_at, now)),
        ("Tag", update.tag.as_ref().map(|tag| tag.name.clone()).unwrap_or_default()),
        ("Status", event.status.clone()),
        ("Digest", event.digest.clone()),
        ("Built", created.map(|time| full(time.to_utc(), now)).unwrap_or_default()),
        ("Platform", event.platform.clone()),
        ("Media type", event.mime_type.clone()),
        ("Version", update.labels.version.clone()),
        ("Link", links.hub.unwrap_or_default().to_owned()),
        ("Source", links.source.unwrap_or_default().to_owned()),
        ("Changelog", links.changelog.unwrap_or_default().to_owned()),
        ("Sent by", sender),
    ];
    for (label, value) in entries {
        if !value.is_empty() {
            let value = shorten(&value, terminal);
            let is_link = ["Link", "Source", "Changelog"].contains(&label);
            let value = if is_link { terminal.link(&value, &value) } else { value.into() };
            writeln!(out, "{} {value}", terminal.heading(&format!("{label:<10}")))?;
        }
    }
    metadata(out, event, terminal)?;
    where_(out, update, now, terminal)?;
    earlier(out, digests, now, terminal)?;
    if !decided.is_empty() {
        section(out, "History", terminal)?;
        history::table(out, decided, now, terminal)?;
    }
    Ok(())
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

fn where_(
    out: &mut dyn Write,
    update: &Update,
    now: DateTime<Utc>,
    terminal: Terminal,
) -> io::Result<()> {
    section(out, "Where", terminal)?;
    let mut host = None;
    let is_compared = update.places.iter().any(|place| place.runs.is_some());
    let rows = update.places.iter().map(|place| {
        // The host is printed at its first workload only.
        let first = host.replace(&place.hostname) != Some(&place.hostname);
        let digest = match place.digest.as_str() {
            // The place was seen running, and was never reported.
            "" => "-",
            digest if digest == update.event.digest => "current",
            digest => short_digest(digest),
        };
        let running = match &place.runs {
            Some(found) => runs(&found.digests, &update.event.digest, Some(found.since), now),
            None => "-".to_owned(),
        };
        let mut row = vec![
            if first { cell_or_dash(&place.hostname) } else { String::new() },
            cell_or_dash(&place.provider),
            cell_or_dash(&place.workload),
            state(place).to_owned(),
            cell(digest),
            ago(place.last_seen, now),
        ];
        if is_compared {
            row.insert(4, cell(&running));
        }
        row
    });
    let mut columns = vec!["HOST", "PROVIDER", "WORKLOAD", "STATE", "REPORTED", "LAST SEEN"];
    if is_compared {
        columns.insert(4, "RUNS");
    }
    let columns: Vec<Column> = columns.into_iter().map(Column::wrapped).collect();
    print(out, &columns, rows, std::iter::empty(), terminal)
}

fn earlier(
    out: &mut dyn Write,
    digests: &[Digest],
    now: DateTime<Utc>,
    terminal: Terminal,
) -> io::Result<()> {
    if digests.is_empty() {
        return Ok(());
    }
    section(out, "Earlier digests", terminal)?;
    let rows = digests.iter().map(|digest| {
        let (first, last) = (ago(digest.first_seen, now), ago(digest.last_seen, now));
        vec![cell(&digest.digest), first, last]
    });
    let columns = ["DIGEST", "FIRST SEEN", "LAST SEEN"];
    print(out, &columns.map(Column::wrapped), rows, std::iter::empty(), terminal)
}

fn section(out: &mut dyn Write, title: &str, terminal: Terminal) -> io::Result<()> {
    writeln!(out, "\n{}", terminal.heading(title))
}

/// A value, cut on a terminal and whole in a file or a pipe.
fn shorten(value: &str, terminal: Terminal) -> String {
    let (mut text, is_cut) = cut(value, terminal.width.map_or(usize::MAX, |_| VALUE));
    if is_cut {
        text.push_str("… (--format json has all of it)");
    }
    text
}
