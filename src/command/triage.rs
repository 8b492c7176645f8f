//! `diunbox ack`, `reopen` and `snooze`: decisions about updates.

use std::io::Write;

use super::images::{read_words, resolve};
use super::selection::query;
use super::{Error, Outcome, Session, complain, print_name};
use crate::cli::{Ack, Filter, Reopen, Snooze, Target};
use crate::image::short_name;
use crate::inbox::action::{Action, Kind, Receipt};
use crate::inbox::query::{Query, Sort, Wanted};
use crate::inbox::until;
use crate::inbox::update::State;

pub(super) fn ack(args: &Ack, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    act(Kind::Acknowledge, &args.target, &[], session, out)
}

pub(super) fn reopen(
    args: &Reopen,
    session: &Session,
    out: &mut impl Write,
) -> Result<Outcome, Error> {
    let states = [(args.acknowledged, State::Acknowledged), (args.snoozed, State::Snoozed)];
    let states: Vec<State> =
        states.into_iter().filter(|(given, _)| *given).map(|(_, state)| state).collect();
    act(Kind::Reopen, &args.target, &states, session, out)
}

pub(super) fn snooze(
    args: &Snooze,
    session: &Session,
    out: &mut impl Write,
) -> Result<Outcome, Error> {
    let until = match (&args.for_, &args.until) {
        (Some(age), _) => until::after(age, session.now),
        (None, date) => until::date(date.as_deref().unwrap_or_default(), session.now),
    };
    act(Kind::Snooze(until.map_err(Error::Message)?), &args.target, &[], session, out)
}

/// Applies a decision to the named images, or to all updates in these states that the filters select.
fn act(
    kind: Kind,
    target: &Target,
    states: &[State],
    session: &Session,
    out: &mut impl Write,
) -> Result<Outcome, Error> {
    // Acknowledging can be limited to places on hosts.
    let limits = if kind == Kind::Acknowledge { target.filter.host.clone() } else { Vec::new() };
    let is_filtered = Filter { host: Vec::new(), ..target.filter.clone() } != Filter::default()
        || limits.is_empty() && !target.filter.host.is_empty();
    if !target.all && (is_filtered || target.images.is_empty()) {
        let message = "filters require --all and cannot be combined with image names";
        return Err(Error::Message(message.to_owned()));
    }
    let Some(store) = session.open_existing()? else {
        return Ok(if target.all { Outcome::Done } else { Outcome::Negative });
    };
    let mut outcome = Outcome::Done;
    let stamp = session.stamp(target.note.clone());
    let action = if target.all {
        let query = query(&target.filter, states, &*store)?;
        Action::on_all(kind, query, stamp).map_err(Error::Message)?
    } else {
        let resolved = resolve(&*store, &read_words(&target.images, target.null)?, kind.takes())?;
        for missing in &resolved.missing {
            complain(&missing.message);
            outcome = Outcome::Negative;
        }
        if resolved.images.is_empty() {
            return Ok(outcome);
        }
        let images = resolved.images.into_iter();
        let images = images.map(|found| Wanted::Exact(found.name, found.digest)).collect();
        let query = Query { images, sort: Sort::Image, ..Query::all(session.now) };
        Action { kind, query, hosts: limits, stamp }
    };
    let receipt = store.act(&action)?;
    if receipt.images.is_empty() && receipt.left.is_empty() {
        session.note(format_args!("nothing to {}", kind.name()));
    }
    Ok(outcome.max(report(receipt, target.null, session, out)?))
}

/// Prints the images of a receipt, and the images that were not changed.
pub(super) fn report(
    receipt: Receipt,
    null: bool,
    session: &Session,
    out: &mut impl Write,
) -> Result<Outcome, Error> {
    let mut outcome = Outcome::Done;
    for left in &receipt.left {
        complain(format_args!("left \"{}\" alone: {}", short_name(&left.image), left.reason));
        outcome = Outcome::Negative;
    }
    if !session.quiet {
        for image in receipt.images {
            print_name(out, &image, null)?;
        }
    }
    Ok(outcome)
}
