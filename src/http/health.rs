//! `/healthz`: whether events are taken.

use serde_json::json;

use super::response::{Answer, json};
use super::route::Request;
use crate::store::Store;

/// 200 if the database answers, or if a spool takes events. The answer has the size of the spool.
pub(super) fn get(_: &Request<'_>, store: &dyn Store) -> Answer {
    let Some(spooled) = store.spooled() else {
        store.check()?;
        return Ok(json(200, &json!({"status": "ok"})));
    };
    let is_spooling = spooled.events > 0 || store.check().is_err();
    let status = if is_spooling { "spooling" } else { "ok" };
    let body = json!({"status": status, "spooled": spooled.events, "refused": spooled.refused});
    Ok(json(200, &body))
}
