//! Turns the filter arguments of `list` and `ack --all` into a query.

use chrono::Utc;

use super::Error;
use super::images::did_you_mean;
use crate::cli;
use crate::inbox::query::Query;
use crate::inbox::update::State;
use crate::store::Store;

/// The query that the arguments ask for. A tag that does not exist is an error, as it is more likely
/// a slip than a wish for nothing.
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
    if !query.tags.is_empty() {
        let tags = store.list_tags()?;
        let known = || tags.iter().map(|tag| tag.name.as_str());
        if let Some(unknown) = query.tags.iter().find(|wanted| !known().any(|tag| tag == *wanted)) {
            return Err(Error::Usage(no_tag(unknown, known())));
        }
    }
    Ok(query)
}

/// Says that a tag does not exist, and which come closest.
pub(super) fn no_tag<'a>(wanted: &str, tags: impl Iterator<Item = &'a str>) -> String {
    let near = |tag: &&str| strsim::normalized_damerau_levenshtein(wanted, tag) > 0.5;
    let near: Vec<&str> = tags.filter(near).take(3).collect();
    format!("no tag \"{wanted}\"{}", did_you_mean(&near))
}
