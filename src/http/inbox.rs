//! `/api/inbox`: the updates in order and in pages, for dashboards.

use chrono::Utc;
use serde::Serialize;

use super::error::Error;
use super::response::{Answer, json};
use super::route::Request;
use crate::inbox::query::{Cursor, Detail, Query, Sort};
use crate::render::item::ItemView;
use crate::store::Store;

/// The default number of updates on a page.
const PAGE: usize = 100;
/// The largest number of updates on a page.
const MOST: usize = 500;

#[derive(Serialize)]
struct Page<'a> {
    /// The number of all pending updates; on the first page only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<u64>,
    /// The number of the last change, for actions on what is listed; on the first page only.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<i64>,
    updates: Vec<ItemView<'a>>,
    next: Option<String>,
}

/// A page of updates: the pending ones unless `state` says otherwise.
pub(super) fn get(request: &Request<'_>, store: &dyn Store) -> Answer {
    let all = Query::all(Utc::now());
    let mut query = request.query(Query { detail: Detail::Item, ..all }, &["as_of"], store)?;
    if query.states.is_empty() {
        query.states = Query::pending(query.now).states;
    }
    if !matches!(query.sort, Sort::Since | Sort::Image) {
        return Err(Error::new(400, "`sort` is neither since nor image"));
    }
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=MOST).contains(&limit) {
        return Err(Error::new(400, format_args!("`limit` is not between 1 and {MOST}")));
    }
    // Read before the page: a change in between counts as later than the page.
    let counts = if query.after.is_none() { Some(store.count(query.now)?) } else { None };
    let (pending, as_of) = counts.map(|counts| (counts.pending, counts.as_of)).unzip();
    // One more update than fits tells whether there is another page.
    query.limit = Some(limit + 1);
    let mut updates = store.select(&query)?;
    let has_more = updates.len() > limit;
    updates.truncate(limit);
    let last = updates.last().filter(|_| has_more);
    let cursor = |since, image: &str| Cursor { since, image: image.to_owned() }.to_string();
    let next = last.map(|update| cursor(update.since.timestamp_millis(), &update.event.image));
    let updates = updates.iter().map(ItemView::from).collect();
    Ok(json(200, &Page { pending, as_of, updates, next }))
}
