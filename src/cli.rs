//! Every argument and help text. Completions and man pages are made from it alone.

pub mod help;
mod hosts;
mod list;
mod reconcile;
mod serve;
mod triage;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

pub use self::hosts::Hosts;
pub use self::list::{Filter, Format, Group, List, Sort};
pub use self::reconcile::Reconcile;
pub use self::serve::{Healthcheck, LogFormat, Serve};
pub use self::triage::{Ack, History, Ignore, Reopen, Snooze, Target, Undo};
pub use self::watch::Watch;

/// What goes with every command stands below what is a command's own.
const GLOBAL: &str = "Global options";

/// An inbox for container-image updates.
///
/// Stores what Diun reports, and shows what is pending, where and since when.
#[derive(Debug, Parser)]
#[command(name = "diunbox", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = help::exit_status(), after_long_help = help::long("diunbox"))]
pub struct Cli {
    /// The database [env: DIUNBOX_DB] [default: diunbox/diunbox.db in the user's data directory]
    ///
    /// The path of an SQLite file, which is created when the first event is stored, or a URL of PostgreSQL:
    /// postgres://USER@HOST/NAME. The user's data directory is $XDG_DATA_HOME, or else ~/.local/share.
    /// DIUNBOX_DB_FILE names a file that holds the path or the URL, and wins over DIUNBOX_DB.
    // clap would name an option that it reads from the environment in every usage line.
    #[arg(long, value_name = "PATH", global = true, help_heading = GLOBAL, value_hint = ValueHint::FilePath)]
    pub db: Option<OsString>,

    /// When to use colour
    ///
    /// With `auto`, on a terminal, unless NO_COLOR is set. Links are for terminals that show them.
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto", help_heading = GLOBAL)]
    pub color: ColorWhen,

    /// How long to wait for a database that is locked or does not answer [default: 8]
    ///
    /// `serve` answers an event with 503 after that time, and writes it to the log. Diun waits 10 seconds.
    #[arg(long, value_name = "SECONDS", global = true, help_heading = GLOBAL, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub db_timeout: Option<u64>,

    /// Suppress messages; `list` and `tag list` print only names
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    pub quiet: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When to use colour and links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Even if the output is not a terminal.
    Always,
    /// Nowhere.
    Never,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    Ingest(Ingest),
    List(List),
    Show(Show),
    #[command(alias = "acknowledge")]
    Ack(Ack),
    #[command(alias = "unack")]
    Reopen(Reopen),
    Snooze(Snooze),
    /// Never show images that match a pattern
    #[command(subcommand, after_long_help = help::long("ignore"))]
    Ignore(Ignore),
    Undo(Undo),
    History(History),
    /// Label images: an image carries at most one tag, and keeps it when new events arrive
    #[command(subcommand, after_long_help = help::long("tag"))]
    Tag(Tag),
    Reconcile(Reconcile),
    Status(Status),
    Hosts(Hosts),
    Watch(Watch),
    Prune(Prune),
    Backup(Backup),
    Import(Import),
    Serve(Serve),
    Healthcheck(Healthcheck),
    Completions(Completions),
    Man(Man),
}

/// Store events from files, a pipe or Diun's script notifier
///
/// The input contains Diun's JSON events: one object, an array, one object per line, or pretty-printed
/// objects one after another. Events are stored in batches, and whenever the input pauses. A bad
/// event is reported with file, line and reason; the good ones around it are stored,
/// and the exit status is 2.
#[derive(Args, Debug)]
#[command(after_long_help = help::long("ingest"))]
pub struct Ingest {
    /// Files to read; standard input if there are none, or for `-`
    #[arg(value_name = "FILE", conflicts_with = "from_env")]
    pub files: Vec<PathBuf>,

    /// Read one event from the environment that Diun's script notifier sets
    #[arg(long)]
    pub from_env: bool,

    /// Store nothing unless every event is good
    ///
    /// The input is read to its end first, and kept in a temporary file meanwhile.
    #[arg(long, conflicts_with = "from_env")]
    pub strict: bool,
}

