//! Determines which updates are superseded, and what an update is compared with.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::labels;
use super::row::text;
use super::upsert::next_change;
use crate::event::parse_created;
use crate::image::tag;
use crate::inbox::fold::{Line, Member, Standing, folded_under, superseded_from};
use crate::inbox::update::Update;
use crate::inbox::version::{Change, Version};

/// The lines to fold again, each with its new images; `None` if other members have changed too.
#[derive(Default)]
pub(in crate::store) struct Lines(BTreeMap<Line, Option<BTreeSet<String>>>);

impl Lines {
    /// Adds a line in which this image is new.
    pub(in crate::store) fn added(&mut self, line: Line, image: &str) {
        if let Some(images) = self.0.entry(line).or_insert_with(|| Some(BTreeSet::new())) {
            images.insert(image.to_owned());
        }
    }

    /// The lines.
    #[cfg(feature = "postgres")]
    pub(in crate::store) fn keys(&self) -> impl Iterator<Item = &Line> + Clone {
        self.0.keys()
    }

    /// Adds a line in which something has changed.
    pub(in crate::store) fn changed(&mut self, line: Option<Line>) {
        self.0.extend(line.map(|line| (line, None)));
    }
}

/// The line of an update, and its rank in that line.
pub(in crate::store) fn standing(update: &Update) -> Option<Standing> {
    Standing::new(&update.event.image, update.received_at.timestamp_millis())
}

/// The line of an image, if it has one.
pub(in crate::store) fn of(connection: &Connection, image: &str) -> Result<Option<Line>> {
    let sql = "SELECT received FROM updates WHERE image = ?1";
    let received =
        connection.prepare_cached(sql)?.query_row([image], |row| row.get(0)).optional()?;
    let standing = received.and_then(|received| Standing::new(image, received));
    Ok(standing.map(|standing| standing.line))
}

/// Folds lines again: determines which of their updates are superseded.
pub(in crate::store) fn fold(connection: &Connection, lines: Lines) -> Result<()> {
    let set = "UPDATE updates SET superseded_from = ?2, older = ?3";
    let mut update = connection.prepare_cached(&format!("{set}, changed = ?4 WHERE image = ?1"))?;
    let mut update_new = connection.prepare_cached(&format!("{set} WHERE image = ?1"))?;
    let mut change = None;
    for (line, added) in lines.0 {
        // A superseded update stays superseded when others are added.
        let which = if added.is_some() { Which::Tops } else { Which::All };
        let rows = rows(connection, &line, which)?;
        let froms = rows.iter().map(|row| from(connection, &line, &rows, row, added.as_ref()));
        let froms: Vec<Option<i64>> = froms.collect::<Result<_>>()?;
        let older = older_of_tops(connection, &line, &rows, &froms)?;
        for (row, from) in rows.iter().zip(froms) {
            let older = if from == Some(0) { row.older } else { older };
            let image = &row.member.image;
            if (from, older) == (row.from, row.older) {
                continue;
            }
            // It was given a new number when it was inserted.
            if added.as_ref().is_some_and(|added| added.contains(image)) {
                update_new.execute(params![image, from, older])?;
                continue;
            }
            let number = match change {
                Some(number) => number,
                None => next_change(connection)?,
            };
            update.execute(params![image, from, older, number])?;
            change = Some(number + 1);
        }
    }
    Ok(())
}

/// The time from which an update is superseded.
fn from(
    connection: &Connection,
    line: &Line,
    rows: &[Row],
    row: &Row,
    added: Option<&BTreeSet<String>>,
) -> Result<Option<i64>> {
    let from = superseded_from(rows.iter().map(|newer| &newer.member), &row.member);
    Ok(match added {
        Some(_) if from == Some(0) => from,
        // An update that is superseded itself can still supersede it.
        Some(added) if added.contains(&row.member.image) => {
            let above = Line { from: row.member.standing.rank.clone(), ..line.clone() };
            superseded_from(&members(connection, &above)?, &row.member)
        }
        Some(_) => [row.from, from].into_iter().flatten().min(),
        None => from,
    })
}

/// The number of updates that are folded under each one that is not superseded; `None` if it depends on the
/// time of the query.
fn older_of_tops(
    connection: &Connection,
    line: &Line,
    rows: &[Row],
    froms: &[Option<i64>],
) -> Result<Option<i64>> {
    let sql = "SELECT count(*) FROM updates WHERE series = ?1 AND rank >= ?2 AND rank < ?3
        AND acknowledged_at IS NULL AND ignored = 0";
    let mut count = connection.prepare_cached(sql)?;
    let all: i64 = count.query_row([&line.series, &line.from, &line.to], |row| row.get(0))?;
    let tops: Vec<_> = rows.iter().zip(froms).filter(|(_, from)| **from != Some(0)).collect();
    Ok(match tops.as_slice() {
        [_] => Some(all - 1),
        // Nothing is folded, and the end of a snooze will not change that.
        tops if all == i64::try_from(tops.len()).unwrap_or(0)
            && tops.iter().all(|(_, from)| from.is_none()) =>
        {
            Some(0)
        }
        _ => None,
    })
}

