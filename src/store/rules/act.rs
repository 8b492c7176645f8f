//! Applies actions, and records them.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Result, params};

use super::before::{keep, unmark};
use super::history::{self, Deed, once};
use super::ignores;
use super::lines::{self, Lines};
use super::query::updates;
use super::upsert::{close_if_done, next_change};
use crate::image::short_name;
use crate::inbox::action::{Action, Kind, Left, Reason, Receipt};
use crate::inbox::query::{Detail, Query, Sort, Wanted};
use crate::inbox::time::rfc3339;
use crate::inbox::update::{Place, State, Update};

pub(in crate::store) fn apply(connection: &Connection, action: &Action) -> Result<Receipt> {
    let mut query = action.query.clone();
    query.detail = Detail::Table;
    let names = query.images.iter().filter_map(|wanted| match wanted {
        Wanted::Exact(name, digest) => Some((name.as_str(), digest.as_deref())),
        Wanted::Pattern(_) => None,
    });
    let mut names: HashMap<&str, Option<&str>> = names.collect();
    let mut acting = Acting {
        connection,
        action,
        change: next_change(connection)?,
        lines: Lines::default(),
        seen: HashSet::new(),
        receipt: Receipt::default(),
    };
    for update in &updates(connection, &query)? {
        let expected = names.remove(update.event.image.as_str()).flatten();
        acting.on(update, expected)?;
    }
    let mut missing: Vec<&str> = names.into_keys().collect();
    missing.sort_unstable();
    let left = |image: &str| Left { image: image.to_owned(), reason: Reason::Missing };
    acting.receipt.left.extend(missing.into_iter().map(left));
    lines::fold(connection, acting.lines)?;
    Ok(acting.receipt)
}

/// An action while it is applied to one update after another.
struct Acting<'a> {
    connection: &'a Connection,
    action: &'a Action,
    /// The number of the next change.
    change: i64,
    /// The lines of the changed updates.
    lines: Lines,
    /// The images that the action was applied to. An image can be selected and also be folded under another.
    seen: HashSet<String>,
    receipt: Receipt,
}

impl Acting<'_> {
    /// Applies the action to an update that the query selects.
    fn on(&mut self, update: &Update, expected: Option<&str>) -> Result<()> {
        let image = &update.event.image;
        if !self.seen.insert(image.clone()) {
            return Ok(());
        }
        match self.verdict(update, expected)? {
            Verdict::Left(reason) => self.receipt.left.push(Left { image: image.clone(), reason }),
            Verdict::Done => self.receipt.images.push(image.clone()),
            Verdict::Take if self.action.kind == Kind::Acknowledge && update.older > 0 => {
                let folded = self.folded(update)?;
                self.take(update)?;
                for older in &folded {
                    self.on_folded(older)?;
                }
            }
            Verdict::Take => self.take(update)?,
        }
        Ok(())
    }

    /// The updates that are folded under another.
    fn folded(&self, update: &Update) -> Result<Vec<Update>> {
        let now = self.action.query.now;
        let images = lines::older(self.connection, update, now.timestamp_millis())?;
        let images = images.iter().filter_map(|image| Wanted::exact(image).ok()).collect();
        let detail = Detail::Table;
        updates(self.connection, &Query { images, sort: Sort::Image, detail, ..Query::all(now) })
    }

    /// Applies the action to an update that is folded under a selected one. The user did not name it, so it is
    /// not reported if the action does not apply, for example because it does not run on the given host.
    fn on_folded(&mut self, update: &Update) -> Result<()> {
        let image = &update.event.image;
        if self.seen.insert(image.clone()) && matches!(self.verdict(update, None)?, Verdict::Take) {
            self.take(update)?;
        }
        Ok(())
    }

    fn take(&mut self, update: &Update) -> Result<()> {
        let (connection, action) = (self.connection, self.action);
        let image = &update.event.image;
        let id = once(&mut self.receipt.id, || record(action, connection))?;
        keep(connection, id, image, &update.event.digest)?;
        match action.kind {
            Kind::Acknowledge if !action.hosts.is_empty() => at_hosts(connection, action, update)?,
            Kind::Acknowledge => acknowledge(connection, action, update)?,
            Kind::Reopen => reopen(connection, update)?,
            Kind::Snooze(until) => snooze(connection, update, until)?,
        }
        let sql = "UPDATE updates SET changed = ?2, note = ?3 WHERE image = ?1";
        let values = params![image, self.change, action.stamp.note];
        connection.prepare_cached(sql)?.execute(values)?;
        self.change += 1;
        self.lines.changed(lines::standing(update).map(|standing| standing.line));
        self.receipt.images.push(image.clone());
        Ok(())
    }

    fn verdict(&self, update: &Update, expected: Option<&str>) -> Result<Verdict> {
        let (action, digest) = (self.action, &update.event.digest);
        if expected.is_some_and(|expected| expected != digest) {
            return Ok(Verdict::Left(Reason::Digest(digest.clone())));
        }
        if action.query.as_of.is_some_and(|as_of| update.changed > as_of) {
            return Ok(Verdict::Left(Reason::Changed));
        }
        let is_here =
            |place: &Place| action.hosts.is_empty() || action.hosts.contains(&place.hostname);
        if update.state != State::Ignored && !update.places.iter().any(is_here) {
            return Ok(Verdict::Left(Reason::NoPlace));
        }
        Ok(match (action.kind, update.state) {
            (_, State::Ignored) => {
                let pattern = ignores::matching(self.connection, &update.event.image)?;
                Verdict::Left(Reason::Ignored(pattern.unwrap_or_default()))
            }
            (Kind::Acknowledge, State::Acknowledged) => Verdict::Done,
            (Kind::Acknowledge, _) if !action.hosts.is_empty() => {
                if update.needed().any(is_here) {
                    Verdict::Take
                } else {
                    Verdict::Done
                }
            }
            (Kind::Acknowledge, _) => Verdict::Take,
            (_, State::Superseded) => {
                let now = action.query.now.timestamp_millis();
                let top = lines::top(self.connection, update, now)?.unwrap_or_default();
                Verdict::Left(Reason::Folded(short_name(&top).to_owned()))
            }
            (Kind::Reopen, State::Acknowledged | State::Snoozed) => Verdict::Take,
            // Places that are done become needed again.
            (Kind::Reopen, _) if update.places.iter().any(Place::is_done) => Verdict::Take,
            (Kind::Reopen, _) => Verdict::Left(Reason::Pending),
            (Kind::Snooze(_), State::Acknowledged) => Verdict::Left(Reason::Acknowledged),
            (Kind::Snooze(until), _) if update.snoozed_until == Some(until) => Verdict::Done,
            (Kind::Snooze(_), _) => Verdict::Take,
        })
    }
}

