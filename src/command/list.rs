//! `diunbox list`: the updates that pass the filters.

use std::cmp::Ordering;
use std::io::Write;

use chrono::{DateTime, FixedOffset, Utc};

use super::selection::filter;
use super::{Error, Outcome, Session, print_name};
use crate::cli::{self, Format, List, Sort};
use crate::event::parse_created;
use crate::filter::Filter;
use crate::render::{json, table};
use crate::store::{Listed, Places, State, Store};

pub(super) fn run(args: &List, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let state = match (args.all, args.acknowledged) {
        (true, _) => State::All,
        (_, true) => State::Acknowledged,
        _ => State::Pending,
    };
    let Some(store) = session.open_existing()? else {
        if args.format == Format::Json && !args.null {
            json::array(out, [(); 0])?;
        }
        return Ok(Outcome::Done);
    };
    let filter = filter(&args.filter, state, &store)?;
    let places = if filter.asks_for_places() { Places::All } else { Places::First };
    let listed = match args.format {
        _ if args.null || session.quiet && args.format == Format::Table => {
            let headlines = choose(store.list_headlines(state, places)?, &filter, args);
            for headline in &headlines {
                print_name(out, &headline.image, args.null)?;
            }
            headlines.len()
        }
        Format::Table => {
            let headlines = choose(store.list_headlines(state, places)?, &filter, args);
            if headlines.is_empty() {
                let is_filtered = args.filter != cli::Filter::default() || args.limit == Some(0);
                session.note(nothing(state, is_filtered));
            } else {
                table::updates(out, &headlines, state, Utc::now(), session.terminal)?;
            }
            headlines.len()
        }
        Format::Json => {
            let updates = choose(store.list_updates(state)?, &filter, args);
            json::array(out, updates.iter().map(json::UpdateView::from))?;
            updates.len()
        }
        Format::Ndjson => {
            let updates = choose(store.list_updates(state)?, &filter, args);
            for update in &updates {
                json::line(out, &json::UpdateView::from(update))?;
            }
            updates.len()
        }
    };
    Ok(if args.exit_code && listed > 0 { Outcome::Negative } else { Outcome::Done })
}

fn nothing(state: State, is_filtered: bool) -> &'static str {
    match state {
        State::Pending if is_filtered => "nothing is pending that passes the filters",
        State::Pending => "nothing is pending",
        _ if is_filtered => "there are no updates that pass the filters",
        State::Acknowledged => "nothing is acknowledged",
        State::All => "there are no updates yet",
    }
}

/// Those that pass the filter, in the order asked for, and no more than asked for.
fn choose<T: Listed>(mut updates: Vec<T>, filter: &Filter, args: &List) -> Vec<T> {
    updates.retain(|update| filter.matches(update));
    sort(&mut updates, args.sort, args.reverse);
    updates.truncate(args.limit.unwrap_or(usize::MAX));
    updates
}

/// Times newest first, names from A to Z; what has none last, and equals by image.
fn sort<T: Listed>(updates: &mut [T], by: Sort, reverse: bool) {
    let created = |update: &T| -> Option<DateTime<FixedOffset>> {
        update.created().and_then(|text| parse_created(text).ok().flatten())
    };
    let tag = |update: &T| update.tag().map(str::to_owned);
    let host = |update: &T| update.places().first().map(|place| place.hostname.clone());
    let by_image = |a: &T, b: &T| a.image().cmp(b.image());
    match by {
        Sort::Image => updates.sort_unstable_by(by_image),
        Sort::Received => updates.sort_unstable_by(|a, b| {
            b.received_at().cmp(&a.received_at()).then_with(|| by_image(a, b))
        }),
        Sort::Created => {
            updates.sort_by(by_image);
            updates.sort_by_cached_key(|update| std::cmp::Reverse(created(update)));
        }
        Sort::Tag => sort_by_name(updates, by_image, tag),
        Sort::Host => sort_by_name(updates, by_image, host),
    }
    if reverse {
        updates.reverse();
    }
}

fn sort_by_name<T>(
    updates: &mut [T],
    by_image: impl Fn(&T, &T) -> Ordering,
    name: impl Fn(&T) -> Option<String>,
) {
    updates.sort_by(by_image);
    updates.sort_by_cached_key(|update| {
        let name = name(update);
        (name.is_none(), name)
    });
}
