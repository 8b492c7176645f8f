//! Counts, as flat JSON and in sentences.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::json::seconds_or_null;
use super::refused::RefusedView;
use super::time::age;
use crate::inbox::refused::{Refused, recent};
use crate::inbox::scan::Scans;
use crate::inbox::update::Counts;

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
    /// 0 if nothing is pending, so that it can be compared.
    oldest_pending_age_seconds: u64,
    hosts_in_trouble: usize,
    images_not_checked: u64,
    refused_requests: u64,
    refused: Vec<RefusedView>,
}

impl CountsView {
    /// The counts at this time.
    pub fn new(
        counts: Counts,
        scans: &[(String, Scans)],
        refused: &[Refused],
        now: DateTime<Utc>,
    ) -> Self {
        let Counts { pending, snoozed, superseded, acknowledged, ignored, .. } = counts;
        let oldest = counts.oldest_pending.map(|oldest| age(oldest, now)).unwrap_or_default();
        Self {
            pending,
            snoozed,
            superseded,
            acknowledged,
            ignored,
            total: pending + snoozed + superseded + acknowledged + ignored,
            oldest_pending: counts.oldest_pending,
            newest_pending: counts.newest_pending,
            oldest_pending_age_seconds: oldest.as_secs(),
            hosts_in_trouble: scans.iter().filter(|(_, scans)| scans.has_trouble(now)).count(),
            images_not_checked: scans.iter().filter_map(|(_, scans)| scans.failed).sum(),
            refused_requests: recent(refused, now).iter().map(|refused| refused.count).sum(),
            refused: refused.iter().map(RefusedView::from).collect(),
        }
    }
}

/// A number with its noun.
pub fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
