//! How much there is to do, as flat JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::json::{seconds, seconds_or_null};
use super::time::age;
use crate::inbox::update::{Counts, Host};

/// The counts of `status` and `/api/summary`. Ages are in seconds.
#[derive(Debug, Serialize)]
pub struct CountsView {
    pending: u64,
    snoozed: u64,
    superseded: u64,
    acknowledged: u64,
    ignored: u64,
    total: u64,
    #[serde(serialize_with = "seconds_or_null")]
    oldest_pending: Option<DateTime<Utc>>,
    #[serde(serialize_with = "seconds_or_null")]
    newest_pending: Option<DateTime<Utc>>,
    oldest_pending_age: Option<u64>,
}

impl CountsView {
    /// As it is at this time.
    pub fn new(counts: Counts, now: DateTime<Utc>) -> Self {
        let Counts { pending, snoozed, superseded, acknowledged, ignored, .. } = counts;
        Self {
            pending,
            snoozed,
            superseded,
            acknowledged,
            ignored,
            total: pending + snoozed + superseded + acknowledged + ignored,
            oldest_pending: counts.oldest_pending,
            newest_pending: counts.newest_pending,
            oldest_pending_age: counts.oldest_pending.map(|oldest| age(oldest, now).as_secs()),
        }
    }
}

/// A host, as `/api/hosts` shows it.
#[derive(Debug, Serialize)]
pub struct HostView<'a> {
    host: &'a str,
    pending: u64,
    #[serde(serialize_with = "seconds")]
    last_event: DateTime<Utc>,
}

impl<'a> From<&'a Host> for HostView<'a> {
    fn from(host: &'a Host) -> Self {
        Self { host: &host.name, pending: host.pending, last_event: host.last_event }
    }
}
