//! Turns the filter arguments of `list` and `ack --all` into a filter.

use chrono::{TimeDelta, Utc};

use super::Error;
use super::images::did_you_mean;
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
            return Err(Error::Usage(no_tag(unknown, known())));
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

/// Says that a tag does not exist, and which come closest.
pub(super) fn no_tag<'a>(wanted: &str, tags: impl Iterator<Item = &'a str>) -> String {
    let near = |tag: &&str| strsim::normalized_damerau_levenshtein(wanted, tag) > 0.5;
    let near: Vec<&str> = tags.filter(near).take(3).collect();
    format!("no tag \"{wanted}\"{}", did_you_mean(&near))
}
