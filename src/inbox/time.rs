//! The text form of diunbox's own times.

use chrono::{DateTime, SecondsFormat, Utc};

/// RFC 3339 in whole seconds, such as `2026-11-24T09:00:00Z`.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
