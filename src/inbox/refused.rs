//! Refused webhook requests. They are counted and shown because Diun does not repeat an event.

use chrono::{DateTime, TimeDelta, Utc};

/// Older refusals are not shown any more.
const RECENT: TimeDelta = TimeDelta::days(7);

/// Why a webhook request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It has no valid token.
    Token,
    /// Its token may not send events, or it comes from a page of another site.
    Forbidden,
    /// It is not an event.
    Event,
    /// It is too large.
    Size,
    /// It did not arrive in time.
    Timeout,
    /// It is not a request that the server understands.
    Request,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 6] =
        [Self::Token, Self::Forbidden, Self::Event, Self::Size, Self::Timeout, Self::Request];

    /// Its name, in the store, in JSON and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Forbidden => "forbidden",
            Self::Event => "event",
            Self::Size => "size",
            Self::Timeout => "timeout",
            Self::Request => "request",
        }
    }

    /// The reason with this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// The refused webhook requests of one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// How many.
    pub count: u64,
    /// When the last of them was refused.
    pub last: DateTime<Utc>,
}

/// The reasons with a refusal in the last week.
pub fn recent(refused: &[Refused], now: DateTime<Utc>) -> Vec<Refused> {
    refused.iter().filter(|refused| now - refused.last < RECENT).copied().collect()
}
