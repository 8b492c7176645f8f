//! Sources of events: files and standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use chrono::Utc;
use memchr::memchr;

use super::splitter::{Piece, Splitter};
use crate::inbox::received::Received;

const CHUNK: usize = 64 * 1024;

/// Where events come from.
pub enum Source {
    /// Standard input.
    Input,
    /// A file by its name.
    File(PathBuf),
    /// Input that was read before.
    Kept(File),
}

/// The content of one chunk of input.
#[derive(Default)]
pub struct Found {
    pub events: Vec<Received>,
    /// Errors, with file and line.
    pub complaints: Vec<String>,
    /// Warnings about dropped values, with file and line.
    pub warnings: Vec<String>,
    /// Bytes of input.
    pub bytes: u64,
}

impl Source {
    fn name(&self) -> String {
        match self {
            Self::Input | Self::Kept(_) => "standard input".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    fn open(self) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Self::Input => Box::new(io::stdin().lock()),
            Self::File(path) => Box::new(File::open(path)?),
            Self::Kept(file) => Box::new(file),
        })
    }
}

/// Reads all sources chunk by chunk, and passes each on until `take` returns false.
pub fn read(sources: Vec<Source>, mut take: impl FnMut(Found) -> bool) {
    for source in sources {
        let name = source.name();
        let result = source.open().and_then(|input| read_one(input, &name, &mut take));
        match result {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                let complaints = vec![format!("{name}: cannot be read: {error}")];
                if !take(Found { complaints, ..Found::default() }) {
                    return;
                }
            }
        }
    }
}

fn read_one(
    mut input: Box<dyn Read>,
    name: &str,
    take: &mut impl FnMut(Found) -> bool,
) -> io::Result<bool> {
    let mut splitter = Splitter::default();
    let mut chunk = vec![0; CHUNK];
    loop {
        let bytes = match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let mut found = Found { bytes: bytes as u64, ..Found::default() };
        let mut rest = &chunk[..bytes];
        while !rest.is_empty() {
            let end = memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
            let (line, after) = rest.split_at(end);
            let event = if splitter.is_between() { whole(line) } else { None };
            match event {
                Some(event) => {
                    splitter.skip_line();
                    found.events.push(event);
                }
                None => splitter.feed(line, |piece| found.add(&piece, name)),
            }
            rest = after;
        }
        if !take(found) {
            return Ok(false);
        }
    }
    let mut found = Found::default();
    splitter.finish(|piece| found.add(&piece, name));
    Ok(take(found))
}

/// Fast path: tries to parse a whole line as one event.
fn whole(line: &[u8]) -> Option<Received> {
    let line = line.strip_suffix(b"\n")?.trim_ascii_end();
    let (received, warnings) =
        Received::read(line.strip_suffix(b",").unwrap_or(line), Utc::now()).ok()?;
    // An event with a warning goes through the splitter, which knows the line's number.
    warnings.is_empty().then_some(received)
}

impl Found {
    fn add(&mut self, piece: &Piece<'_>, name: &str) {
        let event = match piece.object {
            Ok(object) => Received::read(object, Utc::now()).map_err(|error| error.to_string()),
            Err(broken) => Err(broken.to_string()),
        };
        match event {
            Ok((event, warnings)) => {
                let place = format!("{name}:{}", piece.line);
                self.warnings.extend(warnings.iter().map(|warning| format!("{place}: {warning}")));
                self.events.push(event);
            }
            Err(reason) => self.complaints.push(format!("{name}:{}: {reason}", piece.line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The images of the events, and the errors.
    fn images(all: &[Found]) -> (Vec<&str>, Vec<&str>) {
        let events = all.iter().flat_map(|found| &found.events);
        let complaints = all.iter().flat_map(|found| &found.complaints);
        (
            events.map(|received| received.event.image.as_str()).collect(),
            complaints.map(String::as_str).collect(),
        )
    }

    #[test]
    fn lines_that_are_events_are_found_as_the_splitter_finds_them() {
        for input in [
            "{\"image\":\"a\"}\n{\"image\":\"b\"}\r\n\n {\"image\":\"c\"} \n{\"image\":\"d\"}",
            "\u{FEFF}{\"image\":\"a\"}\n{\"image\":\"b\"}\n",
            "[\n{\"image\":\"a\"},\n{\"image\":\"b\"}\n]\n{\"image\":\"c\"}\n",
            "[{\"image\":\"a\"},\n{\"image\":\"b\"},\n",
            "{\n\"image\":\n\"a\"\n}\n{\"image\":\"b\"}\nx\n{\"image\":\"c\"}{\"image\":\"d\"}\n",
            "{\"image\":\"a\"}\n{\"image\":\"cut\n{\"image\":\"b\"}\n{}\n{\"image\":\"c\"},7\n",
            "{\"image\":\"a\",\"metadata\":\n{\"image\":\"b\"}\n}\n{\"image\":5}\n{\"image\":\"c\"}",
        ] {
            let mut read = Vec::new();
            let reader = Box::new(io::Cursor::new(input.as_bytes().to_vec()));
            let mut take = |found| {
                read.push(found);
                true
            };
            assert!(read_one(reader, "x", &mut take).unwrap());
            let mut split = Found::default();
            let mut splitter = Splitter::default();
            splitter.feed(input.as_bytes(), |piece| split.add(&piece, "x"));
            splitter.finish(|piece| split.add(&piece, "x"));
            assert_eq!(images(&read), images(&[split]), "{input:?}");
            let bytes: u64 = read.iter().map(|found| found.bytes).sum();
            assert_eq!(bytes, input.len() as u64);
        }
    }
}
