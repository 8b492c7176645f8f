//! Turns the filter arguments of `list` and `ack --all` into a filter.

use chrono::{TimeDelta, Utc};

use super::Error;
use super::images::or_suggest;
use crate::cli;
use crate::filter::Filter;
use crate::image::ImagePattern;
use crate::store::{State, Store};

/// The filter that the arguments ask for. A tag that does not exist is more likely a slip than a
/// wish for nothing.
pub(super) fn filter(
    args: &cli::Filter,
    state: State,
    store: &impl Store,
) -> Result<Filter, Error> {
    if !args.tag.is_empty() {
        let tags = store.list_tags()?;
        let known = || tags.iter().map(|tag| tag.name.as_str());
        if let Some(unknown) = args.tag.iter().find(|wanted| !known().any(|tag| tag == *wanted)) {
            return Err(Error::Usage(or_suggest("tag", unknown, &near_tags(unknown, known()))));
        }
    }
    let images = args.image.iter().map(|pattern| ImagePattern::new(pattern));
    let since = args.since.and_then(|age| TimeDelta::from_std(age).ok());
    Ok(Filter {
        state,
        tags: args.tag.clone(),
        untagged: args.untagged,
        hosts: args.host.clone(),
        providers: args.provider.clone(),
        images: images.collect::<Result<_, _>>().map_err(Error::Usage)?,
        since: since.and_then(|age| Utc::now().checked_sub_signed(age)),
    })
}

/// The tags whose names come closest to one that does not exist.
pub(super) fn near_tags<'a>(wanted: &str, tags: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let near = |tag: &&str| strsim::normalized_damerau_levenshtein(wanted, tag) > 0.5;
    tags.filter(near).take(3).collect()
}
