//! `diunbox ack`: acknowledges updates.

use std::io::Write;

use chrono::Utc;

use super::images::{read_words, resolve};
use super::selection::query;
use super::{Error, Outcome, Session, complain, print_name};
use crate::cli::{Ack, Filter};
use crate::image::short_name;
use crate::inbox::action::{Action, Kind, Origin};
use crate::inbox::query::{Query, Sort, Wanted};
use crate::inbox::update::State;

/// The states that a pattern looks at.
const OPEN: [State; 3] = [State::Pending, State::Snoozed, State::Superseded];

pub(super) fn run(args: &Ack, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let is_filtered = Filter { host: Vec::new(), ..args.filter.clone() } != Filter::default();
    if !args.all && (is_filtered || args.images.is_empty()) {
        let message = "filters require --all and cannot be combined with image names";
        return Err(Error::Usage(message.to_owned()));
    }
    let Some(store) = session.open_existing()? else {
        return Ok(if args.all { Outcome::Done } else { Outcome::Negative });
    };
    let mut outcome = Outcome::Done;
    let query = if args.all {
        query(&args.filter, &[State::Pending], &*store)?
    } else {
        let resolved = resolve(&*store, &read_words(&args.images, args.null)?, &OPEN)?;
        for missing in &resolved.missing {
            complain(&missing.message);
            outcome = Outcome::Negative;
        }
        if resolved.images.is_empty() {
            return Ok(outcome);
        }
        let images = resolved.images.into_iter();
        let images = images.map(|found| Wanted::Exact(found.name, found.digest)).collect();
        Query { images, sort: Sort::Image, ..Query::all(Utc::now()) }
    };
    let receipt = store.act(&Action {
        kind: Kind::Acknowledge,
        query,
        hosts: args.filter.host.clone(),
        note: args.note.clone(),
        origin: Origin::CommandLine,
    })?;
    for left in &receipt.left {
        complain(format_args!("left \"{}\" alone: {}", short_name(&left.image), left.reason));
        outcome = Outcome::Negative;
    }
    if !session.quiet {
        for image in receipt.images {
            print_name(out, &image, args.null)?;
        }
    }
    Ok(outcome)
}
