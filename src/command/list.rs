//! `diunbox list`: the updates that pass the filters.

use std::io::Write;

use chrono::Utc;

use super::selection::query;
use super::{Error, Outcome, Session, print_name};
use crate::cli::{Filter, Format, List};
use crate::inbox::update::State;
use crate::render::{json, table};

pub(super) fn run(args: &List, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let states: &[State] = match (args.all, args.acknowledged) {
        (true, _) => &State::ALL,
        (_, true) => &[State::Acknowledged],
        _ => &[State::Pending],
    };
    let Some(store) = session.open_existing()? else {
        if args.format == Format::Json && !args.null {
            json::array(out, [(); 0])?;
        }
        return Ok(Outcome::Done);
    };
    let mut query = query(&args.filter, states, &*store)?;
    query.set("sort", args.sort.name()).map_err(Error::Usage)?;
    (query.reverse, query.limit) = (args.reverse, args.limit);
    let listed = match args.format {
        _ if args.null || session.quiet && args.format == Format::Table => {
            let images = store.select_images(&query)?;
            for image in &images {
                print_name(out, image, args.null)?;
            }
            images.len()
        }
        Format::Table => {
            query.details = false;
            let updates = store.select(&query)?;
            if updates.is_empty() {
                let is_filtered = args.filter != Filter::default() || args.limit == Some(0);
                session.note(nothing(states, is_filtered));
            } else {
                let with_state = states != [State::Pending];
                table::updates(out, &updates, with_state, Utc::now(), session.terminal)?;
            }
            updates.len()
        }
        Format::Json => {
            let updates = store.select(&query)?;
            json::array(out, updates.iter().map(json::UpdateView::from))?;
            updates.len()
        }
        Format::Ndjson => {
            let updates = store.select(&query)?;
            for update in &updates {
                json::line(out, &json::UpdateView::from(update))?;
            }
            updates.len()
        }
    };
    Ok(if args.exit_code && listed > 0 { Outcome::Negative } else { Outcome::Done })
}

fn nothing(states: &[State], is_filtered: bool) -> &'static str {
    match states {
        [State::Pending] if is_filtered => "no pending update matches the filters",
        [State::Pending] => "nothing is pending",
        _ if is_filtered => "no update matches the filters",
        [State::Acknowledged] => "nothing is acknowledged",
        _ => "there are no updates yet",
    }
}
