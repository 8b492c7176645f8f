//! `/api/summary`: how much there is to do, for dashboards.

use super::message::Response;
use super::route::Context;
use crate::render::json::CountsView;

/// The counts as flat JSON.
pub(super) fn get(context: &Context) -> Result<Response, Response> {
    Ok(Response::json(200, &CountsView::from(context.store.count_updates()?)))
}
