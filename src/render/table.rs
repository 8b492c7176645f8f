//! Tables for people.

use std::io::{self, Write};

use chrono::{DateTime, Utc};

use super::columns::{Column, cell, cell_or_dash, print};
use super::fit;
use super::place::{places, progress};
use super::refused::sentence;
use super::terminal::Terminal;
use super::time::{ago, until};
use crate::image::short_name;
use crate::inbox::refused::Refused;
use crate::inbox::scan::Scans;
use crate::inbox::update::{Counts, State, Tag, Update};

/// On a terminal with fewer columns, optional columns are left out.
const ROOMY: usize = 60;

/// Prints updates of some states, one per line, with the state if there can be several, and until when they are snoozed
/// if all are.
///
/// # Errors
/// When they cannot be written.
pub fn updates(
    out: &mut dyn Write,
    updates: &[Update],
    states: &[State],
    now: DateTime<Utc>,
    terminal: Terminal,
) -> io::Result<()> {
    let is_roomy = terminal.width.is_none_or(|width| width >= ROOMY);
    let are_snoozed = states == [State::Snoozed];
    let with_since = !are_snoozed || terminal.width.is_none() || terminal.is_wide();
    let columns = [
        (Column::fitted("IMAGE", fit::name), true),
        (Column::fitted("STATUS", fit::end), is_roomy),
        (Column::fitted("CHANGE", fit::end), terminal.is_wide()),
        (Column::fitted("WHERE", fit::place), true),
        (Column::fitted("SINCE", fit::end), with_since),
        (Column::fitted("UNTIL", fit::end), are_snoozed),
        (Column::fitted("TAG", fit::end), is_roomy),
        (Column::fitted("STATE", fit::end), states.len() > 1),
    ];
    let rows = updates.iter().map(|update| {
        let since = ago(update.since, now);
        let row = [
            name(update),
            cell_or_dash(&update.event.status),
            cell(&update.change_from()),
            cell(&(places(update) + &progress(update))),
            if is_roomy { since } else { since.trim_end_matches(" ago").to_owned() },
            update.snooze_end().map_or_else(String::new, |end| until(end, now)),
            cell(update.tag.as_ref().map_or("-", |tag| &tag.name)),
            update.state.to_string(),
        ];
        row.into_iter()
            .zip(columns)
            .filter(|(_, (_, shown))| *shown)
            .map(|(cell, _)| cell)
            .collect()
    });
    let columns: Vec<_> =
        columns.into_iter().filter(|(_, shown)| *shown).map(|(column, _)| column).collect();
    let links = updates.iter().map(|update| update.event.hub_link.as_str());
    print(out, &columns, rows, links, terminal)
}

/// Prints an update in a line of its own, without columns.
///
/// # Errors
/// When it cannot be written.
pub fn line(out: &mut dyn Write, update: &Update, now: DateTime<Utc>) -> io::Result<()> {
    let place = places(update) + &progress(update);
    let (name, change) = (name(update), update.change.name());
    writeln!(out, "{name}  {change}  {}  {}", cell(&place), ago(update.since, now))
}

/// The short name of an image, and the number of older versions that are folded under it.
fn name(update: &Update) -> String {
    let name = cell(short_name(&update.event.image));
    match update.older {
        0 => name,
        older => format!("{name} +{older} older"),
    }
}

/// Prints tags, and how many images carry each.
///
/// # Errors
/// When they cannot be written.
pub fn tags<'a>(
    out: &mut dyn Write,
    tags: impl Iterator<Item = (&'a Tag, u64)>,
    terminal: Terminal,
) -> io::Result<()> {
    let rows = tags.map(|(tag, images)| vec![cell(&tag.name), images.to_string()]);
    let columns = [Column::fitted("TAG", fit::end), Column::fitted("IMAGES", fit::end)];
    print(out, &columns, rows, std::iter::empty(), terminal)
}

