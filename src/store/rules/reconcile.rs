//! Stores the result of a comparison with what runs.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::before::keep;
use super::history::{Deed, once, record};
use super::hosts;
use super::lines::{self, Lines};
use super::row::text;
use super::upsert::{close_if_done, next_change, reopen};
use crate::inbox::action::Stamp;
use crate::inbox::seen::{Reconciled, Seen, Verdict};

pub(in crate::store) fn apply(
    connection: &Connection,
    seen: &[Seen],
    stamp: &Stamp,
) -> Result<Reconciled> {
    let mut reconciled = Reconciled::default();
    let mut lines = Lines::default();
    let mut rest = seen;
    while let Some(first) = rest.first() {
        let count = rest.iter().take_while(|other| other.image == first.image).count();
        let (places, others) = rest.split_at(count);
        rest = others;
        if image(connection, places, stamp, &mut reconciled)? {
            lines.changed(lines::of(connection, &first.image)?);
        }
    }
    lines::fold(connection, lines)?;
    let hosts: BTreeSet<&str> = seen.iter().map(|seen| seen.place[0].as_str()).collect();
    for host in hosts.into_iter().filter(|host| !host.is_empty()) {
        hosts::reconciled(connection, host, stamp.at.timestamp_millis())?;
    }
    Ok(reconciled)
}

/// Stores the result for the places of one image. Returns whether the image's state has changed.
fn image(
    connection: &Connection,
    places: &[Seen],
    stamp: &Stamp,
    reconciled: &mut Reconciled,
) -> Result<bool> {
    let Some(Seen { image, digest, place, .. }) = places.first() else { return Ok(false) };
    let sql = "SELECT digest, acknowledged_at IS NOT NULL, acknowledged_by IS 'places' FROM updates
        WHERE image = ?1";
    let row = |row: &rusqlite::Row<'_>| -> Result<(String, bool, bool)> {
        Ok((text(row, 0)?, row.get(1)?, row.get(2)?))
    };
    let current = connection.prepare_cached(sql)?.query_row([image], row).optional()?;
    let Some((_, is_acknowledged, by_places)) = current.filter(|(current, ..)| current == digest)
    else {
        return Ok(false);
    };
    let mut marks = Vec::new();
    for seen in places {
        let mark = mark(connection, seen, stamp)?;
        if mark != Mark::Kept {
            marks.push((seen, mark));
        }
    }
    // A person acknowledged it: that is not taken back, and marks are not needed.
    if marks.is_empty() || is_acknowledged && !by_places {
        return Ok(false);
    }
    let host = Some(place[0].as_str());
    let deed = Deed { kind: "reconcile", about: "state", detail: host, undoes: None };
    let id = once(&mut reconciled.id, || record(connection, &deed, stamp))?;
    keep(connection, id, image, digest)?;
    let sql = "UPDATE places SET done_digest = ?5, done_by = ?6
        WHERE image = ?1 AND hostname = ?2 AND provider = ?3 AND workload = ?4";
    let mut update = connection.prepare_cached(sql)?;
    for (seen, mark) in &marks {
        let [host, provider, workload] = &seen.place;
        let (digest, by) = match mark {
            Mark::Set(by) => (Some(digest), Some(by)),
            _ => (None, None),
        };
        update.execute(params![image, host, provider, workload, digest, by])?;
    }
    let sql = "UPDATE updates SET changed = ?2 WHERE image = ?1";
    connection.prepare_cached(sql)?.execute(params![image, next_change(connection)?])?;
    let is_behind = |(seen, mark): &(&Seen, Mark)| {
        seen.verdict == Verdict::Behind && [Mark::Removed, Mark::New].contains(mark)
    };
    if is_acknowledged && marks.iter().any(is_behind) {
        reopen(connection, image)?;
        reconciled.reopened.push(image.clone());
    } else if close_if_done(connection, image, stamp.at.timestamp_millis())? {
        reconciled.closed.push(image.clone());
    }
    Ok(true)
}

/// The done mark of a place after the comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Kept,
    /// It is set; by whom.
    Set(&'static str),
    Removed,
    /// There is none: the place is new and not done.
    New,
}

/// Stores the digests that a place runs.
fn mark(connection: &Connection, seen: &Seen, stamp: &Stamp) -> Result<Mark> {
    let [host, provider, workload] = &seen.place;
    let now = stamp.at.timestamp_millis();
    let mut is_added = false;
    if seen.is_new && seen.verdict != Verdict::Gone {
        let sql =
            "INSERT INTO places (image, hostname, provider, workload, digest, status, metadata,
                first_seen, last_seen, times)
            VALUES (?1, ?2, ?3, ?4, '', '', '{}', ?5, ?5, 0) ON CONFLICT DO NOTHING";
        let values = params![seen.image, host, provider, workload, now];
        is_added = connection.prepare_cached(sql)?.execute(values)? > 0;
    }
    let runs = serde_json::to_string(&seen.runs).unwrap_or_default();
    let sql = "UPDATE places SET running = ?5, refused = CASE WHEN refused = ?5 THEN refused END,
            running_since = CASE WHEN running = ?5 THEN running_since ELSE ?6 END,
            verdict = ?7, compared = ?8
        WHERE image = ?1 AND hostname = ?2 AND provider = ?3 AND workload = ?4
        RETURNING done_digest, done_by, refused";
    let row = |row: &rusqlite::Row<'_>| {
        Ok((row.get::<_, Option<String>>(0)?, text(row, 1)?, row.get::<_, Option<String>>(2)?))
    };
    let values =
        params![seen.image, host, provider, workload, runs, now, seen.verdict.name(), seen.digest];
    let place = connection.prepare_cached(sql)?.query_row(values, row).optional()?;
    let Some((done, by, refused)) = place else { return Ok(Mark::Kept) };
    let is_done = done.as_deref() == Some(seen.digest.as_str());
    let was_gone = by == "gone";
    Ok(match seen.verdict {
        Verdict::Done if is_done && !was_gone => Mark::Kept,
        Verdict::Gone if was_gone => Mark::Kept,
        // A mark that a person removed is not set again until the place runs another digest.
        Verdict::Done | Verdict::Gone if refused.is_some() => Mark::Kept,
        Verdict::Done => Mark::Set("reconcile"),
        Verdict::Gone => Mark::Set("gone"),
        Verdict::Behind if is_done && by == "reconcile" => Mark::Removed,
        // A place that was recorded as gone exists again.
        Verdict::Behind | Verdict::Unknown if was_gone => Mark::Removed,
        Verdict::Behind | Verdict::Unknown if is_added => Mark::New,
        Verdict::Behind | Verdict::Unknown => Mark::Kept,
    })
}
