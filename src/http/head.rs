//! The head of a request: its request line and the headers that matter here.

use super::error::Error;

const HEADERS_LIMIT: usize = 100;

/// The headers that decide whether a request is allowed, in lower case. A request must not repeat them, as the
/// second one could differ from the one that is checked.
const HEADERS: [&str; 6] =
    ["authorization", "cookie", "host", "if-match", "origin", "sec-fetch-site"];

/// The head of a request, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The method as sent.
    pub(super) method: String,
    /// The request target as sent: a path with its query, or a whole URL.
    pub(super) target: String,
    /// How the length of the body is given.
    pub(super) framing: Framing,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub(super) expects_continue: bool,
    /// Whether this is HTTP/1.1, not 1.0.
    pub(super) is_1_1: bool,
    /// Whether the client asked for the connection to be closed.
    pub(super) asks_to_close: bool,
    headers: Vec<(String, String)>,
}

/// How the length of a body is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By `Content-Length`, or 0 without it.
    Length(usize),
    /// By chunks.
    Chunked,
}

impl Default for Framing {
    fn default() -> Self {
        Self::Length(0)
    }
}

impl Head {
    /// Parses a head at the start of `buffer`, and returns its length. Returns `None` while it is incomplete. Its
    /// request line is kept then, so that the log can name a refused request.
    ///
    /// # Errors
    /// If it is not HTTP/1.0 or 1.1, or its framing is ambiguous.
    pub(super) fn parse(&mut self, buffer: &[u8]) -> Result<Option<usize>, Error> {
        *self = Self::default();
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_LIMIT];
        let mut request = httparse::Request::new(&mut headers);
        let parsed = request.parse(buffer);
        request.method.unwrap_or_default().clone_into(&mut self.method);
        request.path.unwrap_or_default().clone_into(&mut self.target);
        self.is_1_1 = request.version == Some(1);
        let status = parsed.map_err(|error| {
            let status = if error == httparse::Error::TooManyHeaders { 431 } else { 400 };
            Error::new(status, format_args!("this is not an HTTP/1.1 request: {error}"))
        })?;
        let httparse::Status::Complete(length) = status else { return Ok(None) };
        let (mut told, mut chunked) = (None, false);
        for header in request.headers {
            let name = header.name.to_ascii_lowercase();
            let value = header.value.trim_ascii();
            match name.as_str() {
                "content-length" => {
                    let length = content_length(value).filter(|n| told.is_none_or(|t| t == *n));
                    let bad = || Error::new(400, "Content-Length is not one number");
                    told = Some(length.ok_or_else(bad)?);
                }
                "transfer-encoding" if !value.eq_ignore_ascii_case(b"chunked") => {
                    return Err(Error::new(501, "Transfer-Encoding can only be chunked"));
                }
                "transfer-encoding" if chunked || !self.is_1_1 => {
                    return Err(Error::new(400, "chunked is given twice, or to HTTP/1.0"));
                }
                "transfer-encoding" => chunked = true,
                "expect" => self.expects_continue = value.eq_ignore_ascii_case(b"100-continue"),
                "connection" => {
                    let mut options = value.split(|byte| *byte == b',');
                    self.asks_to_close |=
                        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"));
                }
                name => self.keep(name, value)?,
            }
        }
        self.framing = match (told, chunked) {
            (Some(_), true) => {
                let error = "a body has a Content-Length or is chunked, not both";
                return Err(Error::new(400, error));
            }
            (None, true) => Framing::Chunked,
            (told, false) => Framing::Length(told.unwrap_or(0)),
        };
        Ok(Some(length))
    }

    /// A header, by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The same; `None` if it is given twice.
    pub(super) fn only(&self, name: &str) -> Option<&str> {
        let count = self.headers.iter().filter(|(known, _)| known == name).count();
        self.header(name).filter(|_| count == 1)
    }

    /// The host that the client asked: that of an absolute target, or the `Host` header.
    pub(super) fn host(&self) -> Option<&str> {
        self.absolute().map(|(host, _)| host).or_else(|| self.header("host"))
    }

    /// The path and the query, still percent-encoded. The query is empty where there is none.
    pub(super) fn path_and_query(&self) -> (&str, &str) {
        let target = self.absolute().map_or(self.target.as_str(), |(_, rest)| rest);
        target.split_once('?').unwrap_or((target, ""))
    }

    /// The host and the rest of a target in absolute form (RFC 9112, 3.2.2).
    fn absolute(&self) -> Option<(&str, &str)> {
        let (scheme, rest) = self.target.split_once("://")?;
        let is_http = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        is_http.then(|| rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())))
    }

    /// Stores a header whose value is ASCII.
    fn keep(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let is_checked = HEADERS.contains(&name);
        let value = std::str::from_utf8(value).ok().filter(|value| value.is_ascii());
        match value {
            Some(value) if !is_checked || self.header(name).is_none() => {
                self.headers.push((name.to_owned(), value.to_owned()));
                Ok(())
            }
            _ if !is_checked => Ok(()),
            _ => {
                let error = format!("the header {name} is given twice, or is not ASCII");
                Err(Error::new(400, error))
            }
        }
    }
}

/// A number of only decimal digits. One that no `usize` can hold counts as the largest.
fn content_length(value: &[u8]) -> Option<usize> {
    let digits = std::str::from_utf8(value).ok()?;
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(usize::MAX))
}
