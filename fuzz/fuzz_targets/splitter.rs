//! Any bytes, cut anywhere, give the same pieces; each is part of the input, on the line it says.

#![no_main]

#[path = "../../src/ingest/splitter.rs"]
mod splitter;

use libfuzzer_sys::fuzz_target;
use splitter::{Broken, MAX_OBJECT_BYTES, Piece, Splitter};

type Found = (u64, Result<Vec<u8>, Broken>);

fn split<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut keep = |piece: Piece<'_>| {
        found.push((piece.line, piece.object.map(<[u8]>::to_vec)));
    };
    let mut splitter = Splitter::default();
    chunks.for_each(|chunk| splitter.feed(chunk, &mut keep));
    splitter.finish(&mut keep);
    found
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let whole = split(std::iter::once(bytes));
    assert_eq!(whole, split(bytes.chunks(usize::from(size) + 1)));
    assert_eq!(whole, split(bytes.chunks(1)));

    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    let (mut length, mut last) = (0, 1);
    for (line, object) in &whole {
        assert!(*line <= lines);
        if let Ok(object) = object {
            assert!(object.starts_with(b"{") && object.ends_with(b"}"));
            assert!(object.len() <= MAX_OBJECT_BYTES && *line >= last);
            length += object.len();
            last = *line;
        }
    }
    assert!(length <= bytes.len(), "something was found twice");
});
