//! The changes: each loads the rows that its rule needs, and runs the rule on the working copy.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::failure::Failure;
use super::find;
use super::part::{Part, of_images, part, whole};
use super::transaction::Transaction;
use super::value::{Statement, Value};
use crate::image::{ImageName, ImagePattern};
use crate::inbox::action::{Action, Receipt, Stamp};
use crate::inbox::received::Received;
use crate::inbox::seen::{Reconciled, Seen};
use crate::store::rules::undo::Undone;
use crate::store::rules::{act, ignores, lines, reconcile, tags, undo, upsert};

/// Where events come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// They were received just now, or are replayed with the time at which they were received.
    Caller,
    /// This machine received them earlier; newer ones may have been stored since.
    Spool,
}

/// Stores events in order.
pub(super) fn events(
    transaction: &Transaction<'_>,
    received: &[Received],
    source: Source,
) -> Result<(), Failure> {
    let names = received.iter().map(|received| received.event.image.as_str());
    let images = distinct(names);
    let hosts = distinct(received.iter().map(|received| received.event.hostname.as_str()));
    // An image may have had many digests. Only those that these events name can change.
    let named = "(t.image, t.digest) IN (SELECT * FROM unnest($1::text[], $2::text[])
        UNION ALL SELECT u.image, u.digest FROM updates u WHERE u.image = ANY($1))";
    let column = |of: fn(&Received) -> &str| received.iter().map(of).collect::<Value>();
    let [of_image, of_digest]: [fn(&Received) -> &str; 2] =
        [|received| &received.event.image, |received| &received.event.digest];
    transaction.load([
        of_images("updates", &images),
        of_images("places", &images),
        part("digests", named, vec![column(of_image), column(of_digest)]),
        of_hosts(&hosts),
        whole("ignores"),
    ])?;
    let times = on_the_servers_clock(received, source, transaction.ahead());
    let touched = upsert::events(&transaction.copy.sqlite, times.as_deref().unwrap_or(received))?;
    find::lines(transaction, touched.keys().cloned().collect())?;
    Ok(lines::fold(&transaction.copy.sqlite, touched)?)
}

/// The events with their times on the server's clock, which all machines share; `None` if no time changes.
fn on_the_servers_clock(
    received: &[Received],
    source: Source,
    ahead: i64,
) -> Option<Vec<Received>> {
    let is_spooled = source == Source::Spool;
    let moved = |received: &Received| {
        let by = if received.is_replayed && !is_spooled { 0 } else { ahead };
        let at = received.at + TimeDelta::seconds(by);
        Received { at, is_replayed: received.is_replayed || is_spooled, ..received.clone() }
    };
    (ahead != 0 || is_spooled).then(|| received.iter().map(moved).collect())
}

/// Applies an action.
pub(super) fn apply(transaction: &Transaction<'_>, action: &Action) -> Result<Receipt, Failure> {
    find::act(transaction, &action.query)?;
    Ok(act::apply(&transaction.copy.sqlite, action)?)
}

/// Takes back an action.
pub(super) fn take_back(
    transaction: &Transaction<'_>,
    id: Option<i64>,
    stamp: &Stamp,
) -> Result<Undone, Failure> {
    let sql = "SELECT id, kind, detail FROM actions WHERE id = coalesce($1,
        (SELECT id FROM actions WHERE origin = $2 AND \"user\" = $3 AND undoes IS NULL
            AND undone_by IS NULL ORDER BY at DESC, id DESC LIMIT 1))";
    let values = vec![id.into(), stamp.origin.name().into(), stamp.user.as_str().into()];
    let Some(target) = transaction.query(Statement::new(sql, values))?.pop() else {
        return Ok(Undone::Missing);
    };
    let (id, kind): (i64, String) = (target.try_get(0)?, target.try_get(1)?);
    let pattern: Option<String> = target.try_get(2)?;
    let pattern = pattern.filter(|_| [ignores::IGNORE, ignores::UNIGNORE].contains(&kind.as_str()));
    let images = match pattern.as_deref().map(ImagePattern::new) {
        // Undo shows the images that the pattern hid, and the reverse.
        Some(Ok(pattern)) => find::matching(transaction, &pattern, kind == ignores::IGNORE)?,
        Some(Err(_)) => Vec::new(),
        None => {
            let sql = "SELECT image FROM action_images WHERE action = $1";
            let rows = transaction.query(Statement::new(sql, vec![id.into()]))?;
            rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?
        }
    };
    let names = || images.iter().map(String::as_str).collect::<Value>();
    // The action itself, what it took back, and all later ones about its images.
    let related = "(t.action = $1 OR t.action = (SELECT undoes FROM actions WHERE id = $1)
        OR t.action > $1 AND t.image = ANY($2))";
    let others = vec![
        part("action_images", related, vec![id.into(), names()]),
        part(
            "actions",
            "t.id >= $1 OR t.id = (SELECT undoes FROM actions WHERE id = $1)
                OR t.kind = $2 AND t.detail = $3",
            vec![id.into(), ignores::IGNORE.into(), pattern.as_deref().into()],
        ),
        of_images("tag_assignments", &images),
        whole("tags"),
        whole("ignores"),
    ];
    find::updates(transaction, &images, others)?;
    Ok(undo::undo(&transaction.copy.sqlite, Some(id), stamp)?)
}