/// The result for one update.
enum Verdict {
    /// It was changed.
    Take,
    /// It was in the requested state already.
    Done,
    Left(Reason),
}

fn acknowledge(connection: &Connection, action: &Action, update: &Update) -> Result<()> {
    let sql = "UPDATE updates SET acknowledged_at = datetime(?2 / 1000, 'unixepoch'),
        acknowledged_digest = digest, acknowledged_by = 'person', snoozed_until = NULL WHERE image = ?1";
    let at = action.query.now.timestamp_millis();
    connection.prepare_cached(sql)?.execute(params![update.event.image, at]).map(drop)
}

/// Marks the places on some hosts as done. The update is acknowledged when its last place is done.
fn at_hosts(connection: &Connection, action: &Action, update: &Update) -> Result<()> {
    let image = &update.event.image;
    let sql =
        "UPDATE places SET done_digest = ?3, done_by = 'person' WHERE image = ?1 AND hostname = ?2";
    for host in &action.hosts {
        connection.prepare_cached(sql)?.execute([image, host, &update.event.digest])?;
    }
    // Places are done with another digest now, so a return to the digest that was acknowledged before is news.
    let sql = "UPDATE updates SET acknowledged_digest = NULL WHERE image = ?1
        AND acknowledged_digest IS DISTINCT FROM digest";
    connection.prepare_cached(sql)?.execute([image])?;
    close_if_done(connection, image, action.query.now.timestamp_millis()).map(drop)
}

fn reopen(connection: &Connection, update: &Update) -> Result<()> {
    let image = &update.event.image;
    let sql = "UPDATE updates SET acknowledged_at = NULL, acknowledged_digest = NULL,
        acknowledged_by = NULL, snoozed_until = NULL WHERE image = ?1";
    connection.prepare_cached(sql)?.execute([image])?;
    unmark(connection, image)
}

fn snooze(connection: &Connection, update: &Update, until: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE updates SET snoozed_until = ?2 WHERE image = ?1";
    let values = params![update.event.image, until.timestamp_millis()];
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

fn record(action: &Action, connection: &Connection) -> Result<i64> {
    let detail = match action.kind {
        Kind::Snooze(until) => Some(rfc3339(until)),
        _ if action.hosts.is_empty() => None,
        _ => Some(action.hosts.join(", ")),
    };
    let kind = action.kind.name();
    let deed = Deed { kind, about: "state", detail: detail.as_deref(), undoes: None };
    history::record(connection, &deed, &action.stamp)
}
