//! The sections below the options in the long help and the manual pages.

#[rustfmt::skip] // tables
mod texts;

use std::fmt::Write;

use self::Entry::{Example, Term};

/// A section of the help.
pub struct Section {
    pub heading: &'static str,
    pub entries: &'static [Entry],
}

/// What a section contains.
pub enum Entry {
    /// A term and its meaning.
    Term(&'static str, &'static str),
    /// A sentence, and the commands that it is about.
    Example(&'static str, &'static [&'static str]),
}

/// The sections of a command, or of the program by its own name.
pub fn sections(command: &str) -> &'static [Section] {
    match command {
        "diunbox" => texts::PROGRAM,
        "ingest" => texts::INGEST,
        "watch" => texts::WATCH,
        "list" => texts::LIST,
        "show" => texts::SHOW,
        "ack" => texts::ACK,
        "reopen" => texts::REOPEN,
        "snooze" => texts::SNOOZE,
        "ignore" => texts::IGNORE,
        "undo" => texts::UNDO,
        "history" => texts::HISTORY,
        "tag" => texts::TAG,
        "status" => texts::STATUS,
        "reconcile" => texts::RECONCILE,
        "hosts" => texts::HOSTS,
        "prune" => texts::PRUNE,
        "backup" => texts::BACKUP,
        "import" => texts::IMPORT,
        "serve" => texts::SERVE,
        "healthcheck" => texts::HEALTHCHECK,
        "completions" => texts::COMPLETIONS,
        "man" => texts::MAN,
        _ => &[],
    }
}

/// The sections of a command as text.
pub(super) fn long(command: &str) -> String {
    text(sections(command))
}

/// What the short help of the program ends with.
pub(super) fn exit_status() -> String {
    text(texts::EXIT_STATUS)
}

fn text(sections: &[Section]) -> String {
    let mut text = String::new();
    for Section { heading, entries } in sections {
        let blank = if text.is_empty() { "" } else { "\n" };
        // Writing to memory does not fail.
        let _ = writeln!(text, "{blank}{heading}:");
        let terms = entries.iter().filter_map(|entry| match entry {
            Term(term, _) => Some(term.len()),
            Example(..) => None,
        });
        let width = terms.max().unwrap_or(0);
        for entry in *entries {
            let _ = match entry {
                Term(term, meaning) => writeln!(text, "  {term:<width$}  {meaning}"),
                Example(sentence, commands) => {
                    writeln!(text, "  {sentence}:\n    {}", commands.join("\n    "))
                }
            };
        }
    }
    text.truncate(text.trim_end().len());
    text
}
