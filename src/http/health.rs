//! `/healthz`: whether the database answers.

use serde_json::json;

use super::message::Response;
use super::route::Context;

/// 200 when the database answers.
pub(super) fn get(context: &Context) -> Result<Response, Response> {
    context.store.check()?;
    Ok(Response::json(200, &json!({"status": "ok"})))
}
