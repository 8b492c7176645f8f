//! `/healthz`: whether the database answers.

use serde_json::json;

use super::response::{Answer, json};
use super::route::Request;
use crate::store::Store;

/// 200 when the database answers.
pub(super) fn get(_: &Request<'_>, store: &dyn Store) -> Answer {
    store.check()?;
    Ok(json(200, &json!({"status": "ok"})))
}
