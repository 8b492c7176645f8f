//! Tables for people.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, Width};
use unicode_width::UnicodeWidthStr;

use super::place::places;
use super::terminal::{Terminal, safe};
use super::time::ago;
use crate::image::short_name;
use crate::inbox::update::{Counts, State, Tag, Update};

/// A cell holds no more characters than this, even where its line has room: an image's name can
/// have 500, and a hostile event's a million.
const CELL: usize = 1_000;
/// Between two columns.
const GAP: u16 = 2;
/// A column that is no wider than this, such as one of times, gives way last.
const NARROW: usize = 14;

/// Prints updates, one per line, with their states if there can be several.
///
/// # Errors
/// When they cannot be written.
pub fn updates(
    out: &mut dyn Write,
    updates: &[Update],
    with_state: bool,
    now: DateTime<Utc>,
    terminal: Terminal,
) -> io::Result<()> {
    let mut headings = vec!["IMAGE", "STATUS", "WHERE", "SINCE", "TAG"];
    if with_state {
        headings.push("STATE");
    }
    let rows = updates.iter().map(|update| {
        let status = update.event.status.as_str();
        let mut row = vec![
            cell(short_name(&update.event.image)),
            cell(if status.is_empty() { "-" } else { status }),
            cell(&places(update)),
            ago(update.since, now),
            cell(update.tag.as_ref().map_or("-", |tag| &tag.name)),
        ];
        if with_state {
            row.push(update.state.to_string());
        }
        row
    });
    let links = updates.iter().map(|update| update.event.hub_link.as_str());
    print(out, &headings, rows, links, Long::Cut, terminal)
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
    print(out, &["TAG", "IMAGES"], rows, std::iter::empty(), Long::Cut, terminal)
}

/// Prints the counts in a line.
///
/// # Errors
/// When it cannot be written.
pub fn counts(out: &mut dyn Write, counts: Counts, now: DateTime<Utc>) -> io::Result<()> {
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
    writeln!(out, ", {} acknowledged", counts.acknowledged)
}

/// The start of a text, without a character that could do harm.
pub(super) fn cut(text: &str, most: usize) -> (String, bool) {
    let end = if text.len() > most { text.char_indices().nth(most) } else { None };
    match end {
        Some((end, _)) => (safe(&text[..end]).into_owned(), true),
        None => (safe(text).into_owned(), false),
    }
}

pub(super) fn cell(text: &str) -> String {
    let (mut text, is_cut) = cut(text, CELL);
    if is_cut {
        text.push('…');
    }
    text
}

/// What becomes of a value that has no room on the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Long {
    /// It loses its end, and a row takes one line.
    Cut,
    /// It goes on in the next line.
    Wrapped,
}

/// Prints a table, with a link for the first cell of each row.
pub(super) fn print<'a>(
    out: &mut dyn Write,
    headings: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
    links: impl Iterator<Item = &'a str>,
    long: Long,
    terminal: Terminal,
) -> io::Result<()> {
    match terminal.width {
        Some(width) => arrange(out, headings, rows, links, long, (terminal, width)),
        None => align(out, headings, &rows.collect::<Vec<_>>(), links, terminal),
    }
}

