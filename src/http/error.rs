//! An error response: a status, and one sentence for the client and the log.

use std::fmt::Display;

/// An answer that says what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Error {
    /// The HTTP status, 400 or above.
    pub(super) status: u16,
    /// One plain sentence.
    pub(super) message: String,
    /// A header that goes with the status, such as `Allow` or `Retry-After`.
    pub(super) header: Option<(&'static str, String)>,
    /// Whether the server cannot go on.
    pub(super) is_fatal: bool,
}

impl Error {
    pub(super) fn new(status: u16, message: impl Display) -> Self {
        Self { status, message: message.to_string(), header: None, is_fatal: false }
    }

    pub(super) fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }

    /// 503, which advises to try again after `seconds`.
    pub(super) fn unavailable(message: impl Display, seconds: &'static str) -> Self {
        Self::new(503, message).with("Retry-After", seconds)
    }
}
