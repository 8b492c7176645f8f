//! `/api/running`: closes what already runs.

use super::error::Error;
use super::response::{Answer, json};
use super::route::{Request, unknown_parameter};
use crate::reconcile::{self, Options, Running};
use crate::render::reconcile::ReportView;
use crate::store::Store;

/// Compares what runs with the inbox: `?host=`, `?provider=`, `?complete=true`, `?dry_run=true` and
/// `?acknowledged=true`.
pub(super) fn take(request: &Request<'_>, store: &dyn Store) -> Answer {
    let mut options = Options::default();
    for (name, value) in request.parameters() {
        let flag = || match &*value {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Error::new(400, format_args!("`{name}` is neither true nor false"))),
        };
        match &*name {
            "host" => options.hosts.push(value.into_owned()),
            "provider" => options.provider = Some(value.into_owned()),
            "complete" => options.is_complete = flag()?,
            "dry_run" => options.is_dry = flag()?,
            "acknowledged" => options.acknowledges = flag()?,
            _ => return Err(unknown_parameter(&name)),
        }
    }
    let running = Running::read_all([request.body]).map_err(|error| Error::new(400, error))?;
    let stamp = request.caller.reconcile_stamp();
    match reconcile::against(store, &running, &options, &stamp) {
        Ok(report) => Ok(json(200, &ReportView::from(&report))),
        Err(reconcile::Error::Store(error)) => Err(error.into()),
        Err(error) => Err(Error::new(400, error)),
    }
}
