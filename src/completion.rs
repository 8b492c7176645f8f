//! Shell completion, including the names in the database.
//!
//! The scripts of `completions/` make a shell run `diunbox` with the variable `DIUNBOX_COMPLETE`
//! set, and the words of the line so far.

mod bash;
mod zsh;

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;

use clap::{Arg, Command, CommandFactory};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Elvish, EnvCompleter, Fish, Powershell, Shells};

use crate::cli::Cli;
use crate::image::short_name;
use crate::render::terminal::is_unsafe;
use crate::store::location;
use crate::store::{Glance, Location};

const VARIABLE: &str = "DIUNBOX_COMPLETE";
const NAME: &str = "diunbox";
const SHELLS: Shells<'static> = Shells(&[&bash::Bash, &Elvish, &Fish, &Powershell, &zsh::Zsh]);

/// Handles a completion request. Returns false if this is not one.
///
/// Errors are ignored, as a shell would print them into the line that is being typed.
pub fn complete() -> bool {
    let Some(shell) = std::env::var_os(VARIABLE) else { return false };
    let words: Vec<OsString> = std::env::args_os().skip_while(|word| word != "--").collect();
    let words = words.get(1..).unwrap_or_default();
    let factory = || command(words, quotes_by_itself(&shell));
    let folder = std::env::current_dir().ok();
    CompleteEnv::with_factory(factory)
        .var(VARIABLE)
        .shells(SHELLS)
        .try_complete(std::env::args_os(), folder.as_deref())
        .unwrap_or(true)
}

/// Prints the script that makes a shell request completions.
///
/// # Errors
/// When it cannot be written.
pub fn script(shell: clap_complete::Shell, out: &mut dyn Write) -> std::io::Result<()> {
    let shell = shell.to_string();
    let completer = SHELLS.completer(&shell).ok_or(std::io::ErrorKind::Unsupported)?;
    let mut script = Vec::new();
    completer.write_registration(VARIABLE, NAME, NAME, NAME, &mut script)?;
    writeln!(out, "{}", String::from_utf8_lossy(&script).trim())
}

/// The command line, each argument with what completes it.
fn command(words: &[OsString], quotes: bool) -> Command {
    let index = std::env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
    let index = index.unwrap_or(words.len().saturating_sub(1)).min(words.len());
    let (before, current) = words.split_at(index);
    let wants_option =
        current.first().is_some_and(|word| word.as_encoded_bytes().starts_with(b"-"));
    let line = Line { before: before.to_vec(), quotes };
    let mut command = Cli::command();
    command.build();
    attach(command, &line, wants_option)
}

fn attach(command: Command, line: &Line, wants_option: bool) -> Command {
    let name = command.get_name().to_owned();
    command
        .mut_args(|arg| {
            let arg = match Kind::of(&name, &arg) {
                Some(kind) => {
                    let line = line.clone();
                    arg.add(ArgValueCompleter::new(move |word: &OsStr| line.complete(kind, word)))
                }
                None => arg,
            };
            // Hidden options are offered only if nothing else matches.
            let hide = !wants_option && !arg.is_positional() || arg.is_hide_set();
            arg.hide(hide)
        })
        .mut_subcommands(|command| attach(command, line, wants_option))
}

/// The kind of names that an argument takes.
#[derive(Clone, Copy)]
enum Kind {
    Image,
    Pending,
    Reopenable,
    Snoozable,
    Ignored,
    Tag,
    Host,
    Provider,
}

impl Kind {
    /// Finds the kind by the placeholder of the argument's value in the help text.
    fn of(command: &str, arg: &Arg) -> Option<Self> {
        let name = arg.get_value_names()?.first()?;
        match (command, name.as_str()) {
            ("ack", "IMAGE") => Some(Self::Pending),
            ("reopen", "IMAGE") => Some(Self::Reopenable),
            ("snooze", "IMAGE") => Some(Self::Snoozable),
            (_, "IGNORED") => Some(Self::Ignored),
            (_, "IMAGE" | "GLOB") => Some(Self::Image),
            ("create", "TAG") => None,
            (_, "TAG") => Some(Self::Tag),
            (_, "HOST") => Some(Self::Host),
            (_, "PROVIDER") => Some(Self::Provider),
            _ => None,
        }
    }
}

/// The words before the one to complete, and whether the shell quotes what it puts on the line.
#[derive(Clone)]
struct Line {
    before: Vec<OsString>,
    quotes: bool,
}

impl Line {
    fn complete(&self, kind: Kind, word: &OsStr) -> Vec<CompletionCandidate> {
        let Some(glance) = self.database().and_then(|database| Glance::open(&database)) else {
            return Vec::new();
        };
        let names = match kind {
            Kind::Image => glance.images(),
            Kind::Pending => glance.pending_images(),
            Kind::Reopenable => glance.reopenable_images(),
            Kind::Snoozable => glance.snoozable_images(),
            Kind::Ignored => glance.ignored(),
            Kind::Tag => glance.tags(),
            Kind::Host => glance.hosts(),
            Kind::Provider => glance.providers(),
        };
        let word = unquoted(word);
        let complete = |name: &str| {
            // A user who types a full name gets full names.
            let short = match kind {
                Kind::Image | Kind::Pending | Kind::Reopenable | Kind::Snoozable => {
                    short_name(name)
                }
                _ => name,
            };
            let name = [short, name].into_iter().find(|name| name.starts_with(&word))?;
            let fits = is_safe(name, self.quotes) && !self.before.iter().any(|word| word == name);
            // Without a label here, clap would generate one for each value.
            fits.then(|| CompletionCandidate::new(name).tag(Some("names".into())))
        };
        names.iter().filter_map(|name| complete(name)).collect()
    }

    /// The database that the command would use.
    fn database(&self) -> Option<Location> {
        let mut path = None;
        let mut words = self.before.iter();
        while let Some(word) = words.next() {
            let word = word.to_string_lossy();
            if word == "--db" {
                path = words.next().map(|word| unquoted(word));
            } else if let Some(word) = word.strip_prefix("--db=") {
                path = Some(unquoted(OsStr::new(word)));
            }
        }
        let path = path.map(|path| match path.strip_prefix("~/") {
            Some(rest) => etcetera::home_dir().unwrap_or_default().join(rest).into_os_string(),
            None => OsString::from(path),
        });
        location::choose(path.as_deref()).ok()
    }
}

/// A word without the shell's quoting, which bash and zsh pass on as it was typed.
fn unquoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let quote = word.chars().next().filter(|first| ['"', '\''].contains(first));
    match quote {
        Some(quote) => {
            let inner = &word[1..];
            inner.strip_suffix(quote).unwrap_or(inner).to_owned()
        }
        None => word.replace('\\', ""),
    }
}

/// Whether a name may be offered. Names come from outside: one that an unquoted shell line would split or execute, or
/// that the command would take for an option, is not offered.
fn is_safe(name: &str, quotes: bool) -> bool {
    let is_safe = |c: char| !is_unsafe(c) && (quotes || is_plain(c));
    !name.is_empty() && !name.starts_with('-') && name.chars().all(is_safe)
}

/// Whether a character has no special meaning in any shell.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "._-/:@+,%".contains(c)
}

/// PowerShell inserts the offered text unchanged.
fn quotes_by_itself(shell: &OsStr) -> bool {
    let name = Path::new(shell).file_stem().unwrap_or_default();
    !Powershell.is(&name.to_string_lossy())
}
