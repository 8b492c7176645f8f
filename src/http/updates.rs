//! `/api/updates`: the updates, and acknowledging them.

use super::message::{Request, Response};
use super::route::Context;
use crate::filter::Filter;
use crate::render::json::{UpdateView, by_image};
use crate::store::State;

/// The updates as a map by image: `?acknowledged=`, `?tag=` and `?host=` filter.
pub(super) fn list(request: &Request<'_>, context: &Context) -> Result<Response, Response> {
    let state = match request.parameter("acknowledged").as_deref() {
        None => State::All,
        Some("true" | "1") => State::Acknowledged,
        Some("false" | "0") => State::Pending,
        Some(_) => return Err(Response::error(400, "`acknowledged` is neither true nor false")),
    };
    let filter = Filter {
        state,
        tags: request.parameter("tag").into_iter().collect(),
        hosts: request.parameter("host").into_iter().collect(),
        ..Filter::default()
    };
    let mut updates = context.store.list_updates(state)?;
    updates.retain(|update| filter.matches(update));
    Ok(Response::json(200, &by_image(&updates)))
}

/// One update, with its reports.
pub(super) fn show(image: &str, context: &Context) -> Result<Response, Response> {
    let update = context.store.get_update(image)?.ok_or_else(|| unknown(image))?;
    let reports = context.store.get_reports(image)?;
    Ok(Response::json(200, &UpdateView::with_reports(&update, &reports)))
}

/// Acknowledges an update.
pub(super) fn acknowledge(image: &str, context: &Context) -> Result<Response, Response> {
    let found = context.store.acknowledge_update(image)?;
    if found { Ok(Response::empty(204)) } else { Err(unknown(image)) }
}

fn unknown(image: &str) -> Response {
    Response::not_found(format_args!(
        "there is no update of \"{image}\": give the image's full name"
    ))
}
