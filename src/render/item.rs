//! An update as one small JSON object.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::json::{seconds, seconds_or_null};
use super::place::{hosts, places};
use super::terminal::is_web;
use crate::image::short_name;
use crate::inbox::update::{State, Update};

/// An update as a dashboard shows it: flat and small.
#[derive(Debug, Serialize)]
pub struct ItemView<'a> {
    image: &'a str,
    name: &'a str,
    state: State,
    status: &'a str,
    change: &'static str,
    previous: Option<&'a str>,
    #[serde(rename = "where")]
    where_: String,
    hosts: Vec<&'a str>,
    needed: usize,
    places: usize,
    tag: Option<&'a str>,
    note: Option<&'a str>,
    #[serde(serialize_with = "seconds")]
    since: DateTime<Utc>,
    #[serde(serialize_with = "seconds")]
    received_at: DateTime<Utc>,
    digest: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
    older: u64,
    /// Only if it is snoozed.
    #[serde(serialize_with = "seconds_or_null", skip_serializing_if = "Option::is_none")]
    snoozed_until: Option<DateTime<Utc>>,
}

impl<'a> From<&'a Update> for ItemView<'a> {
    fn from(update: &'a Update) -> Self {
        Self {
            image: &update.event.image,
            name: short_name(&update.event.image),
            state: update.state,
            status: &update.event.status,
            change: update.change.name(),
            previous: update.previous.as_deref(),
            where_: places(update),
            hosts: hosts(update),
            needed: update.needed().count(),
            places: update.present().count(),
            tag: update.tag.as_ref().map(|tag| tag.name.as_str()),
            note: update.note.as_deref(),
            since: update.since,
            received_at: update.received_at,
            digest: &update.event.digest,
            link: Some(update.event.hub_link.as_str()).filter(|link| is_web(link)),
            older: update.older,
            snoozed_until: update.snooze_end(),
        }
    }
}
