//! Turns the filter arguments of `list` and `ack --all` into a query.

use chrono::Utc;

use super::Error;
use crate::cli;
use crate::image::{alike, did_you_mean};
use crate::inbox::query::Query;
use crate::inbox::update::State;
use crate::store::Store;

/// The providers that Diun has.
const PROVIDERS: [&str; 7] =
    ["containerd", "docker", "dockerfile", "file", "kubernetes", "nomad", "swarm"];

/// Notes about hosts and providers in a filter that no event has named, with similar names.
pub(super) fn unknown(query: &Query, store: &dyn Store) -> Result<Vec<String>, Error> {
    let hosts = if query.hosts.is_empty() { Vec::new() } else { store.hosts(query.now)? };
    let hosts: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    let mut messages = Vec::new();
    for (what, wanted, known) in
        [("host", &query.hosts, &hosts[..]), ("provider", &query.providers, &PROVIDERS)]
    {
        for name in wanted.iter().filter(|name| !known.contains(&name.as_str())) {
            let near = did_you_mean(&alike(name, known.iter().copied()));
            messages.push(format!("no event has named the {what} \"{name}\"{near}"));
        }
    }
    Ok(messages)
}

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
            query.set(name, value).map_err(Error::Message)?;
        }
    }
    for (name, value) in
        [("search", &args.search), ("since", &args.since), ("before", &args.before)]
    {
        if let Some(value) = value {
            query.set(name, value).map_err(Error::Message)?;
        }
    }
    query.untagged = args.untagged;
    store.require_tags(&query)?;
    Ok(query)
}
