//! Refused webhook requests, in words and as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::counts::count;
use super::json::seconds;
use super::time::ago;
use crate::inbox::refused::{Reason, Refused, recent};

/// The count of one reason, as JSON.
#[derive(Debug, Serialize)]
pub struct RefusedView {
    reason: &'static str,
    count: u64,
    #[serde(serialize_with = "seconds")]
    last: DateTime<Utc>,
}

impl From<&Refused> for RefusedView {
    fn from(&Refused { reason, count, last }: &Refused) -> Self {
        Self { reason: reason.name(), count, last }
    }
}

/// A sentence about the refusals of the last week; `None` if there are none.
pub fn sentence(refused: &[Refused], now: DateTime<Utc>) -> Option<String> {
    let recent = recent(refused, now);
    let last = ago(recent.first()?.last, now);
    let requests = count(recent.iter().map(|refused| refused.count).sum(), "webhook request");
    let reasons =
        recent.iter().map(|refused| format!("{} {}", refused.count, words(refused.reason)));
    let reasons = reasons.collect::<Vec<_>>().join(", ");
    Some(format!("{requests} refused, last {last} ({reasons})"))
}

fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::Token => "without a valid token",
        Reason::Forbidden => "with a token or from a page that may not",
        Reason::Event => "without an event",
        Reason::Size => "too large",
        Reason::Timeout => "too slow",
        Reason::Request => "not understood",
    }
}
