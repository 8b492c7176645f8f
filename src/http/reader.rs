//! Reads requests from a connection, one after another, within limits of size.

use std::io::{self, Read};

use super::error::Error;
use super::head::{Framing, Head};

/// The largest head, in bytes. A larger one gets 431.
pub(super) const HEAD_LIMIT: usize = 32 * 1024;
/// The longest line with a chunk's size and extensions, in bytes.
pub(super) const CHUNK_LINE_LIMIT: usize = 1024;
const PIECE: usize = 8 * 1024;

/// The reason why there is no request to answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The client closed the connection, or sent nothing for too long, before a request began.
    Nothing,
    /// The head, as far as it could be read, and the error to answer with.
    Refused(Box<Head>, Error),
}

/// Reads requests from a stream. Bytes after one request are the start of the next.
#[derive(Debug)]
pub(super) struct Reader<S> {
    /// The source of the bytes. Reading fails with `TimedOut` when the client has used up its time.
    pub(super) stream: S,
    buffer: Vec<u8>,
}

impl<S: Read> Reader<S> {
    /// A reader at the start of a connection.
    pub(super) fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// Whether everything that was read from the stream belonged to requests returned so far.
    pub(super) fn is_drained(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Reads the next head. `started` is called once its first byte is there.
    ///
    /// # Errors
    /// If there is no valid head.
    pub(super) fn head(&mut self, started: impl FnOnce(&mut S)) -> Result<Box<Head>, Failure> {
        if self.buffer.is_empty() && !matches!(self.fill(), Ok(true)) {
            return Err(Failure::Nothing);
        }
        started(&mut self.stream);
        let mut head = Box::<Head>::default();
        match self.rest_of_head(&mut head) {
            Ok(()) => Ok(head),
            Err(error) => Err(Failure::Refused(head, error)),
        }
    }

    fn rest_of_head(&mut self, head: &mut Head) -> Result<(), Error> {
        let mut parsed = 0;
        loop {
            // Parsing after each byte would take quadratic time.
            if parsed == 0 || self.buffer[parsed..].contains(&b'\n') {
                parsed = self.buffer.len();
                let whole = &self.buffer[..parsed.min(HEAD_LIMIT)];
                if let Some(length) = head.parse(whole)? {
                    self.buffer.drain(..length);
                    return Ok(());
                }
            }
            if self.buffer.len() >= HEAD_LIMIT {
                let error = "the request line and headers are larger than 32 KiB";
                return Err(Error::new(431, error));
            }
            self.fill_or_refuse()?;
        }
    }

    /// Reads the body that follows a head. Before the body grows, `reserve` is called with its new size
    /// in bytes. It returns false when there is no memory for that.
    ///
    /// # Errors
    /// 413 if the body is larger than `limit`, 503 if there is no memory, 400 if it is malformed, and 408 if it does
    /// not arrive in time.
    pub(super) fn body(
        &mut self,
        framing: Framing,
        limit: usize,
        mut reserve: impl FnMut(usize) -> bool,
    ) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        let Framing::Length(length) = framing else {
            while let Some(size) = self.chunk_size()? {
                // Subtracted from the limit, as adding to the body's length could overflow.
                let left = u64::try_from(limit - body.len()).unwrap_or(u64::MAX);
                let size = usize::try_from(size).ok().filter(|_| size <= left);
                self.take(size.ok_or_else(|| too_large(limit))?, &mut body, &mut reserve)?;
                self.line_end()?;
            }
            return Ok(body);
        };
        if length > limit {
            return Err(too_large(limit));
        }
        self.take(length, &mut body, &mut reserve)?;
        Ok(body)
    }

    /// Moves `count` more bytes into the body.
    fn take(
        &mut self,
        mut count: usize,
        body: &mut Vec<u8>,
        reserve: &mut impl FnMut(usize) -> bool,
    ) -> Result<(), Error> {
        while count > 0 {
            if self.buffer.is_empty() {
                self.fill_or_refuse()?;
            }
            let piece = count.min(self.buffer.len());
            // A Vec grows by doubling.
            if !reserve((body.len() + piece).next_power_of_two()) {
                let error = "too many large requests at once: try again";
                return Err(Error::unavailable(error, "1"));
            }
            body.extend(self.buffer.drain(..piece));
            count -= piece;
        }
        Ok(())
    }

    /// Reads the line with the size of the next chunk; `None` after the last chunk and its trailers.
    fn chunk_size(&mut self) -> Result<Option<u64>, Error> {
        let line = self.line(CHUNK_LINE_LIMIT)?;
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (size, rest) = line.split_at(digits);
        let size =
            std::str::from_utf8(size).ok().and_then(|size| u64::from_str_radix(size, 16).ok());
        // RFC 9112 lets recipients accept white space before an extension.
        let is_extension = matches!(rest.trim_ascii_start().first(), None | Some(b';'));
        let size = size.filter(|_| is_extension).ok_or_else(malformed)?;
        if size > 0 {
            return Ok(Some(size));
        }
        let mut trailers = 0;
        loop {
            let line = self.line(HEAD_LIMIT - trailers)?;
            if line.is_empty() {
                return Ok(None);
            }
            trailers += line.len();
        }
    }

    /// Reads a line of at most `limit` bytes, without its CR LF.
    fn line(&mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut searched = 0;
        let end = loop {
            let line_end = self.buffer[searched..].iter().position(|byte| *byte == b'\n');
            match line_end.map(|at| searched + at) {
                Some(end) if end <= limit => break end,
                None if self.buffer.len() <= limit => {
                    searched = self.buffer.len();
                    self.fill_or_refuse()?;
                }
                _ => return Err(malformed()),
            }
        };
        let mut line: Vec<u8> = self.buffer.drain(..=end).take(end).collect();
        // Other parsers take a CR elsewhere, or an LF alone, for the end of a line.
        if line.pop() != Some(b'\r') || line.contains(&b'\r') {
            return Err(malformed());
        }
        Ok(line)
    }

    fn line_end(&mut self) -> Result<(), Error> {
        if self.line(1)?.is_empty() { Ok(()) } else { Err(malformed()) }
    }

    fn fill_or_refuse(&mut self) -> Result<(), Error> {
        match self.fill() {
            Ok(true) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                Err(Error::new(408, "the request did not arrive in time"))
            }
            _ => Err(Error::new(400, "the connection was closed within the request")),
        }
    }

    /// Reads more bytes. Returns false at the end of the stream.
    fn fill(&mut self) -> io::Result<bool> {
        let mut piece = [0; PIECE];
        let bytes = self.stream.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..bytes]);
        Ok(bytes > 0)
    }
}

fn malformed() -> Error {
    Error::new(400, "the chunked body is malformed")
}

fn too_large(limit: usize) -> Error {
    Error::new(413, format_args!("the body is larger than {} MiB", limit >> 20))
}

#[cfg(test)]
#[path = "reader/tests.rs"]
mod tests;
