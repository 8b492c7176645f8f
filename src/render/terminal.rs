//! The capabilities of the terminal, and escaping of control characters.

use std::borrow::Cow;
use std::io::IsTerminal;

use anstream::{AutoStream, ColorChoice};
use anstyle::{Effects, Style};

const HEADING: Style = Style::new().effects(Effects::BOLD);

/// Columns of a wide terminal.
const WIDE: usize = 100;

/// The capabilities of standard output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal {
    /// The number of columns; `None` if the output is not a terminal.
    pub width: Option<usize>,
    /// The number of lines; `None` if it is not known.
    pub height: Option<usize>,
    /// Whether to use colour.
    pub color: bool,
    /// Whether to link to web pages (OSC 8).
    pub links: bool,
}

impl Terminal {
    /// Detects the capabilities of standard output. Colour is used as the user says, or else on a terminal unless
    /// `NO_COLOR` is set.
    pub fn detect(wants_color: Option<bool>) -> Self {
        let stdout = std::io::stdout();
        let is_terminal = stdout.is_terminal();
        let size = terminal_size::terminal_size().filter(|_| is_terminal);
        let width = is_terminal.then(|| size.map_or(80, |(width, _)| usize::from(width.0)));
        let height = size.map(|(_, height)| usize::from(height.0));
        let color = wants_color
            .unwrap_or_else(|| !matches!(AutoStream::choice(&stdout), ColorChoice::Never));
        let capable = || supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout);
        Self { width, height, color, links: color && is_terminal && capable() }
    }

    /// Whether it has room for optional columns.
    pub fn is_wide(&self) -> bool {
        self.width.is_some_and(|width| width >= WIDE)
    }

    /// A table's heading.
    pub fn heading<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.color { format!("{HEADING}{text}{HEADING:#}").into() } else { text.into() }
    }

    /// A text with a link to a web page, if the link is safe to follow.
    pub fn link<'a>(&self, text: &'a str, url: &str) -> Cow<'a, str> {
        if self.links && is_web(url) {
            format!("\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\").into()
        } else {
            text.into()
        }
    }
}

/// Whether a link is a web address without control characters.
pub fn is_web(url: &str) -> bool {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web && url.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Escapes all characters that could move the cursor, change a colour, reorder or hide text, or break a line.
///
/// ```
/// use diunbox::render::terminal::safe;
///
/// assert_eq!(safe("nginx:1.27"), "nginx:1.27");
/// assert_eq!(safe("a\u{1b}[2Jb\nc\u{202e}"), r"a\u{1b}[2Jb\nc\u{202e}");
/// ```
pub fn safe(text: &str) -> Cow<'_, str> {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_plain || !text.contains(is_unsafe) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => escaped.extend(character.escape_default()),
            _ if is_unsafe(character) => escaped.extend(character.escape_unicode()),
            _ => escaped.push(character),
        }
    }
    escaped.into()
}

/// Whether a character is a control character, or one of Unicode that reorders text or is not visible
/// (`Default_Ignorable_Code_Point` and the line separators).
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPABLE: Terminal = Terminal { width: Some(80), height: None, color: true, links: true };

    #[test]
    fn links_lead_to_web_pages_only() {
        let linked = CAPABLE.link("nginx", "https://hub.docker.com/_/nginx");
        assert_eq!(linked, "\x1b]8;;https://hub.docker.com/_/nginx\x1b\\nginx\x1b]8;;\x1b\\");
        for url in [
            "",
            "file:///etc/passwd",
            "javascript:x",
            "https://a\x1b\\b",
            "https://a b",
            "https://é",
        ] {
            assert_eq!(CAPABLE.link("nginx", url), "nginx", "{url:?}");
        }
        assert_eq!(Terminal::default().link("nginx", "https://a"), "nginx");
    }

    #[test]
    fn nothing_unsafe_is_left() {
        let all: String = ('\0'..='\u{10ffff}').filter(|c| is_unsafe(*c)).collect();
        assert!(all.len() > 100);
        let safe = safe(&all);
        assert!(safe.chars().all(|c| c.is_ascii_graphic()), "{safe}");
    }
}
