//! `diunbox ack`: marks updates as seen.

use std::io::Write;

use super::images::{read_words, resolve};
use super::selection::filter;
use super::{Error, Outcome, Session, complain, print_name};
use crate::cli::{Ack, Filter};
use crate::store::{State, Store};

pub(super) fn run(args: &Ack, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    if !args.all && args.filter != Filter::default() {
        let message = "filters go with --all: give them, or the images' names, but not both";
        return Err(Error::Usage(message.to_owned()));
    }
    let Some(store) = session.open_existing()? else {
        return Ok(if args.all { Outcome::Done } else { Outcome::Negative });
    };
    let mut outcome = Outcome::Done;
    let images = if args.all {
        let filter = filter(&args.filter, State::Pending, &store)?;
        store.acknowledge_matching(&|update| filter.matches(update))?
    } else {
        let resolved = resolve(&store, &read_words(&args.images, args.null)?)?;
        for missing in &resolved.missing {
            complain(&missing.message);
            outcome = Outcome::Negative;
        }
        let found = store.acknowledge_updates(&resolved.images)?;
        resolved
            .images
            .into_iter()
            .zip(found)
            .filter_map(|(image, found)| found.then_some(image))
            .collect()
    };
    if !session.quiet {
        for image in images {
            print_name(out, &image, args.null)?;
        }
    }
    Ok(outcome)
}