/// Which updates of a line to read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    /// Those that are not superseded yet.
    Tops,
}

/// A row of an update that belongs to a line, and is neither acknowledged nor ignored.
struct Row {
    member: Member,
    from: Option<i64>,
    older: Option<i64>,
}

/// The updates of a line that are neither acknowledged nor ignored, newest first.
fn rows(connection: &Connection, line: &Line, which: Which) -> Result<Vec<Row>> {
    let tops = match which {
        Which::All => "",
        Which::Tops => "AND (superseded_from IS NULL OR superseded_from > 0)",
    };
    let sql = format!(
        "SELECT image, received, created, coalesce(snoozed_until, 0), superseded_from, older
        FROM updates WHERE series = ?1 AND rank >= ?2 AND rank < ?3
            AND acknowledged_at IS NULL AND ignored = 0 {tops} ORDER BY rank DESC"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let mut found = select.query([&line.series, &line.from, &line.to])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let image = text(row, 0)?;
        let Some(standing) = Standing::new(&image, row.get(1)?) else { continue };
        let built = parse_created(&text(row, 2)?).ok().flatten();
        let (snoozed_until, places) = (row.get(3)?, Vec::new());
        let member = Member { image, standing, built, places, snoozed_until };
        rows.push(Row { member, from: row.get(4)?, older: row.get(5)? });
    }
    // A single update needs no comparison.
    if rows.len() > 1 {
        let mut select = connection.prepare_cached(
            "SELECT hostname, provider, workload FROM places WHERE image = ?1
            ORDER BY hostname, provider, workload",
        )?;
        for Row { member, .. } in &mut rows {
            let key = |row: &rusqlite::Row<'_>| Ok([text(row, 0)?, text(row, 1)?, text(row, 2)?]);
            member.places = select.query_map([&member.image], key)?.collect::<Result<_>>()?;
        }
    }
    Ok(rows)
}

fn members(connection: &Connection, line: &Line) -> Result<Vec<Member>> {
    let rows = rows(connection, line, Which::All)?;
    Ok(rows.into_iter().map(|row| row.member).collect())
}

/// The images that are folded under an update at this time, newest first.
pub(in crate::store) fn older(
    connection: &Connection,
    update: &Update,
    now: i64,
) -> Result<Vec<String>> {
    let image = &update.event.image;
    let Some(standing) = standing(update) else { return Ok(Vec::new()) };
    let members = members(connection, &standing.line)?;
    let under = folded_under(&members, now).into_iter();
    let is_top = |top: Option<usize>| top.is_some_and(|top| members[top].image == *image);
    let folded = members.iter().zip(under).filter(|(_, top)| is_top(*top));
    Ok(folded.map(|(member, _)| member.image.clone()).collect())
}

/// The pending image that a superseded one is folded under at this time.
pub(in crate::store) fn top(
    connection: &Connection,
    update: &Update,
    now: i64,
) -> Result<Option<String>> {
    let image = &update.event.image;
    let Some(standing) = standing(update) else { return Ok(None) };
    let members = members(connection, &standing.line)?;
    let under = folded_under(&members, now);
    let own = members.iter().position(|member| member.image == *image);
    Ok(own.and_then(|own| under[own]).map(|top| members[top].image.clone()))
}

/// The kind of change since the digest that was acknowledged last, or else since the previous digest; and the
/// version that it is compared with, if it differs.
pub(in crate::store) fn change(
    connection: &Connection,
    update: &Update,
) -> Result<(Change, Option<String>)> {
    let event = &update.event;
    if event.digest.is_empty() {
        return Ok((Change::Unknown, None));
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM digests WHERE image = ?1)";
    if connection.prepare_cached(sql)?.query_row([&event.image], |row| row.get(0))? {
        let Some((new, old)) = labels::versions(connection, &event.image, &event.digest)? else {
            return Ok((Change::Rebuilt, None));
        };
        let versions = Version::new(&new).zip(Version::new(&old));
        let change = versions.map_or(Change::Rebuilt, |(new, old)| new.change_from(&old));
        return Ok((change, Some(old).filter(|old| *old != new)));
    }
    let Some(Standing { line, rank, version: Some(version) }) = standing(update) else {
        return Ok((Change::New, None));
    };
    let sql = "SELECT image FROM updates WHERE series = ?1 AND rank < ?2
        AND acknowledged_at IS NOT NULL AND ignored = 0 ORDER BY rank DESC LIMIT 1";
    let mut select = connection.prepare_cached(sql)?;
    let before = select.query_row([&line.series, &rank], |row| text(row, 0)).optional()?;
    let before = before.as_deref().and_then(tag);
    let change = before.and_then(Version::new).map(|before| version.change_from(&before));
    Ok((change.unwrap_or(Change::New), before.map(str::to_owned)))
}
