//! Splits a stream of bytes into JSON objects, in bounded memory.
//!
//! The input has one object per line (NDJSON), an array, or pretty-printed objects one after another. A broken
//! object is reported once, and the next object is found again: an object that was cut short does not make its
//! neighbours fail.

// With its path, as a fuzz target includes this file from elsewhere.
#[path = "splitter/object.rs"]
mod object;

use self::object::{Object, Progress};

/// The largest object, in bytes. It bounds the memory.
pub const MAX_OBJECT_BYTES: usize = 8 * 1024 * 1024;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Something found in the stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The line it starts on, from 1.
    pub line: u64,
    /// The bytes of one object, or the reason why there is none.
    pub object: Result<&'a [u8], Broken>,
}

/// The reason why there is no object where one is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The text there does not start an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// The object breaks JSON's rules at this line, often because a line was cut in half.
    #[error("broken JSON (line {0} does not go on where the object was left)")]
    Syntax(u64),
    /// The stream ended within the object.
    #[error("broken JSON (the input ends within the object)")]
    CutShort,
    /// The stream ended within an array.
    #[error("the input ends within the array that starts here")]
    OpenArray,
    /// The object is larger than [`MAX_OBJECT_BYTES`].
    #[error("larger than 8 MiB")]
    TooLarge,
}

/// Splits the bytes that it is fed into objects.
///
/// ```
/// use diunbox::ingest::splitter::Splitter;
///
/// let mut objects = Vec::new();
/// let mut splitter = Splitter::default();
/// let mut keep = |piece: diunbox::ingest::splitter::Piece<'_>| objects.push(piece.object.map(<[u8]>::to_vec));
/// splitter.feed(b"[{\"image\": \"a\"}, {\"ima", &mut keep);
/// splitter.feed(b"ge\": \"b\"}]\n", &mut keep);
/// splitter.finish(&mut keep);
/// assert_eq!(objects, [Ok(b"{\"image\": \"a\"}".to_vec()), Ok(b"{\"image\": \"b\"}".to_vec())]);
/// ```
#[derive(Debug)]
pub struct Splitter {
    /// The bytes that are still needed: the start of the current object.
    buffer: Vec<u8>,
    /// The next byte of the buffer to look at.
    position: usize,
    /// The line of that byte.
    line: u64,
    /// The first line of an array that is still open.
    array: Option<u64>,
    at_start: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Between objects.
    Between,
    /// In text that does not start an object. It ends with its line, or at the next item of an array.
    Garbage,
    /// Within an object.
    Object(Box<Object>),
    /// After a broken object, looking for the next one. Holds the last byte that matters.
    Lost(u8),
}

impl Default for Splitter {
    fn default() -> Self {
        Self {
            buffer: Vec::new(),
            position: 0,
            line: 1,
            array: None,
            at_start: true,
            state: State::Between,
        }
    }
}

impl Splitter {
    /// Takes the next bytes of the stream, and passes on the objects that they complete.
    pub fn feed(&mut self, bytes: &[u8], mut found: impl FnMut(Piece<'_>)) {
        self.buffer.extend_from_slice(bytes);
        if self.at_start {
            if self.buffer.len() < BOM.len() && BOM.starts_with(&self.buffer) {
                return;
            }
            self.at_start = false;
            self.position = if self.buffer.starts_with(BOM) { BOM.len() } else { 0 };
        }
        self.scan(&mut found);
    }

    /// Whether the next byte may start an object. If so, a line that is a whole object need not be fed.
    pub fn is_between(&self) -> bool {
        matches!(self.state, State::Between) && self.buffer.is_empty()
    }

    /// Counts a line that was not fed.
    pub fn skip_line(&mut self) {
        self.at_start = false;
        self.line += 1;
    }

    /// Ends the stream.
    pub fn finish(mut self, mut found: impl FnMut(Piece<'_>)) {
        if self.at_start {
            self.at_start = false;
            self.scan(&mut found);
        }
        while let State::Object(object) = &self.state {
            let (start, line) = (object.start, object.line);
            found(Piece { line, object: Err(Broken::CutShort) });
            self.give_up(start, line);
            self.scan(&mut found);
        }
        if let Some(line) = self.array {
            found(Piece { line, object: Err(Broken::OpenArray) });
        }
    }

    fn scan(&mut self, found: &mut impl FnMut(Piece<'_>)) {
        while let Some(&byte) = self.buffer.get(self.position) {
            match &mut self.state {
                State::Object(object) => {
                    match object.read(&self.buffer, &mut self.position, &mut self.line) {
                        Progress::More => break,
                        Progress::Complete => {
                            let bytes = &self.buffer[object.start..self.position];
                            found(Piece { line: object.line, object: Ok(bytes) });
                            self.state = State::Between;
                        }
                        Progress::Broken(broken) => {
                            let (start, line) = (object.start, object.line);
                            found(Piece { line, object: Err(broken) });
                            self.give_up(start, line);
                        }
                    }
                    continue;
                }
                State::Between => match byte {
                    b' ' | b'\t' | b'\r' | b'\n' => {}
                    b'{' => {
                        self.open_object();
                        continue;
                    }
                    b'[' if self.array.is_none() => self.array = Some(self.line),
                    b']' if self.array.is_some() => self.array = None,
                    b',' => {}
                    _ => {
                        found(Piece { line: self.line, object: Err(Broken::NotAnObject) });
                        self.state = State::Garbage;
                    }
                },
                State::Garbage => match byte {
                    b'\n' | b',' if byte == b'\n' || self.array.is_some() => {
                        self.state = State::Between;
                    }
                    b']' if self.array.is_some() => {
                        self.array = None;
                        self.state = State::Between;
                    }
                    _ => {}
                },
                State::Lost(last) => match byte {
                    b' ' | b'\t' | b'\r' | b',' => {}
                    // An event starts a line or follows another; what follows a colon is part of one.
                    b'{' if matches!(last, b'\n' | b'}') => {
                        self.open_object();
                        continue;
                    }
                    b']' if matches!(last, b'\n' | b'}') && self.array.is_some() => {
                        self.array = None;
                        self.state = State::Between;
                    }
                    _ => *last = byte,
                },
            }
            self.line += u64::from(byte == b'\n');
            self.position += 1;
        }
        let needed = match &mut self.state {
            State::Object(object) => std::mem::take(&mut object.start),
            _ => self.position,
        };
        self.buffer.drain(..needed);
        self.position -= needed;
    }

    fn open_object(&mut self) {
        self.state = State::Object(Box::new(Object::new(self.position, self.line)));
    }

    /// Goes back to the byte after the start of a broken object, as the next object may be within it.
    fn give_up(&mut self, start: usize, line: u64) {
        self.position = start + 1;
        self.line = line;
        self.state = State::Lost(b'{');
    }
}

#[cfg(test)]
#[path = "splitter/tests.rs"]
mod tests;
