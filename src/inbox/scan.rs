//! Heartbeats that Diun sends before and after each scan of the registries.
//!
//! A Diun that finds nothing sends no event, so its silence means nothing. With `watch.healthchecks` it
//! posts to `URL/start` before each scan, and after it to `URL` with a text such as `3 tag(s) have been
//! scanned: … * 1 tag(s) with error`, or to `URL/fail`.

use chrono::{DateTime, TimeDelta, Utc};

/// The number of scans whose times are kept.
pub const KEPT: usize = 6;
/// A scan may be this late before it counts as overdue.
const GRACE: TimeDelta = TimeDelta::hours(1);

/// A heartbeat: the state of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beat {
    /// The scan begins.
    Start,
    /// The scan has ended.
    Done {
        /// How many images it looked at, if it says so.
        scanned: Option<u64>,
        /// How many of these could not be checked, such as after a login has expired.
        failed: Option<u64>,
    },
    /// The scan failed.
    Fail,
}

impl Beat {
    /// Reads the text after a scan.
    pub fn done(text: &str) -> Self {
        Self::Done {
            scanned: number_before(text, " tag(s) have been scanned"),
            failed: number_before(text, " tag(s) with error"),
        }
    }
}

fn number_before(text: &str, words: &str) -> Option<u64> {
    let before = &text[..text.find(words)?];
    let digits = before.len() - before.bytes().rev().take_while(u8::is_ascii_digit).count();
    before[digits..].parse().ok()
}

/// The scans of a host's Diun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scans {
    /// When the last ones ended well, the latest first; at most [`KEPT`].
    pub ended: Vec<DateTime<Utc>>,
    /// Whether the last one failed.
    pub has_failed: bool,
    /// How many images the last one looked at.
    pub scanned: Option<u64>,
    /// How many of these could not be checked.
    pub failed: Option<u64>,
}

impl Scans {
    /// Applies a heartbeat.
    pub fn take(&mut self, beat: &Beat, now: DateTime<Utc>) {
        match beat {
            Beat::Start => {}
            Beat::Fail => self.has_failed = true,
            Beat::Done { scanned, failed } => {
                self.ended.insert(0, now);
                self.ended.truncate(KEPT);
                (self.has_failed, self.scanned, self.failed) = (false, *scanned, *failed);
            }
        }
    }

    /// Whether the next scan is overdue: later than twice the longest pause so far and an hour. Unknown, and false,
    /// before the second scan.
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        let pauses = self.ended.windows(2).map(|times| times[0] - times[1]);
        match (self.ended.first(), pauses.max()) {
            (Some(last), Some(longest)) => now - *last > longest * 2 + GRACE,
            _ => false,
        }
    }

    /// Whether this Diun needs attention.
    pub fn has_trouble(&self, now: DateTime<Utc>) -> bool {
        self.has_failed || self.failed.is_some_and(|failed| failed > 0) || self.is_overdue(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_scan_are_read() {
        let text = "3 tag(s) have been scanned:\n* 0 new tag(s) found\n* 0 tag(s) updated\n* 2 tag(s) \
            unchanged\n* 0 tag(s) skipped\n* 1 tag(s) with error";
        assert_eq!(Beat::done(text), Beat::Done { scanned: Some(3), failed: Some(1) });
        let nothing = Beat::Done { scanned: None, failed: None };
        for text in ["", "done", " tag(s) with error", "99999999999999999999999 tag(s) with error"]
        {
            assert_eq!(Beat::done(text), nothing, "{text}");
        }
    }

    #[test]
    fn an_overdue_scan_is_noticed() {
        let at = |hour: i64| DateTime::UNIX_EPOCH + TimeDelta::hours(hour);
        let mut scans = Scans::default();
        let done = Beat::Done { scanned: Some(3), failed: Some(0) };
        scans.take(&done, at(0));
        assert!(!scans.is_overdue(at(1_000)));
        scans.take(&done, at(6));
        assert!(!scans.is_overdue(at(19)));
        assert!(scans.is_overdue(at(20)));
        // A restart scans early; that makes no shorter rhythm.
        scans.take(&Beat::Start, at(7));
        scans.take(&done, at(7));
        assert!(!scans.is_overdue(at(20)) && !scans.has_trouble(at(20)));
        scans.take(&Beat::Fail, at(8));
        assert!(scans.has_trouble(at(8)) && scans.ended.len() == 3);
        scans.take(&Beat::Done { scanned: Some(3), failed: Some(1) }, at(9));
        assert!(scans.has_trouble(at(9)) && !scans.has_failed);
        for hour in 10..30 {
            scans.take(&done, at(hour));
        }
        assert_eq!(scans.ended.len(), KEPT);
        assert!(scans.is_overdue(at(33)));
    }
}
