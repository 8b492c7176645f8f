//! `diunbox list`: the updates that pass the filters.

use std::io::Write;

use super::selection::{self, query};
use super::{Error, Outcome, Session, print_name};
use crate::cli::{Filter, Format, Group, List};
use crate::inbox::query::{Detail, Query};
use crate::inbox::update::State;
use crate::render::groups::{self, By};
use crate::render::{json, table};
use crate::store::Store;

pub(super) fn run(args: &List, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let given = [
        (args.acknowledged, State::Acknowledged),
        (args.snoozed, State::Snoozed),
        (args.superseded, State::Superseded),
        (args.ignored, State::Ignored),
    ];
    let given = given.into_iter().filter(|(given, _)| *given || args.all);
    let mut states: Vec<State> = given.map(|(_, state)| state).collect();
    if states.is_empty() || args.all {
        states.push(State::Pending);
    }
    let Some(store) = session.open_existing()? else {
        if args.format == Format::Json && !args.null {
            json::array(out, [(); 0])?;
        }
        return Ok(Outcome::Done);
    };
    let mut query = query(&args.filter, &states, &*store)?;
    query.set("sort", args.sort.name()).map_err(Error::Message)?;
    (query.reverse, query.limit) = (args.reverse, args.limit);
    if let Some(by) = args.by {
        return grouped(args, by, query, &*store, session, out);
    }
    let listed = match args.format {
        _ if args.null || session.quiet && args.format == Format::Table => {
            let images = store.select_images(&query)?;
            for image in &images {
                print_name(out, image, args.null)?;
            }
            images.len()
        }
        Format::Table => {
            let is_wide = session.terminal.is_wide();
            query.detail = if is_wide { Detail::Item } else { Detail::Table };
            let updates = store.select(&query)?;
            if updates.is_empty() {
                let is_filtered = args.filter != Filter::default() || args.limit == Some(0);
                session.note(nothing(&states, is_filtered));
                for message in selection::unknown(&query, &*store)? {
                    session.note(message);
                }
            } else {
                table::updates(out, &updates, &states, session.now, session.terminal)?;
                // The first lines have scrolled out of sight.
                if session.terminal.height.is_some_and(|height| updates.len() + 1 >= height) {
                    out.flush()?;
                    let count = updates.len();
                    session.note(format_args!("{count} updates; `-n 20` lists the first 20"));
                }
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
            json::lines(out, updates.iter().map(json::UpdateView::from))?;
            updates.len()
        }
    };
    Ok(if args.exit_code && listed > 0 { Outcome::Negative } else { Outcome::Done })
}

/// Prints the number of updates per group.
fn grouped(
    args: &List,
    by: Group,
    mut query: Query,
    store: &dyn Store,
    session: &Session,
    out: &mut impl Write,
) -> Result<Outcome, Error> {
    query.detail = Detail::Table;
    let updates = store.select(&query)?;
    let by = match by {
        Group::Host => By::Host,
        Group::Repository => By::Repository,
        Group::Tag => By::Tag,
    };
    let groups = groups::groups(&updates, by);
    match args.format {
        Format::Table if session.quiet => {
            for name in groups.iter().filter_map(|group| group.group) {
                print_name(out, name, false)?;
            }
        }
        Format::Table if groups.is_empty() => {
            session.note(nothing(&query.states, query.is_filtered()));
        }
        Format::Table => groups::table(out, &groups, by, session.now, session.terminal)?,
        Format::Json => json::array(out, &groups)?,
        Format::Ndjson => json::lines(out, &groups)?,
    }
    Ok(if args.exit_code && !groups.is_empty() { Outcome::Negative } else { Outcome::Done })
}

fn nothing(states: &[State], is_filtered: bool) -> &'static str {
    match states {
        [State::Pending] if is_filtered => "no pending update matches the filters",
        [State::Pending] => "nothing is pending",
        _ if is_filtered => "no update matches the filters",
        [State::Acknowledged] => "nothing is acknowledged",
        [State::Snoozed] => "nothing is snoozed",
        [State::Superseded] => "nothing is superseded",
        [State::Ignored] => "nothing is ignored",
        _ => "there are no updates yet",
    }
}