/// Show one update in full, and where it runs
#[derive(Args, Debug)]
#[command(after_long_help = help::long("show"))]
pub struct Show {
    /// The image: its name as Docker takes it, or a pattern that matches one
    pub image: String,

    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// Label images.
#[derive(Debug, Subcommand)]
pub enum Tag {
    /// List the tags, and how many images carry each
    List {
        /// How to print
        #[arg(short, long, value_name = "FORMAT", default_value = "table")]
        format: Format,
    },
    /// Create tags
    Create {
        /// The names of the tags
        #[arg(value_name = "TAG", required = true)]
        names: Vec<String>,
    },
    /// Delete tags, and take them off the images that carry them
    Delete {
        /// The names of the tags
        #[arg(value_name = "TAG", required = true)]
        names: Vec<String>,
    },
    /// Give a tag another name
    Rename {
        /// The tag
        #[arg(value_name = "TAG")]
        from: String,
        /// Its new name
        #[arg(value_name = "NEW")]
        to: String,
    },
    /// Put a tag on images, in place of those they carry
    ///
    /// An image need not have an update yet.
    Assign {
        /// The tag
        #[arg(value_name = "TAG")]
        tag: String,
        /// The images: names as Docker takes them, or patterns; `-` reads names from standard input
        #[arg(value_name = "IMAGE", required = true)]
        images: Vec<String>,
        /// A note to keep with the decision
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Take the tags off images
    Unassign {
        /// The images: names as Docker takes them, or patterns; `-` reads names from standard input
        #[arg(value_name = "IMAGE", required = true)]
        images: Vec<String>,
        /// A note to keep with the decision
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

/// Count the updates, in a line for a prompt or a login message
#[derive(Args, Debug)]
#[command(after_long_help = help::long("status"))]
pub struct Status {
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,

    /// Exit with 1 when something is pending
    #[arg(long)]
    pub exit_code: bool,
}

/// Remove old acknowledged updates, digests and actions, and give their space back
///
/// An update goes with its places and digests. Only acknowledged updates are removed. Tags stay.
#[derive(Args, Debug)]
#[command(after_long_help = help::long("prune"))]
pub struct Prune {
    /// Remove what was acknowledged, last reported or decided longer ago than this, such as 30d
    #[arg(long, value_name = "AGE")]
    pub older_than: String,

    /// Show what would be removed, without removing it
    #[arg(long)]
    pub dry_run: bool,
}

/// Import everything from another inbox
///
/// DATABASE is the SQLite file or the PostgreSQL URL of another diunbox, one of its backups, or a database
/// of DiunDashboard. It stays as it is, and importing it again changes nothing. For each image the newer
/// event wins, with the decisions about it. Tags, patterns, places and the history are added.
#[derive(Args, Debug)]
#[command(after_long_help = help::long("import"))]
pub struct Import {
    /// The database to import
    #[arg(value_name = "DATABASE", value_hint = ValueHint::FilePath)]
    pub from: OsString,
}

/// Copy the database, while others may write to it
#[derive(Args, Debug)]
#[command(after_long_help = help::long("backup"))]
pub struct Backup {
    /// The file to write; `-` writes to standard output
    pub file: PathBuf,

    /// Replace the file if there is one
    #[arg(long)]
    pub force: bool,
}

/// Print the script that makes a shell complete commands, options, images, tags and hosts
///
/// The shell asks diunbox itself what can come next, so the script need not be renewed when
/// diunbox is. Packages install it; elsewhere see the examples.
#[derive(Args, Debug)]
#[command(after_long_help = help::long("completions"))]
pub struct Completions {
    /// The shell
    pub shell: Shell,
}

/// Write the manual pages into a folder
#[derive(Args, Debug)]
#[command(after_long_help = help::long("man"))]
pub struct Man {
    /// The folder, which is made where it is missing
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub folder: PathBuf,
}
