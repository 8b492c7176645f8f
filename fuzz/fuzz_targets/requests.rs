//! Requests on one connection, as `serve` reads them, against a slow model that sees all bytes.

#![no_main]
#![allow(dead_code, reason = "the program uses the rest")]

#[path = "../../src/http/error.rs"]
mod error;
#[path = "../../src/http/head.rs"]
mod head;
#[path = "../../src/http/reader.rs"]
mod reader;

use std::io::{self, Read};

use head::{Framing, Head};
use libfuzzer_sys::fuzz_target;
use reader::{CHUNK_LINE_LIMIT, Failure, HEAD_LIMIT, Reader};

/// Small enough for the input to go beyond it.
const LIMIT: usize = 256;

/// The requests with their bodies, and whether the connection ended between two requests.
type Requests = (Vec<(Head, Vec<u8>)>, bool);

/// A client that sends pieces of these many bytes in turn.
struct Client<'a> {
    bytes: &'a [u8],
    lengths: &'a [u8],
    next: usize,
}

impl Read for Client<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match self.lengths {
            [] => usize::MAX,
            lengths => usize::from(lengths[self.next % lengths.len()]) + 1,
        };
        self.next += 1;
        let length = length.min(buffer.len());
        self.bytes.read(&mut buffer[..length])
    }
}

fn read(bytes: &[u8], lengths: &[u8]) -> Requests {
    let mut reader = Reader::new(Client { bytes, lengths, next: 0 });
    let mut requests = Vec::new();
    loop {
        match reader.head(|_| ()) {
            Err(Failure::Nothing) => return (requests, true),
            Err(Failure::Refused(..)) => return (requests, false),
            Ok(head) => match reader.body(head.framing, LIMIT, |_| true) {
                Ok(body) => requests.push((*head, body)),
                Err(_) => return (requests, false),
            },
        }
    }
}

fn model(mut bytes: &[u8]) -> Requests {
    let mut requests = Vec::new();
    while !bytes.is_empty() {
        let Some((head, rest)) = model_head(bytes) else { return (requests, false) };
        let Some((body, rest)) = model_body(head.framing, rest) else { return (requests, false) };
        requests.push((head, body));
        bytes = rest;
    }
    (requests, true)
}

/// The shortest start of the bytes that is a head.
fn model_head(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let mut head = Head::default();
    (1..=bytes.len().min(HEAD_LIMIT)).find_map(|length| match head.parse(&bytes[..length]) {
        Ok(None) => None,
        Ok(Some(end)) => Some(Some((head.clone(), &bytes[end..]))),
        Err(_) => Some(None),
    })?
}

fn model_body(framing: Framing, bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    if let Framing::Length(length) = framing {
        let fits = length <= LIMIT && length <= bytes.len();
        return fits.then(|| (bytes[..length].to_vec(), &bytes[length..]));
    }
    let (mut body, mut rest) = (Vec::new(), bytes);
    loop {
        let (line, after) = model_line(rest, CHUNK_LINE_LIMIT)?;
        let size = line.split(|byte| *byte == b';').next()?.trim_ascii_end();
        if size.is_empty() || !size.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let size = u64::from_str_radix(str::from_utf8(size).ok()?, 16).ok()?;
        rest = after;
        if size == 0 {
            break;
        }
        let size = usize::try_from(size).ok().filter(|size| *size <= LIMIT - body.len())?;
        body.extend(rest.get(..size)?);
        rest = rest[size..].strip_prefix(b"\r\n")?;
    }
    let mut trailers = 0;
    loop {
        let (line, after) = model_line(rest, HEAD_LIMIT - trailers)?;
        rest = after;
        if line.is_empty() {
            return Some((body, rest));
        }
        trailers += line.len();
    }
}

fn model_line(bytes: &[u8], limit: usize) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n').filter(|end| *end <= limit)?;
    let line = bytes[..end].strip_suffix(b"\r")?;
    (!line.contains(&b'\r')).then(|| (line, &bytes[end + 1..]))
}

fuzz_target!(|input: (&[u8], &[u8])| {
    let (lengths, bytes) = input;
    let expected = model(bytes);
    assert_eq!(read(bytes, lengths), expected);
    assert_eq!(read(bytes, &[]), expected);
});
