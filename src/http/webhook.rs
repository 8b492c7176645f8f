//! `/webhook`: what Diun sends.

use super::log::Log;
use super::message::{Request, Response};
use super::route::Context;
use crate::event::Event;

/// Takes one event in. It is on disk when this returns 204.
pub(super) fn take(request: &Request<'_>, context: &Context) -> Result<Response, Response> {
    let event = Event::from_json(request.body).map_err(|error| {
        context.metrics.refused();
        Response::error(400, error)
    })?;
    context.store.upsert_event(&event).map_err(|error| {
        context.metrics.lost();
        // Diun will not send it again.
        Log::lost(&event);
        Response::from(error)
    })?;
    context.metrics.taken();
    Ok(Response::empty(204))
}

/// What to tell whoever looks at the webhook with a browser.
pub(super) fn usage() -> Response {
    Response::error(
        405,
        "this is the webhook for Diun: set `notif.webhook.endpoint` in Diun's configuration to this URL",
    )
    .with("Allow", "GET, POST, PUT")
}