/// Prints whole values below one another. There is nothing to arrange, and who reads thousands of
/// lines from a pipe waits for each.
fn align<'a>(
    out: &mut dyn Write,
    headings: &[&str],
    rows: &[Vec<String>],
    mut links: impl Iterator<Item = &'a str>,
    terminal: Terminal,
) -> io::Result<()> {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let heading = pad(headings.iter().copied(), &widths);
    writeln!(out, "{}", terminal.heading(&heading))?;
    for row in rows {
        let line = pad(row.iter().map(String::as_str), &widths);
        match links.next() {
            Some(link) if terminal.links && line.len() >= row[0].len() => {
                let (name, rest) = line.split_at(row[0].len());
                writeln!(out, "{}{rest}", terminal.link(name, link))?;
            }
            _ => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

fn pad<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let mut line = String::with_capacity(widths.iter().sum::<usize>() + 8 * widths.len());
    for (cell, width) in cells.zip(widths) {
        line.push_str(cell);
        line.extend(std::iter::repeat_n(' ', width + usize::from(GAP) - cell.width()));
    }
    line.truncate(line.trim_end().len());
    line
}

/// Prints what fits a terminal.
fn arrange<'a>(
    out: &mut dyn Write,
    headings: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
    mut links: impl Iterator<Item = &'a str>,
    long: Long,
    (terminal, width): (Terminal, usize),
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING).set_truncation_indicator("…");
    table.set_content_arrangement(ContentArrangement::Disabled);
    let mut header = Row::from(headings);
    header.max_height(1);
    table.set_header(header);
    let mut names = Vec::new();
    for cells in rows {
        names.push(cells[0].clone());
        let mut row = Row::from(cells);
        if long == Long::Cut {
            row.max_height(1);
        }
        table.add_row(row);
    }
    let contents: Vec<usize> =
        table.column_max_content_widths().into_iter().map(usize::from).collect();
    for (column, width) in table.column_iter_mut().zip(widths(&contents, headings, width)) {
        let width = u16::try_from(width).unwrap_or(u16::MAX).saturating_add(GAP);
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    let mut lines = table.lines();
    if let Some(line) = lines.next() {
        writeln!(out, "{}", terminal.heading(line.trim_end()))?;
    }
    let mut names = names.iter();
    for line in lines {
        let line = line.trim_end();
        let name = names.next().map_or("", String::as_str);
        match (links.next(), line.strip_prefix(name)) {
            (Some(link), Some(rest)) => writeln!(out, "{}{rest}", terminal.link(name, link))?,
            _ => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

/// How wide each column gets, so that all fit. The widest gives way, and the first, which people
/// copy from, is given twice the room of another. Headings stay whole where that is possible.
fn widths(contents: &[usize], headings: &[&str], room: usize) -> Vec<usize> {
    let room = room.saturating_sub(usize::from(GAP) * headings.len().saturating_sub(1));
    let mut widths = contents.to_vec();
    for floor in [|heading: &str| heading.len().max(NARROW), str::len, |_: &str| 1] {
        while widths.iter().sum::<usize>() > room {
            let wide = (0..widths.len()).filter(|&index| widths[index] > floor(headings[index]));
            let weight = |&index: &usize| if index == 0 { widths[0] / 2 } else { widths[index] };
            let Some(widest) = wide.max_by_key(weight) else { break };
            widths[widest] -= 1;
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Metadata};
    use crate::inbox::update::Place;

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
        }
    }

    fn listed(listed: &[Update], terminal: Terminal) -> String {
        let mut out = Vec::new();
        updates(&mut out, listed, false, DateTime::UNIX_EPOCH, terminal).unwrap();
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
            updates(&mut out, &listed, true, DateTime::UNIX_EPOCH, terminal).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text.lines().count(), 4, "{width}\n{text}");
            let fits = |line: &str| line.chars().count() <= width;
            assert!(width < 20 || text.lines().all(fits), "{width}\n{text}");
            let whole = ["IMAGE", "STATUS", "WHERE", "SINCE", "TAG", "STATE"]
                .into_iter()
                .all(|heading| text.lines().next().unwrap().contains(heading));
            assert_eq!(whole, width >= 39, "{width}\n{text}");
        }
    }

    #[test]
    fn a_name_that_is_shown_whole_is_linked() {
        let terminal = Terminal { width: Some(80), color: true, links: true };
        let text = listed(&[update("docker.io/library/nginx:1", 1)], terminal);
        assert!(
            text.contains("\x1b]8;;https://example.com\x1b\\nginx:1\x1b]8;;\x1b\\  new "),
            "{text}"
        );
    }

    #[test]
    fn a_million_characters_do_no_harm() {
        for terminal in [Terminal::default(), Terminal { width: Some(20), ..Terminal::default() }] {
            let text = listed(&[update(&"x".repeat(1 << 20), 1)], terminal);
            assert_eq!(text.lines().count(), 2);
            assert!(text.len() < 3_000);
        }
    }
}
