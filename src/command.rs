//! The subcommands: one file each, each with one `run`.

mod backup;
mod completions;
mod healthcheck;
mod history;
mod hosts;
mod ignore;
mod images;
mod import;
mod ingest;
mod list;
mod man;
mod prune;
mod reconcile;
mod selection;
mod serve;
mod show;
mod status;
mod tag;
mod triage;
mod undo;
mod watch;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::cli::{Cli, ColorWhen, Command};
use crate::event::EventError;
use crate::inbox::action::{Origin, Stamp};
use crate::render::counts::count;
use crate::render::terminal::{Terminal, safe};
use crate::store::{self, Location, Store, StoreError, location};

/// How a command ended, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It did what was asked: exit status 0.
    Done,
    /// A negative answer, or `--exit-code` applies: exit status 1.
    Negative,
    /// It reported errors while it ran: exit status 2.
    Failed,
}

/// An error that ended a command: exit status 2.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no event in the environment: {0}")]
    Environment(#[from] EventError),
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
    #[error("cannot read names from standard input: {0}")]
    Names(io::Error),
    #[error("cannot {action} {}: {error}", path.display())]
    File { action: &'static str, path: PathBuf, error: io::Error },
    #[error("{0}")]
    Message(String),
}

impl Error {
    /// True if the reader of the output has closed it, as in `diunbox list | head`: not an error.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// Does what the arguments ask for.
///
/// # Errors
/// If the command fails.
pub fn run(cli: &Cli) -> Result<Outcome, Error> {
    let session = Session {
        database: location::choose(cli.db.as_deref()),
        patience: cli.db_timeout.map_or(store::PATIENCE, Duration::from_secs),
        quiet: cli.quiet,
        terminal: Terminal::detect(match cli.color {
            ColorWhen::Auto => None,
            ColorWhen::Always => Some(true),
            ColorWhen::Never => Some(false),
        }),
        now: Utc::now(),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let outcome = match &cli.command {
        Command::Ingest(args) => ingest::run(args, &session),
        Command::List(args) => list::run(args, &session, &mut out),
        Command::Show(args) => show::run(args, &session, &mut out),
        Command::Ack(args) => triage::ack(args, &session, &mut out),
        Command::Reopen(args) => triage::reopen(args, &session, &mut out),
        Command::Snooze(args) => triage::snooze(args, &session, &mut out),
        Command::Ignore(args) => ignore::run(args, &session, &mut out),
        Command::Undo(args) => undo::run(args, &session, &mut out),
        Command::History(args) => history::run(args, &session, &mut out),
        Command::Tag(args) => tag::run(args, &session, &mut out),
        Command::Status(args) => status::run(args, &session, &mut out),
        Command::Hosts(args) => hosts::run(args, &session, &mut out),
        Command::Reconcile(args) => reconcile::run(args, &session, &mut out),
        Command::Watch(args) => watch::run(args, &session, &mut out),
        Command::Prune(args) => prune::run(args, &session, &mut out),
        Command::Import(args) => import::run(args, &session),
        Command::Backup(args) => backup::run(args, &session, &mut out),
        Command::Serve(args) => serve::run(args, &session),
        Command::Healthcheck(args) => healthcheck::run(args, &session),
        Command::Completions(args) => completions::run(args, &mut out),
        Command::Man(args) => man::run(args),
    }?;
    out.flush()?;
    Ok(outcome)
}

/// The global options and the time, for every command.
struct Session {
    /// The database, or what is wrong with it: some commands need none.
    database: Result<Location, String>,
    /// How long to wait for the database.
    patience: Duration,
    quiet: bool,
    terminal: Terminal,
    /// When the command was started.
    now: DateTime<Utc>,
}

impl Session {
    fn database(&self) -> Result<&Location, Error> {
        self.database.as_ref().map_err(|reason| Error::Message(reason.clone()))
    }

    /// Opens the store, and creates it if it is missing.
    fn open(&self) -> Result<Box<dyn Store>, Error> {
        Ok(store::open(self.database()?, self.patience)?)
    }

    /// Opens the store if it exists. Commands that only read never create a database; this tells how it is created.
    fn open_existing(&self) -> Result<Option<Box<dyn Store>>, Error> {
        let database = self.database()?;
        if database.may_exist() {
            return self.open().map(Some);
        }
        self.note(format_args!(
            "no database at {database}: it is created when the first event is ingested"
        ));
        Ok(None)
    }

    /// The stamp of a decision.
    fn stamp(&self, note: Option<String>) -> Stamp {
        let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        let user = user.unwrap_or_default();
        Stamp { at: self.now, origin: Origin::CommandLine, user, note }
    }

    /// Prints a message that is not an error on standard error.
    fn note(&self, message: impl std::fmt::Display) {
        if !self.quiet {
            complain(message);
        }
    }
}

/// Prints a message on standard error. It may quote events, so control characters are escaped.
pub fn complain(message: impl std::fmt::Display) {
    let message = message.to_string();
    // If standard error is closed too, the message is lost.
    let _ = writeln!(io::stderr(), "diunbox: {}", safe(&message));
}

/// Prints a name on a line, safe for a terminal, or unchanged with a NUL after it for programs.
fn print_name(out: &mut dyn Write, name: &str, null: bool) -> io::Result<()> {
    match null {
        // A terminal does not show NUL, so the prompt would follow the last name directly.
        true if io::stdout().is_terminal() => writeln!(out, "{}", safe(name)),
        true => write!(out, "{name}\0"),
        false => writeln!(out, "{}", safe(name)),
    }
}