/// Prints the counts in a line.
///
/// # Errors
/// When it cannot be written.
pub fn counts(
    out: &mut dyn Write,
    counts: Counts,
    scans: &[(String, Scans)],
    refused: &[Refused],
    now: DateTime<Utc>,
) -> io::Result<()> {
    write!(out, "{} pending", counts.pending)?;
    if let Some(oldest) = counts.oldest_pending {
        write!(out, " (oldest {})", ago(oldest, now))?;
    }
    for (count, state) in [
        (counts.snoozed, State::Snoozed),
        (counts.superseded, State::Superseded),
        (counts.ignored, State::Ignored),
    ] {
        if count > 0 {
            write!(out, ", {count} {state}")?;
        }
    }
    write!(out, ", {} acknowledged", counts.acknowledged)?;
    let trouble = scans.iter().filter(|(_, scans)| scans.has_trouble(now));
    let trouble: Vec<String> = trouble.map(|(host, _)| cell(host)).collect();
    if !trouble.is_empty() {
        write!(out, "; look at Diun on {}", trouble.join(", "))?;
    }
    if let Some(refused) = sentence(refused, now) {
        write!(out, "; {refused}")?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::event::{Event, Metadata};
    use crate::inbox::labels::Labels;
    use crate::inbox::update::Place;
    use crate::inbox::version::Change;

    fn update(image: &str, workloads: usize) -> Update {
        let place = |index| Place {
            hostname: "edge-1".into(),
            provider: "docker".into(),
            workload: format!("api-{index}"),
            digest: String::new(),
            status: String::new(),
            metadata: Metadata::new(),
            first_seen: DateTime::UNIX_EPOCH,
            last_seen: DateTime::UNIX_EPOCH,
            times: 1,
            is_needed: true,
            ..Place::default()
        };
        Update {
            event: Event {
                image: image.into(),
                status: "new".into(),
                hub_link: "https://example.com".into(),
                ..Event::default()
            },
            received_at: DateTime::UNIX_EPOCH,
            since: DateTime::UNIX_EPOCH,
            state: State::Pending,
            acknowledged_at: None,
            snoozed_until: None,
            note: None,
            tag: None,
            places: (0..workloads).map(place).collect(),
            changed: 0,
            older: 0,
            supersedes: Vec::new(),
            change: Change::New,
            previous: None,
            labels: Labels::default(),
        }
    }

    fn listed(listed: &[Update], terminal: Terminal) -> String {
        let mut out = Vec::new();
        updates(&mut out, listed, &[State::Pending], DateTime::UNIX_EPOCH, terminal).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_pipe_gets_whole_values() {
        let long = format!("ghcr.io/{}:1", "a".repeat(200));
        let text = listed(
            &[update("docker.io/library/nginx:1", 1), update(&long, 8)],
            Terminal::default(),
        );
        assert!(text.contains(&format!("\n{long}  new     edge-1/api-0 +7  now    -\n")), "{text}");
        assert!(text.contains("\nnginx:1 "), "{text}");
    }

    #[test]
    fn a_terminal_gets_one_line_a_row_and_no_more_than_fits() {
        let long = format!("ghcr.io/{}:1", "a".repeat(200));
        let text = listed(
            &[update(&long, 8), update("a\nb", 1), update("日本語:1", 2)],
            Terminal { width: Some(80), ..Terminal::default() },
        );
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.contains('…') && text.contains("a\\nb "), "{text}");
    }

    #[test]
    fn headings_take_one_line_and_no_row_is_lost_however_narrow_it_is() {
        let mut image = update(&"x".repeat(90), 9);
        image.tag = Some(Tag { id: 1, name: "monitoring and other things".into() });
        for width in 1..120 {
            let terminal = Terminal { width: Some(width), ..Terminal::default() };
            let mut out = Vec::new();
            let listed = [image.clone(), image.clone(), image.clone()];
            updates(&mut out, &listed, &State::ALL, DateTime::UNIX_EPOCH, terminal).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text.lines().count(), 4, "{width}\n{text}");
            let fits = |line: &str| line.chars().count() <= width;
            assert!(width < 20 || text.lines().all(fits), "{width}\n{text}");
            let heading = text.lines().next().unwrap();
            let is_whole =
                |headings: &[&str]| heading.split_whitespace().eq(headings.iter().copied());
            assert_eq!(
                is_whole(&["IMAGE", "WHERE", "SINCE", "STATE"]),
                (26..60).contains(&width),
                "{width}\n{text}"
            );
            let all = ["IMAGE", "STATUS", "WHERE", "SINCE", "TAG", "STATE"];
            assert_eq!(is_whole(&all), (60..100).contains(&width), "{width}\n{text}");
            let all = ["IMAGE", "STATUS", "CHANGE", "WHERE", "SINCE", "TAG", "STATE"];
            assert_eq!(is_whole(&all), width >= 100, "{width}\n{text}");
        }
    }

    #[test]
    fn rows_can_be_told_apart_at_every_usual_width() {
        let images: Vec<_> = (1..30)
            .map(|index| {
                let name = format!("registry.example.com:5000/platform/services/shop:1.0.{index}");
                update(&name, 8)
            })
            .collect();
        for width in [40, 60, 80, 120, 200] {
            let text = listed(&images, Terminal { width: Some(width), ..Terminal::default() });
            for (index, line) in text.lines().skip(1).enumerate() {
                assert!(line.contains(&format!("/shop:1.0.{} ", index + 1)), "{width}\n{text}");
                assert!(line.contains(" +7 "), "{width}\n{text}");
                assert!(line.width() <= width, "{width}\n{text}");
            }
        }
    }

    #[test]
    fn a_name_that_is_shown_whole_is_linked() {
        let terminal = Terminal { width: Some(80), height: None, color: true, links: true };
        let text = listed(&[update("docker.io/library/nginx:1", 1)], terminal);
        assert!(
            text.contains("\x1b]8;;https://example.com\x1b\\nginx:1\x1b]8;;\x1b\\  new "),
            "{text}"
        );
    }

    #[test]
    fn a_million_characters_are_handled() {
        for terminal in [Terminal::default(), Terminal { width: Some(20), ..Terminal::default() }] {
            let text = listed(&[update(&"x".repeat(1 << 20), 1)], terminal);
            assert_eq!(text.lines().count(), 2);
            assert!(text.len() < 3_000);
        }
    }
}
