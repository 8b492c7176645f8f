//! `/api/summary` and `/api/hosts`: counts for dashboards.

use chrono::Utc;

use super::response::{Answer, json};
use super::route::Request;
use crate::render::counts::CountsView;
use crate::render::hosts::HostView;
use crate::store::Store;

/// The counts as flat JSON.
pub(super) fn get(request: &Request<'_>, store: &dyn Store) -> Answer {
    request.no_parameters()?;
    let now = Utc::now();
    Ok(json(200, &CountsView::new(store.count(now)?, &store.scans()?, &store.refused()?, now)))
}

/// What each host has to do.
pub(super) fn hosts(request: &Request<'_>, store: &dyn Store) -> Answer {
    request.no_parameters()?;
    let now = Utc::now();
    let hosts = store.hosts(now)?;
    Ok(json(200, &hosts.iter().map(|host| HostView::new(host, now)).collect::<Vec<_>>()))
}
