//! An event with the time at which it was received, as this program prints it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::event::{Event, EventError};
use crate::inbox::time::rfc3339;

/// An event, and when it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The event.
    pub event: Event,
    /// When it was received.
    pub at: DateTime<Utc>,
    /// Whether the event is replayed with its earlier time of receipt. Only such an event can count as older than the
    /// stored one: otherwise a clock that was ahead once would outrank all new events.
    pub is_replayed: bool,
}

impl Received {
    /// An event that is received now.
    pub fn now(event: Event, now: DateTime<Utc>) -> Self {
        Self { event, at: now, is_replayed: false }
    }

    /// Reads an event as Diun sends it, which is received `now`; or an update as `list` prints it and
    /// an event as `serve` logs it, which keep their `received_at`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn from_json(json: &[u8], now: DateTime<Utc>) -> Result<Self, EventError> {
        Self::read(json, now).map(|(received, _)| received)
    }

    /// As [`Received::from_json`], with the warnings of [`Event::read`].
    ///
    /// # Errors
    /// When it is neither.
    pub fn read(json: &[u8], now: DateTime<Utc>) -> Result<(Self, Vec<String>), EventError> {
        #[derive(Deserialize)]
        struct Wrapped<'a> {
            #[serde(borrow)]
            event: &'a serde_json::value::RawValue,
            #[serde(default)]
            received_at: Option<String>,
        }
        match Event::read(json) {
            Ok((event, warnings)) => Ok((Self::now(event, now), warnings)),
            Err(error) => match serde_json::from_slice::<Wrapped<'_>>(json) {
                Ok(Wrapped { event, received_at }) => {
                    let (event, warnings) = Event::read(event.get().as_bytes())?;
                    // With a time in the future, no later event could be the newest.
                    let at = received_at.and_then(|at| DateTime::parse_from_rfc3339(&at).ok());
                    let received = match at.map(|at| at.to_utc()).filter(|at| *at <= now) {
                        Some(at) => Self { event, at, is_replayed: true },
                        None => Self::now(event, now),
                    };
                    Ok((received, warnings))
                }
                Err(_) => Err(error),
            },
        }
    }
}

impl Serialize for Received {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct View<'a> {
            event: &'a Event,
            received_at: String,
        }
        let received_at = rfc3339(self.at);
        View { event: &self.event, received_at }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_program_prints_is_read_with_its_time() {
        let now = DateTime::from_timestamp(1_000_000, 5_000_000).unwrap();
        let bare = Received::from_json(br#"{"image": "a"}"#, now).unwrap();
        assert_eq!(bare.at, now);
        let earlier = Received {
            at: DateTime::from_timestamp(999_999, 0).unwrap(),
            is_replayed: true,
            ..bare.clone()
        };
        let json = serde_json::to_vec(&earlier).unwrap();
        assert_eq!(Received::from_json(&json, now), Ok(earlier));
        let later =
            br#"{"event": {"image": "a"}, "received_at": "2999-01-01T00:00:00Z", "state": "x"}"#;
        assert_eq!(Received::from_json(later, now), Ok(bare.clone()));
        assert_eq!(Received::from_json(br#"{"event": {"image": "a"}}"#, now), Ok(bare));
        for json in
            [r#"{"event": {}}"#, r#"{"event": 5}"#, "{}", "[]", r#"{"event": {"image": "a*"}}"#]
        {
            assert!(Received::from_json(json.as_bytes(), now).is_err(), "{json}");
        }
    }
}
