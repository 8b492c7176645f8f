//! The end of a snooze, as users write it.

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};

use super::query::age;

/// The formats of the time of a date.
const FORMATS: [&str; 4] =
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"];

/// The time that is an age, such as `7d`, from now.
///
/// # Errors
/// With a sentence that says how ages are written.
pub fn after(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let until = now.checked_add_signed(age(text)?);
    let until = until.filter(|until| until.timestamp() < LATEST).ok_or("it is too far away")?;
    check(until, text, now)
}

/// A date, such as `2026-12-24` or `2026-12-24T09:00` in the local time zone, or with a zone of its own
/// as in `2026-12-24T09:00:00+01:00`. A date alone is its first moment.
///
/// # Errors
/// With a sentence that says how dates are written, or that this one is past.
pub fn date(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    in_zone(text, now, &Local)
}

/// The first second of the year 10000, which no date can be written in.
const LATEST: i64 = 253_402_300_800;

fn in_zone<Z: TimeZone>(text: &str, now: DateTime<Utc>, zone: &Z) -> Result<DateTime<Utc>, String> {
    let text = text.trim();
    let parsed = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    let until = parsed.or_else(|| {
        let times = FORMATS.iter().find_map(|f| NaiveDateTime::parse_from_str(text, f).ok());
        let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        let local = times.or_else(|| day().map(|day| day.and_time(NaiveTime::MIN)))?;
        // A time that is skipped when the clocks change is an hour later.
        let found = zone.from_local_datetime(&local).earliest().or_else(|| {
            let later = local.checked_add_signed(chrono::TimeDelta::hours(1))?;
            zone.from_local_datetime(&later).earliest()
        })?;
        Some(found.to_utc())
    });
    let until = until.filter(|until| until.timestamp() < LATEST).ok_or_else(|| {
        format!(
            "\"{}\" is not a date: write it as 2026-12-24 or 2026-12-24T09:00",
            text.escape_debug()
        )
    })?;
    check(until, text, now)
}

/// Checks that a time is in the future, and rounds it to whole seconds.
fn check(until: DateTime<Utc>, text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let until = DateTime::from_timestamp(until.timestamp(), 0).unwrap_or(until);
    if until > now {
        Ok(until)
    } else {
        Err(format!("\"{}\" is not in the future", text.escape_debug()))
    }
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;

    #[test]
    fn dates_are_in_the_local_time_zone_unless_they_have_their_own() {
        let now = DateTime::parse_from_rfc3339("2026-11-25T12:00:00Z").unwrap().to_utc();
        let zone = FixedOffset::east_opt(3_600).unwrap();
        let until = |text| in_zone(text, now, &zone).map(|time| time.to_rfc3339());
        let expected = |text: &str| Ok(text.to_owned());
        assert_eq!(until("2026-12-24"), expected("2026-12-23T23:00:00+00:00"));
        assert_eq!(until("2026-12-24T09:00"), expected("2026-12-24T08:00:00+00:00"));
        assert_eq!(until(" 2026-12-24 09:00:30 "), expected("2026-12-24T08:00:30+00:00"));
        assert_eq!(until("2026-12-24T09:00:00.7Z"), expected("2026-12-24T09:00:00+00:00"));
        for text in [
            "",
            "tomorrow",
            "24.12.2026",
            "2026-12",
            "2026-13-01",
            "+12345-01-01",
            "2026-11-25",
            "2026-11-25T13:00",
        ] {
            until(text).unwrap_err();
        }
        assert_eq!(after("36h", now).unwrap().to_rfc3339(), "2026-11-27T00:00:00+00:00");
        for text in ["", "0s", "7", "-1d", "999999years"] {
            after(text, now).unwrap_err();
        }
    }
}
