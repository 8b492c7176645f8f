//! `diunbox list`: the updates that pass the filters.

use std::cmp::Ordering;
use std::io::Write;

use chrono::{DateTime, FixedOffset, Utc};

use super::selection::filter;
use super::{Error, Outcome, Session, print_name};
use crate::cli::{Filter, Format, List, Sort};
use crate::event::parse_created;
use crate::render::{json, table};
use crate::store::{State, Store, Update};

pub(super) fn run(args: &List, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let state = match (args.all, args.acknowledged) {
        (true, _) => State::All,
        (_, true) => State::Acknowledged,
        _ => State::Pending,
    };
    let store = session.open_existing()?;
    let has_store = store.is_some();
    let mut updates = match store {
        Some(store) => {
            let filter = filter(&args.filter, state, &store)?;
            let mut updates = store.list_updates(state)?;
            updates.retain(|update| filter.matches(update));
            updates
        }
        None => Vec::new(),
    };
    sort(&mut updates, args.sort, args.reverse);
    updates.truncate(args.limit.unwrap_or(usize::MAX));

    match args.format {
        _ if args.null || session.quiet && args.format == Format::Table => {
            for update in &updates {
                print_name(out, &update.event.image, args.null)?;
            }
        }
        Format::Json => json::array(out, updates.iter().map(json::UpdateView::from))?,
        Format::Ndjson => {
            for update in &updates {
                json::line(out, &json::UpdateView::from(update))?;
            }
        }
        Format::Table if updates.is_empty() => {
            if has_store {
                let filtered = args.filter != Filter::default();
                session.note(match state {
                    State::Pending if filtered => "nothing is pending that passes the filters",
                    State::Pending => "nothing is pending",
                    _ if filtered => "there are no updates that pass the filters",
                    State::Acknowledged => "nothing is acknowledged",
                    State::All => "there are no updates yet",
                });
            }
        }
        Format::Table => table::updates(out, &updates, state, Utc::now(), session.terminal)?,
    }
    let listed = args.exit_code && !updates.is_empty();
    Ok(if listed { Outcome::Negative } else { Outcome::Done })
}

/// Times newest first, names from A to Z; what has none last, and equals by image.
fn sort(updates: &mut [Update], by: Sort, reverse: bool) {
    let created = |update: &Update| -> Option<DateTime<FixedOffset>> {
        update.event.created.as_deref().and_then(|text| parse_created(text).ok().flatten())
    };
    let tag = |update: &Update| update.tag.as_ref().map(|tag| tag.name.clone());
    let host = |update: &Update| update.places.first().map(|place| place.hostname.clone());
    let by_image = |a: &Update, b: &Update| a.event.image.cmp(&b.event.image);
    match by {
        Sort::Image => updates.sort_unstable_by(by_image),
        Sort::Received => updates.sort_unstable_by(|a, b| {
            b.received_at.cmp(&a.received_at).then_with(|| by_image(a, b))
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

fn sort_by_name(
    updates: &mut [Update],
    by_image: impl Fn(&Update, &Update) -> Ordering,
    name: impl Fn(&Update) -> Option<String>,
) {
    updates.sort_by(by_image);
    updates.sort_by_cached_key(|update| {
        let name = name(update);
        (name.is_none(), name)
    });
}
