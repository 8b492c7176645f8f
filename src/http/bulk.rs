//! `/api/updates/acknowledge-…`: DiunDashboard's actions on many updates.

use chrono::Utc;
use serde::Deserialize;
use serde_json::json;

use super::error::Error;
use super::response::{Answer, json};
use super::route::Request;
use crate::inbox::action::{Action, Kind};
use crate::inbox::query::Query;
use crate::store::Store;

/// Acknowledges every pending update.
pub(super) fn all(request: &Request<'_>, store: &dyn Store) -> Answer {
    acknowledge(request, Query::pending(Utc::now()), store)
}

/// Acknowledges the pending updates with a tag: `{"tag_id": …}`.
pub(super) fn by_tag(request: &Request<'_>, store: &dyn Store) -> Answer {
    #[derive(Deserialize)]
    struct Body {
        tag_id: i64,
    }
    let Body { tag_id } = request.json("{\"tag_id\": \u{2026}}")?;
    let tag = store.list_tags()?.into_iter().find(|tag| tag.id == tag_id);
    let unknown = || Error::new(404, format_args!("there is no tag with the id {tag_id}"));
    let tags = vec![tag.ok_or_else(unknown)?.name];
    acknowledge(request, Query { tags, ..Query::pending(Utc::now()) }, store)
}

fn acknowledge(request: &Request<'_>, query: Query, store: &dyn Store) -> Answer {
    let stamp = request.caller.stamp(None);
    let action = Action { kind: Kind::Acknowledge, query, hosts: Vec::new(), stamp };
    Ok(json(200, &json!({ "count": store.act(&action)?.images.len() })))
}
