//! Turns the filter arguments of `list` and `ack --all` into a query.

use chrono::Utc;

use super::Error;
use crate::cli;
use crate::inbox::query::Query;
use crate::inbox::update::State;
use crate::store::Store;

/// The query that the arguments ask for.
pub(super) fn query(
    args: &cli::Filter,
    states: &[State],
    store: &dyn Store,
) -> Result<Query, Error> {
    let mut query = Query { states: states.to_vec(), ..Query::all(Utc::now()) };
    for (name, values) in [
        ("tag", &args.tag),
        ("host", &args.host),
        ("provider", &args.provider),
        ("status", &args.status),
        ("image", &args.image),
    ] {
        for value in values {
            query.set(name, value).map_err(Error::Usage)?;
        }
    }
    for (name, value) in
        [("search", &args.search), ("since", &args.since), ("before", &args.before)]
    {
        if let Some(value) = value {
            query.set(name, value).map_err(Error::Usage)?;
        }
    }
    query.untagged = args.untagged;
    store.require_tags(&query)?;
    Ok(query)
}
