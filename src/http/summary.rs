//! `/api/summary`: how much there is to do, for dashboards.

use chrono::Utc;

use super::response::{Answer, json};
use super::route::Request;
use crate::render::json::CountsView;
use crate::store::Store;

/// The counts as flat JSON.
pub(super) fn get(_: &Request<'_>, store: &dyn Store) -> Answer {
    Ok(json(200, &CountsView::from(store.count(Utc::now())?)))
}
