//! The head of a request: its request line and headers, read from what has come of it so far.

use super::message::Response;

const HEADERS_LIMIT: usize = 100;

/// The headers that routes look at, by their names in lower case. The others go no further.
const HEADERS: [&str; 4] = ["authorization", "host", "origin", "sec-fetch-site"];

/// A request that was read to its end.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Received {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// How the length of a body is told.
#[derive(Clone, Copy)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
}

/// A head that is all there.
pub(super) struct Head {
    /// How many bytes it has.
    pub(super) length: usize,
    pub(super) framing: Framing,
    /// Whether the client waits to be told to go on.
    pub(super) expects_continue: bool,
}

/// Reads the head; `None` when it is not all there yet. What is there goes into `received`, so that
/// the log can tell what was refused.
pub(super) fn parse(buffer: &[u8], received: &mut Received) -> Result<Option<Head>, Response> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_LIMIT];
    let mut request = httparse::Request::new(&mut headers);
    let status = request.parse(buffer).map_err(|error| {
        let status = if error == httparse::Error::TooManyHeaders { 431 } else { 400 };
        Response::error(status, format_args!("this is not an HTTP/1.1 request: {error}"))
    })?;
    request.method.unwrap_or_default().clone_into(&mut received.method);
    request.path.unwrap_or_default().clone_into(&mut received.target);
    let httparse::Status::Complete(length) = status else { return Ok(None) };

    let (mut told, mut chunked, mut expects_continue) = (None, false, false);
    for header in request.headers {
        let name = header.name.to_ascii_lowercase();
        let value = header.value.trim_ascii();
        match name.as_str() {
            "content-length" => {
                let length =
                    content_length(value).filter(|length| told.is_none_or(|t| t == *length));
                let bad = || Response::error(400, "Content-Length is not one number");
                told = Some(length.ok_or_else(bad)?);
            }
            "transfer-encoding" if value.eq_ignore_ascii_case(b"chunked") => chunked = true,
            "transfer-encoding" => {
                return Err(Response::error(501, "Transfer-Encoding can only be chunked"));
            }
            "expect" => expects_continue = value.eq_ignore_ascii_case(b"100-continue"),
            name => received.keep(name, value)?,
        }
    }
    let framing = match (told, chunked) {
        (Some(_), true) => {
            let error = "a body has a Content-Length or is chunked, not both";
            return Err(Response::error(400, error));
        }
        (None, true) => Framing::Chunked,
        (told, false) => Framing::Length(told.unwrap_or(0)),
    };
    Ok(Some(Head { length, framing, expects_continue }))
}

/// A number of digits alone; one that is larger than any there is counts as the largest.
fn content_length(value: &[u8]) -> Option<usize> {
    let digits = str::from_utf8(value).ok()?;
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(usize::MAX))
}

impl Received {
    /// Keeps a header if routes look at it.
    fn keep(&mut self, name: &str, value: &[u8]) -> Result<(), Response> {
        let Some(name) = HEADERS.into_iter().find(|known| *known == name) else { return Ok(()) };
        let value = str::from_utf8(value).ok().filter(|value| value.is_ascii());
        match value {
            // A second one could say something else than what was checked.
            Some(value) if self.header(name).is_none() => {
                self.headers.push((name, value.to_owned()));
                Ok(())
            }
            _ => {
                let error = format_args!("the header {name} is given twice, or is not ASCII");
                Err(Response::error(400, error))
            }
        }
    }

    /// A header that routes look at, by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}
