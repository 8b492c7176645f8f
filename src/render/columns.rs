//! Column layout: untruncated for a pipe, fitted for a terminal.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, Width};
use unicode_width::UnicodeWidthStr;

use super::terminal::{Terminal, safe};

/// The longest cell, in characters, even if the line has room: an image's name can have 500, and a hostile event's
/// fields a million.
const CELL: usize = 1_000;
/// The space between two columns.
const GAP: u16 = 2;
/// A column of at most this width, such as one of times, is shortened last.
const NARROW: usize = 14;

/// The start of a text, with control characters escaped.
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

/// The same, with a dash for nothing.
pub(super) fn cell_or_dash(text: &str) -> String {
    cell(if text.is_empty() { "-" } else { text })
}

/// A column of a table.
#[derive(Clone, Copy)]
pub(super) struct Column {
    heading: &'static str,
    /// Shortens a value that does not fit. If it is `None`, the value continues on the next line.
    fit: Option<fn(&str, usize) -> String>,
}

impl Column {
    /// A column whose long values take several lines.
    pub(super) const fn wrapped(heading: &'static str) -> Self {
        Self { heading, fit: None }
    }

    /// A column whose values are shortened.
    pub(super) const fn fitted(heading: &'static str, fit: fn(&str, usize) -> String) -> Self {
        Self { heading, fit: Some(fit) }
    }
}

/// Prints a table, with a link for the first cell of each row.
pub(super) fn print<'a>(
    out: &mut dyn Write,
    columns: &[Column],
    rows: impl Iterator<Item = Vec<String>>,
    links: impl Iterator<Item = &'a str>,
    terminal: Terminal,
) -> io::Result<()> {
    let rows: Vec<_> = rows.collect();
    let mut widths: Vec<usize> = columns.iter().map(|column| column.heading.width()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    match terminal.width {
        Some(room) => {
            let widths = fitting(widths, columns, room);
            arrange(out, columns, rows, links, &widths, terminal)
        }
        None => align(out, columns, &rows, links, &widths, terminal),
    }
}

/// Prints an untruncated table for pipes.
fn align<'a>(
    out: &mut dyn Write,
    columns: &[Column],
    rows: &[Vec<String>],
    mut links: impl Iterator<Item = &'a str>,
    widths: &[usize],
    terminal: Terminal,
) -> io::Result<()> {
    let heading = pad(columns.iter().map(|column| column.heading), widths);
    writeln!(out, "{}", terminal.heading(&heading))?;
    for row in rows {
        let line = pad(row.iter().map(String::as_str), widths);
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

/// Prints a table that fits a terminal.
fn arrange<'a>(
    out: &mut dyn Write,
    columns: &[Column],
    rows: Vec<Vec<String>>,
    mut links: impl Iterator<Item = &'a str>,
    widths: &[usize],
    terminal: Terminal,
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_truncation_indicator("…");
    table.set_content_arrangement(ContentArrangement::Disabled);
    let mut header = Row::from(columns.iter().map(|column| column.heading));
    header.max_height(1);
    table.set_header(header);
    let mut names = Vec::new();
    for mut row in rows {
        names.push(row[0].clone());
        for ((cell, column), &width) in row.iter_mut().zip(columns).zip(widths) {
            if let Some(fit) = column.fit {
                *cell = fit(cell, width);
            }
        }
        table.add_row(row);
    }
    for (column, &width) in table.column_iter_mut().zip(widths) {
        let width = u16::try_from(width).unwrap_or(u16::MAX).saturating_add(GAP);
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
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

/// The width of each column, such that all fit. The widest column is reduced first. The first column gets twice the
/// room of the others, because people copy from it. Headings are kept whole if possible.
fn fitting(mut widths: Vec<usize>, columns: &[Column], room: usize) -> Vec<usize> {
    let room = room.saturating_sub(usize::from(GAP) * columns.len().saturating_sub(1));
    for floor in [|heading: &str| heading.len().max(NARROW), str::len, |_: &str| 1] {
        while widths.iter().sum::<usize>() > room {
            let wide =
                (0..widths.len()).filter(|&index| widths[index] > floor(columns[index].heading));
            let weight = |&index: &usize| if index == 0 { widths[0] / 2 } else { widths[index] };
            let Some(widest) = wide.max_by_key(weight) else { break };
            widths[widest] -= 1;
        }
    }
    widths
}
