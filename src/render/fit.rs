//! Shortens texts, and keeps their distinctive parts: the tag of an image's name, and the number of further places.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const CUT: char = '…';
/// The number of characters that are kept of a digest in a name that does not fit.
const DIGEST: usize = "sha256:".len() + 12;

/// The number of older versions is shown only if the name has more room than this.
const SHORT: usize = 12;

/// Cuts the end.
pub(super) fn end(text: &str, room: usize) -> String {
    around(text, room, 0, Share::Start)
}

/// Shortens an image's name, which may end with ` +2 older`. It cuts the middle of the repository and most of the
/// digest.
pub(super) fn name(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    if let Some((name, older)) = text.split_once(' ') {
        let left = room.checked_sub(older.width() + 1).filter(|left| *left > SHORT);
        // The parts that distinguish images are more important than the count.
        return match left {
            Some(left) => format!("{} {older}", self::name(name, left)),
            None => self::name(name, room),
        };
    }
    let (name, after) = if let Some((name, digest)) = text.split_once('@') {
        let digest: String = digest.chars().take(DIGEST).collect();
        (format!("{name}@{digest}"), name.len())
    } else {
        let slash = text.rfind('/').unwrap_or(0);
        let colon = text[slash..].rfind(':').map(|at| slash + at);
        (text.to_owned(), colon.unwrap_or(text.len()))
    };
    around(&name, room, name.len() - after, Share::Both)
}

/// Shortens a place with the number of further ones, such as `edge-1/api-0 +7 (1 of 9 done)`. The numbers are kept.
pub(super) fn place(text: &str, room: usize) -> String {
    let text = match text.rfind(" (") {
        Some(end) if text.width() > room => &text[..end],
        _ => text,
    };
    let more = text.rfind(" +").map_or(0, |at| text.len() - at);
    around(text, room, more, Share::Start)
}

/// Which part of a shortened text is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Share {
    Start,
    /// The start and the end. The end is more distinctive, and gets two thirds.
    Both,
}

/// Shortens the part before the last `tail` bytes, or the whole text if these do not fit.
fn around(text: &str, room: usize, tail: usize, share: Share) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let Some(room) = room.checked_sub(1) else { return String::new() };
    let (body, tail) = text.split_at(text.len() - tail);
    // Two remaining characters would not be useful.
    let (body, tail, room) = match room.checked_sub(tail.width()) {
        Some(left) if left > 2 => (body, tail, left),
        _ => (text, "", room),
    };
    let start = if share == Share::Both { room / 3 } else { room };
    let first = prefix(body.chars(), start);
    let last: String = prefix(body.chars().rev(), room - start).chars().rev().collect();
    format!("{first}{CUT}{last}{tail}")
}

/// The characters that fit.
fn prefix(characters: impl Iterator<Item = char>, room: usize) -> String {
    let mut left = room;
    characters
        .map_while(|character| {
            left = left.checked_sub(character.width().unwrap_or(0))?;
            Some(character)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_tag_and_the_end_of_its_repository() {
        let text = "registry.local:5000/acme/shop:1.0.10";
        assert_eq!(name(text, 36), text);
        assert_eq!(name(text, 30), "registr…:5000/acme/shop:1.0.10");
        assert_eq!(name(text, 20), "regi…cme/shop:1.0.10");
        assert_eq!(name("nginx:1.27.3-bookworm-slim", 12), "ngi…orm-slim");
    }

    #[test]
    fn a_name_keeps_the_start_of_its_digest() {
        let text = format!("acme/shop@sha256:0123456789abcdef{}", "0".repeat(48));
        assert_eq!(name(&text, 81), text.as_str());
        assert_eq!(name(&text, 80), "acme/shop@sha256:0123456789ab");
        assert_eq!(name(&text, 26), "a…shop@sha256:0123456789ab");
    }

    #[test]
    fn a_place_keeps_its_count() {
        assert_eq!(place("edge-1/api-0 +7", 15), "edge-1/api-0 +7");
        assert_eq!(place("edge-1/api-0 +7", 11), "edge-1/… +7");
        assert_eq!(place("edge-1/api-0 +7", 5), "edge…");
        assert_eq!(end("edge-1", 1), "…");
        assert_eq!(end("edge-1", 0), "");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        for room in 0..20 {
            for fit in [end, name, place] {
                assert!(fit("日本語/日本語日本語:1 +3", room).width() <= room);
            }
        }
    }
}
