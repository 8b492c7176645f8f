//! `/webhook`: what Diun sends.

use std::sync::Arc;

use chrono::Utc;

use super::context::Context;
use super::error::Error;
use super::log::Log;
use super::response::{Answer, empty};
use super::route::Request;
use crate::event::Event;
use crate::inbox::received::Received;

/// Stores one event. It is durable when this returns 204.
pub(super) fn take(request: &Request<'_>, context: &Arc<Context>) -> Answer {
    if request.body.is_empty() {
        return Err(match request.head.method.as_str() {
            "GET" | "HEAD" => usage(),
            _ => Error::new(400, "the body is empty: expected a Diun event as JSON"),
        });
    }
    let (event, warnings) = Event::read(request.body).map_err(|error| {
        context.log.refused(request.body);
        Error::new(400, error)
    })?;
    for warning in warnings {
        context.log.info(&format!("{}: {warning}", event.image));
    }
    context.store.upsert(Received::now(event, Utc::now()))?;
    context.metrics.stored();
    context.note_spool();
    Ok(empty(204))
}

/// Writes an event that could not be stored to the log: Diun will not send it again.
pub(super) fn rescue(body: &[u8], context: &Context) {
    if let Ok(event) = Event::from_json(body) {
        if Log::lost(&Received::now(event, Utc::now())) {
            context.metrics.logged();
        } else {
            context.metrics.lost();
        }
    }
}

/// The answer to a GET without a body, as from a browser.
fn usage() -> Error {
    Error::new(
        405,
        "this is the webhook for Diun: set `notif.webhook.endpoint` in Diun's configuration to this URL",
    )
    .with("Allow", "GET, POST, PUT")
}
