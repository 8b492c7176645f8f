//! Requests as routes see them, and their answers.

use std::fmt::Display;

use form_urlencoded::parse;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tiny_http::Method;

use crate::render::json;
use crate::store::StoreError;

/// After this many seconds a store that failed may work again.
const RETRY_AFTER: &str = "5";

/// A request that was read to its end.
pub(super) struct Request<'a> {
    pub(super) method: &'a Method,
    /// The path and the query as sent.
    pub(super) target: &'a str,
    /// `Authorization`, `Host`, `Origin` and `Sec-Fetch-Site`, by their names in lower case.
    pub(super) header: &'a dyn Fn(&str) -> Option<&'a str>,
    pub(super) body: &'a [u8],
}

/// An answer.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl<'a> Request<'a> {
    /// The path, percent-encoded or not, as text.
    pub(super) fn path(&self) -> Result<String, Response> {
        let path = self.target.split('?').next().unwrap_or_default();
        let decoded = percent_decode_str(path).decode_utf8();
        decoded.map(Into::into).map_err(|_| Response::error(400, "the path is not UTF-8"))
    }

    /// A parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?')?.1;
        parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The body's JSON.
    pub(super) fn json<T: DeserializeOwned>(&self, expected: &str) -> Result<T, Response> {
        // serde would take an array for a list of the fields.
        if self.body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Response::error(400, format_args!("the body is not {expected}")));
        }
        serde_json::from_slice(self.body).map_err(|error| {
            Response::error(400, format_args!("the body is not {expected}: {error}"))
        })
    }

    /// A header.
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        (self.header)(name)
    }
}

impl Response {
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn json(status: u16, value: &impl Serialize) -> Self {
        let mut body = Vec::new();
        // Writing to memory does not fail, and neither do the views that are written.
        let _ = json::line(&mut body, value);
        Self::empty(status).with("Content-Type", "application/json").with_body(body)
    }

    pub(super) fn text(content_type: &str, body: String) -> Self {
        Self::empty(200).with("Content-Type", content_type).with_body(body.into_bytes())
    }

    /// An error, as one plain sentence.
    pub(super) fn error(status: u16, error: impl Display) -> Self {
        #[derive(Serialize)]
        struct Body {
            error: String,
        }
        Self::json(status, &Body { error: error.to_string() })
    }

    pub(super) fn not_found(what: impl Display) -> Self {
        Self::error(404, what)
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn with_body(self, body: Vec<u8>) -> Self {
        Self { body, ..self }
    }
}

/// What a store's error means to a client: its own fault, or a fault that may pass.
impl From<StoreError> for Response {
    fn from(error: StoreError) -> Self {
        let status = match error {
            StoreError::TagExists(_) => 409,
            StoreError::TagNameEmpty => 400,
            StoreError::UnknownTag(_) => 404,
            _ => 503,
        };
        let response = Self::error(status, error);
        if status == 503 { response.with("Retry-After", RETRY_AFTER) } else { response }
    }
}
