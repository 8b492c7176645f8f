//! Cuts a stream of bytes into JSON objects, in bounded memory and however the bytes arrive.
//!
//! The objects may stand one a line (NDJSON), in one array, or pretty-printed one after another.
//! What is broken is reported once, and the next object after it is found again: an object that
//! was cut short does not take its neighbours along.

/// An object of more bytes than this is refused, so that memory stays bounded.
pub const MAX_OBJECT_BYTES: usize = 8 * 1024 * 1024;

/// Deeper nesting than this is refused; `serde_json` goes no deeper either.
const MAX_DEPTH: usize = 128;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Something found in the stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The line it starts on, from 1.
    pub line: u64,
    /// The bytes of one object, or why there is none.
    pub object: Result<&'a [u8], Broken>,
}

/// Why there is no object where one should be.
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

/// Takes bytes in, gives objects out.
///
/// ```
/// use diunbox::splitter::Splitter;
///
/// let mut objects = Vec::new();
/// let mut splitter = Splitter::default();
/// let mut keep = |piece: diunbox::splitter::Piece<'_>| objects.push(piece.object.map(<[u8]>::to_vec));
/// splitter.feed(b"[{\"image\": \"a\"}, {\"ima", &mut keep);
/// splitter.feed(b"ge\": \"b\"}]\n", &mut keep);
/// splitter.finish(&mut keep);
/// assert_eq!(objects, [Ok(b"{\"image\": \"a\"}".to_vec()), Ok(b"{\"image\": \"b\"}".to_vec())]);
/// ```
#[derive(Debug)]
pub struct Splitter {
    /// What was fed and is still needed: from the object that is being read, or nothing.
    buffer: Vec<u8>,
    /// The next byte of the buffer to look at.
    position: usize,
    /// The line that byte is on.
    line: u64,
    /// The line an array that is not closed yet starts on.
    array: Option<u64>,
    at_start: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Between objects.
    Between,
    /// In text that starts no object, up to the end of its line, or to the next item of an array.
    Garbage,
    /// Within an object.
    Object(Box<Object>),
    /// Behind a broken object, looking for the next; holds the last byte that counts.
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
    /// Takes the next bytes of the stream, and hands on what they complete.
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

    /// Whether the next byte may start an object: then a line that is one need not be fed.
    pub fn is_between(&self) -> bool {
        matches!(self.state, State::Between) && self.buffer.is_empty()
    }

    /// Takes a line that was not fed into account.
    pub fn skip_line(&mut self) {
        self.at_start = false;
        self.line += 1;
    }

    /// Says that the stream has ended.
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

    /// Goes back to just behind the start of a broken object, as the next may be within it.
    fn give_up(&mut self, start: usize, line: u64) {
        self.position = start + 1;
        self.line = line;
        self.state = State::Lost(b'{');
    }
}

/// One object that is being read: just enough of JSON's grammar to see at once where a line was
/// cut, instead of waiting for a brace that never comes.
#[derive(Debug)]
struct Object {
    start: usize,
    line: u64,
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

enum Progress {
    More,
    Complete,
    Broken(Broken),
}

impl Object {
    fn new(start: usize, line: u64) -> Self {
        Self { start, line, nesting: Vec::new(), expect: Expect::Value }
    }

