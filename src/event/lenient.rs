//! Lenient parsing of events from other programs, templates and old versions.

use chrono::{DateTime, FixedOffset, SecondsFormat};
use serde_json::{Map, Value};

use super::{Event, EventError, Metadata, parse_created};

/// Reads an event field by field. Returns it with warnings about the values that were dropped.
pub(super) fn read(json: &[u8]) -> Result<(Event, Vec<String>), EventError> {
    let value = serde_json::from_slice(json);
    let mut map: Map<String, Value> =
        value.map_err(|error: serde_json::Error| EventError::Syntax(error.to_string()))?;
    let mut warnings = Vec::new();
    let mut dropped = |field: &str, value: &Value| {
        let value: String = value.to_string().chars().take(100).collect();
        warnings.push(format!("`{field}`: dropped {value}, which is not as Diun sends it"));
    };
    let image = match map.remove("image") {
        Some(Value::String(image)) => image,
        None | Some(Value::Null) => String::new(),
        Some(_) => return Err(EventError::Image("it is not a text".to_owned())),
    };
    let mut field = |name: &str| {
        let value = map.remove(name).unwrap_or_default();
        text(&value).unwrap_or_else(|| {
            dropped(name, &value);
            String::new()
        })
    };
    let mut event = Event {
        diun_version: field("diun_version"),
        hostname: field("hostname"),
        status: field("status"),
        provider: field("provider"),
        image,
        hub_link: field("hub_link"),
        mime_type: field("mime_type"),
        digest: field("digest"),
        platform: field("platform"),
        ..Event::default()
    };
    let value = map.remove("created").unwrap_or_default();
    match &value {
        Value::Number(number) => event.created = number.as_f64().and_then(unix),
        value => match text(value).and_then(|text| created(&text).ok()) {
            Some(created) => event.created = created,
            None => dropped("created", value),
        },
    }
    let value = map.remove("metadata").unwrap_or_default();
    match value {
        Value::Object(map) => event.metadata = metadata(map),
        Value::Null => {}
        Value::Array(values) if values.is_empty() => {}
        Value::String(text) if text.is_empty() => {}
        value => dropped("metadata", &value),
    }
    Ok((event, warnings))
}

/// Values as text. Lists and objects become JSON.
fn metadata(map: Map<String, Value>) -> Metadata {
    let text = |value: Value| text(&value).unwrap_or_else(|| value.to_string());
    map.into_iter().map(|(key, value)| (key, text(value))).collect()
}

/// A simple value as text; `None` for lists and objects.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// A time as RFC 3339, from that or from Go's `time.Time.String()`, such as
/// `2020-03-26 12:23:56.1 +0000 UTC`.
pub(super) fn created(text: &str) -> Result<Option<String>, chrono::ParseError> {
    if text == "<nil>" {
        return Ok(None);
    }
    let rfc3339 = match DateTime::parse_and_remainder(text, "%Y-%m-%d %H:%M:%S%.f %z") {
        Ok((time, _zone_name)) => print(&time),
        Err(_) => text.to_owned(),
    };
    Ok(parse_created(&rfc3339)?.map(|_| rfc3339))
}

/// Seconds since 1970 as RFC 3339.
fn unix(seconds: f64) -> Option<String> {
    // Out of range, the conversion saturates at the largest number, which chrono rejects.
    #[allow(clippy::cast_possible_truncation, reason = "whole seconds are enough")]
    let time = DateTime::from_timestamp(seconds as i64, 0)?.fixed_offset();
    let text = print(&time);
    // RFC 3339 has four digits for a year.
    parse_created(&text).is_ok().then_some(text)
}

fn print(time: &DateTime<FixedOffset>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
