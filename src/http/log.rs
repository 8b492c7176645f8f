//! The access log on standard error, as text or JSON.

use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use serde::Serialize;

use super::stderr;
use crate::inbox::received::Received;
use crate::render::json;
use crate::render::terminal::safe;

/// Maximum length of a logged path, in characters.
const PATH_LIMIT: usize = 512;

/// Maximum length of a logged body that was refused, in bytes.
const BODY_LIMIT: usize = 4 * 1024;

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Problems, and events that could not be stored.
    Quiet,
    /// The same and a line per request.
    Normal,
    /// The same and connections without a request.
    Verbose,
}

/// How to write the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One line of text per request.
    Text,
    /// One JSON object per line.
    Json,
}

/// Writes the log.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// How to write it.
    pub format: Format,
    /// How much is written.
    pub level: Level,
}

/// A request that was answered.
#[derive(Debug, Serialize)]
pub(super) struct Entry<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) status: u16,
    pub(super) ms: f64,
    pub(super) client: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'a str>,
}

#[derive(Serialize)]
struct Line<'a, T> {
    time: String,
    level: &'a str,
    #[serde(flatten)]
    what: T,
}

#[derive(Serialize)]
struct Message<'a> {
    message: &'a str,
}

impl Log {
    /// Logs a request and its answer.
    pub(super) fn request(self, mut entry: Entry<'_>) {
        if self.level < Level::Normal && entry.status < 500 {
            return;
        }
        let level = if entry.status < 500 { "info" } else { "error" };
        entry.path = match entry.path.char_indices().nth(PATH_LIMIT) {
            Some((end, _)) => &entry.path[..end],
            None => entry.path,
        };
        match self.format {
            Format::Json => Self::json(level, entry),
            Format::Text => {
                let error = entry.error.map(|error| format!(" {error}")).unwrap_or_default();
                let Entry { method, path, status, ms, client, .. } = entry;
                Self::text(&format!("{method} {path} {status} {ms:.1}ms {client}{error}"));
            }
        }
    }

    /// Logs a message at info level.
    pub fn info(self, message: &str) {
        if self.level >= Level::Normal {
            self.message("info", message);
        }
    }

    /// Logs a message at debug level.
    pub(super) fn detail(self, message: &str) {
        if self.level >= Level::Verbose {
            self.message("debug", message);
        }
    }

    /// Logs a message at error level.
    pub fn problem(self, message: &str) {
        self.message("error", message);
    }

    /// Logs the start of a body that is not an event, so that nothing is lost without a trace.
    pub(super) fn refused(self, body: &[u8]) {
        let start = &body[..body.len().min(BODY_LIMIT)];
        let rest = if start.len() < body.len() { "…" } else { "" };
        self.info(&format!("refused body: {}{rest}", String::from_utf8_lossy(start)));
    }

    /// Writes an event that could not be stored as a line that `diunbox ingest` takes. Returns
    /// whether it is written.
    pub(super) fn lost(received: &Received) -> bool {
        let mut line = Vec::new();
        let _ = json::line(&mut line, received);
        stderr::write_event(line)
    }

    /// Waits until the log is written, but not for long. Returns false if an event is not.
    pub fn flush() -> bool {
        stderr::flush()
    }

    fn message(self, level: &str, message: &str) {
        match self.format {
            Format::Json => Self::json(level, Message { message }),
            Format::Text => Self::text(message),
        }
    }

    fn json(level: &str, what: impl Serialize) {
        let mut line = Vec::new();
        let _ = json::line(&mut line, &Line { time: now(), level, what });
        stderr::write(line);
    }

    fn text(text: &str) {
        stderr::write(format!("{} {}\n", now(), safe(text)).into_bytes());
    }
}

pub(super) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}
