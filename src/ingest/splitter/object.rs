//! The state of one partially read object.

use super::{Broken, MAX_OBJECT_BYTES};

/// The deepest nesting, as in `serde_json`.
const MAX_DEPTH: usize = 128;

/// The object that is being read. It checks enough of JSON's grammar to notice at once where a line was cut, instead
/// of waiting for a closing brace.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) start: usize,
    pub(super) line: u64,
    /// `true` for each open object, `false` for each open array.
    nesting: Vec<bool>,
    expect: Expect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    FirstKey,
    Key,
    Colon,
    FirstItem,
    Value,
    CommaOrEnd,
    /// The rest of a text; then a colon, or a comma.
    Text {
        key: bool,
        escaped: bool,
    },
    /// The rest of a number, `true`, `false` or `null`.
    Word,
}

pub(super) enum Progress {
    More,
    Complete,
    Broken(Broken),
}

impl Object {
    pub(super) fn new(start: usize, line: u64) -> Self {
        Self { start, line, nesting: Vec::new(), expect: Expect::Value }
    }

    pub(super) fn read(&mut self, buffer: &[u8], position: &mut usize, line: &mut u64) -> Progress {
        while *position < buffer.len() {
            if matches!(self.expect, Expect::Text { escaped: false, .. }) {
                // Most bytes are within a text, where they have no meaning.
                let rest = &buffer[*position..];
                let plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
                *position += rest.iter().take_while(|byte| plain(byte)).count();
            }
            let Some(&byte) = buffer.get(*position) else { break };
            if *position - self.start >= MAX_OBJECT_BYTES {
                return Progress::Broken(Broken::TooLarge);
            }
            if !self.step(byte) {
                return Progress::Broken(Broken::Syntax(*line));
            }
            *line += u64::from(byte == b'\n');
            *position += 1;
            if self.nesting.is_empty() {
                return Progress::Complete;
            }
        }
        Progress::More
    }

    /// Takes one byte. Returns false if it is not allowed here.
    fn step(&mut self, byte: u8) -> bool {
        self.expect = match (self.expect, byte) {
            (Expect::Text { .. }, 0..=0x1F) => return false,
            (Expect::Text { key, escaped: true }, _) => Expect::Text { key, escaped: false },
            (Expect::Text { key, .. }, b'\\') => Expect::Text { key, escaped: true },
            (Expect::Text { key: true, .. }, b'"') => Expect::Colon,
            (Expect::Text { key: false, .. }, b'"') => Expect::CommaOrEnd,
            (Expect::Text { .. }, _) => return true,
            (Expect::Word, b'0'..=b'9' | b'a'..=b'z' | b'E' | b'+' | b'-' | b'.') => return true,
            (Expect::Word, b' ' | b'\t' | b'\r' | b'\n') => Expect::CommaOrEnd,
            (_, b' ' | b'\t' | b'\r' | b'\n') => return true,
            (Expect::FirstKey | Expect::Key, b'"') => Expect::Text { key: true, escaped: false },
            (Expect::Colon, b':') => Expect::Value,
            (Expect::FirstItem | Expect::Value, b'{') => return self.open(true, Expect::FirstKey),
            (Expect::FirstItem | Expect::Value, b'[') => {
                return self.open(false, Expect::FirstItem);
            }
            (Expect::FirstItem | Expect::Value, b'"') => {
                Expect::Text { key: false, escaped: false }
            }
            (Expect::FirstItem | Expect::Value, b'0'..=b'9' | b'-' | b't' | b'f' | b'n') => {
                Expect::Word
            }
            (Expect::CommaOrEnd | Expect::Word, b',') => {
                if self.nesting.last() == Some(&true) {
                    Expect::Key
                } else {
                    Expect::Value
                }
            }
            (Expect::CommaOrEnd | Expect::Word | Expect::FirstKey, b'}') => {
                return self.close(true);
            }
            (Expect::CommaOrEnd | Expect::Word | Expect::FirstItem, b']') => {
                return self.close(false);
            }
            _ => return false,
        };
        true
    }

    fn open(&mut self, object: bool, expect: Expect) -> bool {
        self.nesting.push(object);
        self.expect = expect;
        self.nesting.len() <= MAX_DEPTH
    }

    fn close(&mut self, object: bool) -> bool {
        self.expect = Expect::CommaOrEnd;
        self.nesting.pop() == Some(object)
    }
}
