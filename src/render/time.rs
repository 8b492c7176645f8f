//! Times as people read them.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// How long ago a time was, such as `3 hours ago`. A time in the future is `now`, because the clocks of two hosts
/// always differ a little.
pub fn ago(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    timeago::Formatter::new().convert(age(time, now))
}

/// How long ago a time was; zero if it is in the future.
pub fn age(time: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (now - time).to_std().unwrap_or_default()
}

/// How far away a time is, such as `in 3 hours`. The last minute counts as a whole one, so that a snooze of 3 hours
/// does not begin with `in 2 hours`.
pub fn until(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let minutes = age(now, time).as_secs().div_ceil(60);
    let left = Duration::from_secs(60 * minutes);
    format!("in {}", timeago::Formatter::new().ago("").convert(left).trim_end())
}

/// A time in full.
pub fn date(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A time in full, and how long ago it was.
pub fn full(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("{} ({})", date(time), ago(time, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn ages_are_in_one_unit() {
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let ago = |seconds| ago(now - TimeDelta::seconds(seconds), now);
        assert_eq!(ago(-5), "now");
        assert_eq!(ago(0), "now");
        assert_eq!(ago(59), "59 seconds ago");
        assert_eq!(ago(3_600), "1 hour ago");
        assert_eq!(ago(3 * 86_400), "3 days ago");
        assert_eq!(full(now, now), "2026-11-18 11:06:40 UTC (now)");
        let until = |seconds| until(now + TimeDelta::seconds(seconds), now);
        assert_eq!(until(1), "in 1 minute");
        assert_eq!(until(3 * 3_600 - 1), "in 3 hours");
        assert_eq!(until(7 * 86_400 - 3_600), "in 6 days");
    }
}
