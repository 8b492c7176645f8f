//! The links of an update.

use serde::Serialize;

use super::terminal::is_web;
use crate::inbox::update::Update;

/// The links of an update. They come from outside, so only web addresses are shown.
#[derive(Debug, Serialize)]
pub(super) struct Links<'a> {
    /// The image's page in its registry.
    pub(super) hub: Option<&'a str>,
    pub(super) source: Option<&'a str>,
    /// The user's `diun.metadata.changelog`.
    pub(super) changelog: Option<&'a str>,
}

impl<'a> Links<'a> {
    pub(super) fn of(update: &'a Update) -> Self {
        let mut metadata = vec![&update.event.metadata];
        metadata.extend(update.places.iter().map(|place| &place.metadata));
        let own = metadata.into_iter().find_map(|metadata| web(metadata.get("changelog")?));
        Self {
            hub: web(&update.event.hub_link),
            source: web(&update.labels.source),
            changelog: own.or_else(|| web(&update.labels.changelog)),
        }
    }
}

fn web(link: &str) -> Option<&str> {
    Some(link).filter(|link| is_web(link))
}