/// Stores the result of a comparison.
pub(super) fn compare(
    transaction: &Transaction<'_>,
    seen: &[Seen],
    stamp: &Stamp,
) -> Result<Reconciled, Failure> {
    let images = distinct(seen.iter().map(|seen| seen.image.as_str()));
    let hosts = distinct(seen.iter().map(|seen| seen.place[0].as_str()));
    find::updates(transaction, &images, vec![of_hosts(&hosts)])?;
    Ok(reconcile::apply(&transaction.copy.sqlite, seen, stamp)?)
}

/// Adds a pattern.
pub(super) fn ignore(
    transaction: &Transaction<'_>,
    pattern: &ImagePattern,
    stamp: &Stamp,
) -> Result<Option<Receipt>, Failure> {
    let images = find::matching(transaction, pattern, false)?;
    find::updates(transaction, &images, vec![whole("ignores")])?;
    let deed = ignores::deed(ignores::IGNORE, pattern.as_str());
    Ok(ignores::add(&transaction.copy.sqlite, &deed, stamp.note.as_deref(), stamp)?)
}

/// Removes a pattern.
pub(super) fn unignore(
    transaction: &Transaction<'_>,
    pattern: &str,
    stamp: &Stamp,
) -> Result<Option<Receipt>, Failure> {
    let images = match ImagePattern::new(pattern) {
        Ok(pattern) => find::matching(transaction, &pattern, true)?,
        Err(_) => Vec::new(),
    };
    find::updates(transaction, &images, vec![whole("ignores")])?;
    let deed = ignores::deed(ignores::UNIGNORE, pattern);
    Ok(ignores::remove(&transaction.copy.sqlite, &deed, stamp)?)
}

/// Replaces or removes the tag of images.
pub(super) fn put_tag(
    transaction: &Transaction<'_>,
    images: &[ImageName],
    tag: Option<i64>,
    stamp: &Stamp,
) -> Result<Option<Receipt>, Failure> {
    let names = distinct(images.iter().map(ImageName::as_str));
    transaction.load([
        of_images("updates", &names),
        of_images("tag_assignments", &names),
        whole("tags"),
    ])?;
    Ok(tags::put(&transaction.copy.sqlite, images, tag, stamp)?)
}

/// The rows of some hosts.
fn of_hosts(hosts: &[String]) -> Part {
    part("hosts", "t.name = ANY($1)", vec![hosts.iter().map(String::as_str).collect()])
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let names: BTreeSet<&str> = names.collect();
    names.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::event::Event;

    #[test]
    fn times_are_moved_to_the_servers_clock() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let live = Received::now(Event::default(), at(100));
        let replayed = Received { is_replayed: true, ..live.clone() };
        let both = [live, replayed];
        let times = |source, ahead| {
            let moved = on_the_servers_clock(&both, source, ahead);
            moved.map(|moved| moved.iter().map(|one| (one.at, one.is_replayed)).collect::<Vec<_>>())
        };
        assert_eq!(times(Source::Caller, 0), None);
        // A replayed event keeps the time that it comes with.
        assert_eq!(times(Source::Caller, 5), Some(vec![(at(105), false), (at(100), true)]));
        assert_eq!(times(Source::Spool, -5), Some(vec![(at(95), true), (at(95), true)]));
    }
}