    fn read(&mut self, buffer: &[u8], position: &mut usize, line: &mut u64) -> Progress {
        while *position < buffer.len() {
            if matches!(self.expect, Expect::Text { escaped: false, .. }) {
                // Most bytes are in the middle of a text, and mean nothing.
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

    /// Takes one byte; `false` when it cannot stand here.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Found = (u64, Result<String, Broken>);

    fn split(chunks: &[&[u8]]) -> Vec<Found> {
        let mut found = Vec::new();
        let mut keep = |piece: Piece<'_>| {
            let object = piece.object.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            found.push((piece.line, object));
        };
        let mut splitter = Splitter::default();
        for chunk in chunks {
            splitter.feed(chunk, &mut keep);
        }
        splitter.finish(&mut keep);
        found
    }

    fn ok(line: u64, object: &str) -> Found {
        (line, Ok(object.to_owned()))
    }

    #[test]
    fn every_form_gives_the_same_objects() {
        for input in [
            "{\"a\":1}\n{\"a\":2}\n",
            "{\"a\":1}\r\n\r\n  \t{\"a\":2}",
            "\u{FEFF}{\"a\":1}\n\n{\"a\":2}\n\n",
            "[{\"a\":1},\n{\"a\":2}]",
            "[\n{\"a\":1}\n,{\"a\":2}\n]\n",
            "{\"a\":1}{\"a\":2}",
        ] {
            let objects: Vec<_> = split(&[input.as_bytes()]).into_iter().map(|(_, o)| o).collect();
            assert_eq!(objects, [Ok("{\"a\":1}".into()), Ok("{\"a\":2}".into())], "{input:?}");
        }
        assert_eq!(split(&[b"{\n \"a\": {\n  \"b\": [1, {}]\n }\n}\n{}"]).len(), 2);
        for nothing in ["", "\n\n", "\u{FEFF}", "[]", " [ ] "] {
            assert_eq!(split(&[nothing.as_bytes()]), [], "{nothing:?}");
        }
    }

    #[test]
    fn braces_and_quotes_within_texts_do_not_count() {
        let object = r#"{"a}":"{\"}]","b\\":"\\"}"#;
        assert_eq!(split(&[object.as_bytes()]), [ok(1, object)]);
    }

    #[test]
    fn a_line_cut_in_half_hides_nothing() {
        let good = "{\"i\":\"g\",\"m\":{\"k\":\"v\"}}";
        for end in 1..good.len() {
            let input = format!("{good}\n{}\n{good}\n{good}\n", &good[..end]);
            let expected = vec![ok(1, good), (2, Err(Broken::Syntax(3))), ok(3, good), ok(4, good)];
            let mut found = split(&[input.as_bytes()]);
            if let Err(Broken::Syntax(line)) = &mut found[1].1 {
                // Within a text the line's own end is wrong; behind a colon the line after the next.
                assert!((2..=4).contains(line));
                *line = 3;
            }
            assert_eq!(found, expected, "cut after {:?}", &good[..end]);
        }
    }

    #[test]
    fn a_line_broken_in_two_is_one_broken_object() {
        let found = split(&[b"{\"a\":1}\n{\"image\":\"x\",\"di\ngest\":\"y\"}\n{\"a\":2}\n"]);
        assert_eq!(found, [ok(1, "{\"a\":1}"), (2, Err(Broken::Syntax(2))), ok(4, "{\"a\":2}")]);
    }

    #[test]
    fn a_broken_object_within_an_array_on_one_line_hides_nothing() {
        let found = split(&[b"[{\"a\":1},{\"a\":,\"m\":{\"k\":1}},{\"a\":2}]"]);
        assert_eq!(found, [ok(1, "{\"a\":1}"), (1, Err(Broken::Syntax(1))), ok(1, "{\"a\":2}")]);
    }

    #[test]
    fn an_item_that_is_no_object_hides_nothing_in_its_array() {
        let garbage = (1, Err(Broken::NotAnObject));
        let found = split(&[b"[{\"a\":1},null,{\"a\":2}]\n{\"a\":3}"]);
        assert_eq!(
            found,
            [ok(1, "{\"a\":1}"), garbage.clone(), ok(1, "{\"a\":2}"), ok(2, "{\"a\":3}")]
        );
        let found = split(&[b"[1, \"two\",{\"a\":1}, 3]{\"a\":2}"]);
        assert_eq!(
            found,
            [garbage.clone(), garbage.clone(), ok(1, "{\"a\":1}"), garbage, ok(1, "{\"a\":2}")]
        );
    }

    #[test]
    fn garbage_is_reported_line_by_line() {
        let found = split(&[b"hello {\"a\":0}\n{\"a\":1}\n\xFF\xFE\n42\n{\"a\":2}]"]);
        let garbage = |line| (line, Err(Broken::NotAnObject));
        assert_eq!(
            found,
            [
                garbage(1),
                ok(2, "{\"a\":1}"),
                garbage(3),
                garbage(4),
                ok(5, "{\"a\":2}"),
                garbage(5)
            ]
        );
    }

    #[test]
    fn an_end_within_an_object_or_an_array_is_reported() {
        assert_eq!(
            split(&[b"{\"a\":1}\n{\"a\":"]),
            [ok(1, "{\"a\":1}"), (2, Err(Broken::CutShort))]
        );
        assert_eq!(split(&[b"\n[{\"a\":1},"]), [ok(2, "{\"a\":1}"), (2, Err(Broken::OpenArray))]);
        let swallowed = split(&[b"{\"a\":\n{\"a\":1}\n"]);
        assert_eq!(swallowed, [(1, Err(Broken::CutShort)), ok(2, "{\"a\":1}")]);
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let mut large = b"{\"a\":\"".to_vec();
        large.resize(MAX_OBJECT_BYTES, b'x');
        large.extend_from_slice(b"\"}\n{\"a\":1}");
        assert_eq!(split(&[&large]), [(1, Err(Broken::TooLarge)), ok(2, "{\"a\":1}")]);
        let deep = "{\"a\":".repeat(200);
        assert_eq!(split(&[deep.as_bytes(), b"\n{}"])[0], (1, Err(Broken::Syntax(1))));
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(
            input in proptest::collection::vec(prop_oneof![
                Just(b"{\"a\":1}".to_vec()), Just(b"\n".to_vec()), Just(b"{\"a\":\"x".to_vec()),
                Just(b"[".to_vec()), Just(b"]".to_vec()), Just(b",".to_vec()), Just(BOM.to_vec()),
                Just(b"}".to_vec()), Just(b"\"".to_vec()), Just(b"\\".to_vec()), any::<u8>().prop_map(|b| vec![b]),
            ], 0..24).prop_map(|parts| parts.concat()),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut from = 0;
            for cut in cuts {
                chunks.push(&input[from..cut]);
                from = cut;
            }
            chunks.push(&input[from..]);
            prop_assert_eq!(split(&chunks), split(&[&input]));
        }

        #[test]
        fn every_object_is_found_in_every_form(
            maps in proptest::collection::vec(
                proptest::collection::btree_map(any::<String>(), any::<Option<String>>(), 0..4), 0..5,
            ),
            pretty: bool,
            array: bool,
            gap in "[ \t\r\n]{0,2}",
        ) {
            let objects: Vec<String> = maps.iter().map(|map| {
                let text = if pretty { serde_json::to_string_pretty(map) } else { serde_json::to_string(map) };
                text.unwrap()
            }).collect();
            let mut input = objects.join(&if array { format!(",{gap}") } else { gap });
            if array {
                input = format!("[{input}]");
            }
            let found: Vec<_> = split(&[input.as_bytes()]).into_iter().map(|(_, object)| object).collect();
            prop_assert_eq!(found, objects.into_iter().map(Ok).collect::<Vec<_>>());
        }
    }
}
