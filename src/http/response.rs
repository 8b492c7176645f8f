//! Responses: constructing and sending them.

use std::io::{self, Read, Write};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tiny_http::{HTTPVersion, Header, Response, ResponseBox};

use super::error::Error;
use super::head::Head;
use crate::render::json::line;
use crate::store::{ErrorKind, StoreError};

/// Bytes of a body that are sent at a time.
const PIECE: usize = 8 * 1024;
/// The size of a chunk, as four hexadecimal digits, and a line end.
const CHUNK_HEAD: usize = 6;

/// A handler's answer.
pub(super) type Answer = Result<ResponseBox, Error>;

/// An answer without a body.
pub(super) fn empty(status: u16) -> ResponseBox {
    new(status, None, io::empty(), Some(0))
}

/// An answer of one JSON value.
pub(super) fn json(status: u16, value: &impl Serialize) -> ResponseBox {
    let mut body = Vec::new();
    // Writing to memory and serialising the views cannot fail.
    let _ = line(&mut body, value);
    bytes(status, "application/json", body)
}

/// An answer of bytes that are in memory.
pub(super) fn bytes(status: u16, content_type: &'static str, body: Vec<u8>) -> ResponseBox {
    let length = body.len();
    new(status, Some(content_type), io::Cursor::new(body), Some(length))
}

/// An answer with an `ETag`: clients may cache it, and get 304 if it is unchanged.
pub(super) fn cached(head: &Head, content_type: &'static str, body: Vec<u8>) -> ResponseBox {
    let tag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(&body)[..12]));
    let is_known = head.header("if-none-match").is_some_and(|known| known.contains(&tag));
    let answer = if is_known { empty(304) } else { bytes(200, content_type, body) };
    with(answer, &[("ETag", &tag), ("Cache-Control", "no-cache")])
}

/// Adds headers to an answer. Their values must not come from a client.
pub(super) fn with(mut answer: ResponseBox, headers: &[(&'static str, &str)]) -> ResponseBox {
    for (name, value) in headers {
        if let Some(header) = header(name, value) {
            answer.add_header(header);
        }
    }
    answer
}

/// An answer that is generated while it is sent. The result of each read is sent at once.
pub(super) fn stream(content_type: &'static str, body: impl Read + Send + 'static) -> ResponseBox {
    new(200, Some(content_type), body, None)
}

fn new(
    status: u16,
    content_type: Option<&'static str>,
    body: impl Read + Send + 'static,
    length: Option<usize>,
) -> ResponseBox {
    let headers = content_type.and_then(|value| header("Content-Type", value));
    Response::new(status.into(), headers.into_iter().collect(), body, length, None).boxed()
}

/// A header. Its value must not come from a client, as `Header` accepts line ends.
fn header(name: &'static str, value: &str) -> Option<Header> {
    Header::from_bytes(name, value).ok()
}

impl From<&Error> for ResponseBox {
    fn from(error: &Error) -> Self {
        #[derive(Serialize)]
        struct Body<'a> {
            error: &'a str,
        }
        let mut response = json(error.status, &Body { error: &error.message });
        if let Some(header) = error.header.as_ref().and_then(|(name, value)| header(name, value)) {
            response.add_header(header);
        }
        response
    }
}

/// Converts an error of the store: 4xx if the client caused it, else 503, with `Retry-After` if trying again may
/// help.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error.kind {
            ErrorKind::TagExists | ErrorKind::Undone => Self::new(409, error),
            ErrorKind::TagName => Self::new(400, error),
            ErrorKind::UnknownTag => Self::new(404, error),
            ErrorKind::Unavailable | ErrorKind::Full => Self::unavailable(error, "5"),
            ErrorKind::Replaced => Self { is_fatal: true, ..Self::new(503, error) },
            ErrorKind::Denied | ErrorKind::Unusable | ErrorKind::Other => Self::new(503, error),
        }
    }
}

/// How an answer is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sending {
    /// Whether the request was HEAD, whose answer has no body.
    pub(super) head_only: bool,
    /// Whether the client knows HTTP/1.1 and therefore chunks.
    pub(super) is_1_1: bool,
    /// Whether the connection is closed after the answer.
    pub(super) closes: bool,
}

/// Writes an answer. The head and the first piece of the body are one write.
pub(super) fn send(response: ResponseBox, how: Sending, out: &mut impl Write) -> io::Result<()> {
    let (status, length) = (response.status_code(), response.data_length());
    let mut piece = print_head(&response, how)?;
    let mut body = response.into_reader();
    let is_chunked = length.is_none() && how.is_1_1;
    let mut left = length.unwrap_or(usize::MAX);
    if how.head_only || [204, 304].contains(&status.0) {
        return out.write_all(&piece);
    }
    while left > 0 {
        let start = piece.len() + if is_chunked { CHUNK_HEAD } else { 0 };
        piece.resize(start + PIECE.min(left), 0);
        let count = body.read(&mut piece[start..])?;
        piece.truncate(start + count);
        if is_chunked && count > 0 {
            piece[start - CHUNK_HEAD..start].copy_from_slice(format!("{count:04x}\r\n").as_bytes());
            piece.extend(b"\r\n");
        }
        if count == 0 {
            piece.truncate(start - if is_chunked { CHUNK_HEAD } else { 0 });
            break;
        }
        left -= count;
        out.write_all(&piece)?;
        piece.clear();
    }
    if is_chunked {
        piece.extend(b"0\r\n\r\n");
    } else if length.is_some() && left > 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    out.write_all(&piece)
}

/// Writes the status line and the headers. tiny_http prints these, but not the body: it would end a body that
/// fails half-way as if it were complete, and hold back less than 8 KiB.
fn print_head(response: &ResponseBox, how: Sending) -> io::Result<Vec<u8>> {
    let (status, length) = (response.status_code(), response.data_length());
    let mut headers = response.headers().to_vec();
    headers.extend(header("Server", "diunbox"));
    let head = Response::new(status, headers, io::empty(), length, None);
    let mut printed = Vec::with_capacity(512 + PIECE);
    // For HTTP/1.0 it would read a body of unknown length into memory.
    head.with_chunked_threshold(usize::MAX).raw_print(
        &mut printed,
        HTTPVersion(1, 1),
        &[],
        true,
        None,
    )?;
    if [204, 304].contains(&status.0) {
        remove(&mut printed, b"Content-Length: 0\r\n");
    }
    if !how.is_1_1 {
        remove(&mut printed, b"Transfer-Encoding: chunked\r\n");
    }
    if how.closes {
        // tiny_http does not print this header.
        printed.truncate(printed.len() - 2);
        printed.extend(b"Connection: close\r\n\r\n");
    }
    Ok(printed)
}

fn remove(head: &mut Vec<u8>, line: &[u8]) {
    if let Some(at) = head.windows(line.len()).position(|window| window == line) {
        head.drain(at..at + line.len());
    }
}
