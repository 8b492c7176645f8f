//! `/webhook`: what Diun sends.

use std::fmt::Display;

use super::log::Log;
use super::message::{Request, Response};
use super::route::Context;
use crate::event::Event;

/// Takes one event in. It is on disk when this returns 204.
pub(super) fn take(request: &Request<'_>, context: &Context) -> Result<Response, Response> {
    let refuse = |reason: &dyn Display| {
        context.metrics.refused();
        Response::error(400, reason)
    };
    if request.body.is_empty() {
        return Err(refuse(&"there is no body: Diun sends the event as JSON in it"));
    }
    let event = Event::from_json(request.body).map_err(|error| refuse(&error))?;
    context.store.upsert_event(&event)?;
    context.metrics.taken();
    Ok(Response::empty(204))
}

/// Writes an event that could not be stored to the log.
pub(super) fn rescue(request: &Request<'_>, context: &Context) {
    if let Ok(event) = Event::from_json(request.body) {
        context.metrics.lost();
        Log::lost(&event);
    }
}

/// What to tell whoever looks at the webhook with a browser.
pub(super) fn usage() -> Response {
    Response::error(
        405,
        "this is the webhook for Diun: set `notif.webhook.endpoint` in Diun's configuration to this URL",
    )
    .with("Allow", "GET, POST, PUT")
}
