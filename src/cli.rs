//! Every argument and help text. Completions and man pages are made from it alone.

mod help;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// What goes with every command stands below what is a command's own.
const GLOBAL: &str = "Global options";

/// An inbox for container-image updates.
///
/// Takes in what Diun reports, and says what is pending, where and since when.
#[derive(Debug, Parser)]
#[command(name = "diunbox", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = help::EXIT_STATUS, after_long_help = help::PROGRAM)]
pub struct Cli {
    /// The database [default: diunbox/diunbox.db in the user's data directory]
    ///
    /// It is made when an event is first taken in. The user's data directory is $XDG_DATA_HOME,
    /// or else ~/.local/share.
    #[arg(long, value_name = "PATH", global = true, env = "DIUNBOX_DB", hide_env_values = true)]
    #[arg(help_heading = GLOBAL)]
    pub db: Option<PathBuf>,

    /// When to use colour
    ///
    /// With `auto`, on a terminal, unless NO_COLOR is set. Links are for terminals that show them.
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto", help_heading = GLOBAL)]
    pub color: ColorWhen,

    /// Say nothing but errors; `list` and `tag list` print names alone
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
    /// Even where the output is no terminal.
    Always,
    /// Nowhere.
    Never,
}

/// The subcommands.
#[allow(missing_docs, reason = "each is documented on its arguments")]
#[derive(Debug, Subcommand)]
pub enum Command {
    Ingest(Ingest),
    List(List),
    Show(Show),
    Ack(Ack),
    /// Label images: an image carries at most one tag, and keeps it when new events arrive
    #[command(subcommand, after_long_help = help::TAG)]
    Tag(Tag),
    Status(Status),
    Prune(Prune),
    Backup(Backup),
    Serve(Serve),
    Healthcheck(Healthcheck),
    Completions(Completions),
    Man(Man),
}

/// Take events in, from files, a pipe or Diun's script notifier
///
/// The input holds Diun's JSON events: one object, an array, one object a line, or pretty-printed
/// objects one after another. Events are stored in batches, and whenever the input runs dry. A bad
/// event is reported with file, line and reason; the good ones around it are stored all the same,
/// and the exit status is 2.
#[derive(Args, Debug)]
#[command(after_long_help = help::INGEST)]
pub struct Ingest {
    /// Files to read; standard input if there are none, or for `-`
    #[arg(value_name = "FILE", conflicts_with = "from_env")]
    pub files: Vec<PathBuf>,

    /// Take one event from the environment that Diun's script notifier sets
    #[arg(long)]
    pub from_env: bool,

    /// Store nothing unless every event is good
    ///
    /// The input is read to its end first, and kept in a temporary file meanwhile.
    #[arg(long, conflicts_with = "from_env")]
    pub strict: bool,
}

/// List the pending updates, newest first
#[derive(Args, Debug)]
#[command(after_long_help = help::LIST)]
pub struct List {
    /// List acknowledged updates too
    #[arg(short, long)]
    pub all: bool,

    /// List acknowledged updates only
    #[arg(long, conflicts_with = "all")]
    pub acknowledged: bool,

    #[allow(missing_docs, reason = "it would be help text")]
    #[command(flatten)]
    pub filter: Filter,

    /// What to sort by; times newest first, names from A to Z
    #[arg(short, long, value_name = "KEY", default_value = "since")]
    pub sort: Sort,

    /// Turn the order round
    #[arg(short, long)]
    pub reverse: bool,

    /// List at most this many, the first in the order asked for
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<usize>,

    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,

    /// Print names alone, with a NUL behind each
    #[arg(short = '0', long = "null", conflicts_with = "format")]
    pub null: bool,

    /// Exit with 1 when something is listed
    #[arg(long)]
    pub exit_code: bool,
}

/// Which updates are meant. A filter that is given twice takes what either matches.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only images with this tag
    #[arg(short, long, value_name = "TAG", conflicts_with = "untagged")]
    pub tag: Vec<String>,

    /// Only images without a tag
    #[arg(long)]
    pub untagged: bool,

    /// Only updates that a place on this host still needs
    ///
    /// With --all and --acknowledged: only updates of images that run on this host.
    #[arg(long, value_name = "HOST")]
    pub host: Vec<String>,

    /// Only what this provider found: docker, swarm, kubernetes, …
    ///
    /// With --host, both must be true of one place.
    #[arg(long, value_name = "PROVIDER")]
    pub provider: Vec<String>,

    /// Only events of this status: new or update
    #[arg(long, value_name = "STATUS")]
    pub status: Vec<String>,

    /// Only images whose full or short name matches this pattern of `*`, `?` and `[…]`
    #[arg(long, value_name = "GLOB")]
    pub image: Vec<String>,

    /// Only updates with this text in the image, the tag, a host or a workload
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,

    /// Only updates whose digest is current for no longer than this, such as 90m, 12h or 30d
    #[arg(long, value_name = "AGE")]
    pub since: Option<String>,

    /// Only updates whose digest is current for longer than this, such as 90m, 12h or 30d
    #[arg(long, value_name = "AGE")]
    pub before: Option<String>,
}

/// What to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// When the current digest was first reported.
    Since,
    /// When the newest event was received.
    Received,
    /// When the image was built.
    Created,
    /// The image's name.
    Image,
    /// The tag's name; untagged images last.
    Tag,
    /// The first host that runs it.
    Host,
}

impl Sort {
    /// Its name, as on the command line and in HTTP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Since => "since",
            Self::Received => "received",
            Self::Created => "created",
            Self::Image => "image",
            Self::Tag => "tag",
            Self::Host => "host",
        }
    }
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Ndjson,
}

/// Show one update in full, and who runs it
#[derive(Args, Debug)]
#[command(after_long_help = help::SHOW)]
pub struct Show {
    /// The image: its name as Docker takes it, or a pattern that matches one
    pub image: String,

    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// Acknowledge updates, and print the names of the images acknowledged
///
/// An acknowledgement holds for one digest: the update is pending again when its image gets another.
/// With --host it holds for the places on that host only, and the update is acknowledged with the last
/// place. NAME@DIGEST acknowledges only while that digest is the current one.
#[derive(Args, Debug)]
#[command(after_long_help = help::ACK)]
pub struct Ack {
    /// The images: names as Docker takes them, or patterns; `-` reads standard input
    ///
    /// Standard input has exact names, or lines of `list --format ndjson`, whose digests count too.
    #[arg(value_name = "IMAGE", required_unless_present_any = ["all", "host"])]
    pub images: Vec<String>,

    /// Acknowledge every pending update that matches the filters
    ///
    /// Filters require --all, but for --host.
    #[arg(short, long, conflicts_with = "images")]
    pub all: bool,

    #[allow(missing_docs, reason = "it would be help text")]
    #[command(flatten)]
    pub filter: Filter,

    /// Names are separated by NUL, on standard input and output
    #[arg(short = '0', long = "null")]
    pub null: bool,

    /// A note to keep with the decision
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
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
    /// Make tags
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
    },
    /// Take the tags off images
    Unassign {
        /// The images: names as Docker takes them, or patterns; `-` reads names from standard input
        #[arg(value_name = "IMAGE", required = true)]
        images: Vec<String>,
    },
}

/// Count the updates, in a line for a prompt or a login message
#[derive(Args, Debug)]
#[command(after_long_help = help::STATUS)]
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
#[command(after_long_help = help::PRUNE)]
pub struct Prune {
    /// Remove what was acknowledged, last reported or decided longer ago than this, such as 30d
    #[arg(long, value_name = "AGE")]
    pub older_than: String,

    /// Show what would be removed, without removing it
    #[arg(long)]
    pub dry_run: bool,
}

/// Copy the database, while others may write to it
#[derive(Args, Debug)]
#[command(after_long_help = help::BACKUP)]
pub struct Backup {
    /// The file to write; `-` writes to standard output
    pub file: PathBuf,

    /// Replace the file if there is one
    #[arg(long)]
    pub force: bool,
}

/// Take Diun's webhook in, and answer dashboards
///
/// Answers on /webhook, /metrics and /healthz, and on what the README lists below /api. An event is
/// on disk before it is answered with 204. A first SIGTERM or SIGINT finishes what is in flight, a
/// second ends at once.
#[derive(Args, Debug)]
#[command(after_long_help = help::SERVE)]
pub struct Serve {
    /// Where to listen: HOST:PORT or unix:/PATH [default: 127.0.0.1:3486]
    ///
    /// May be given several times. Port 0 takes a free port, and the log says which. Sockets that
    /// systemd hands over (LISTEN_FDS) are used too, and in place of the default.
    #[arg(short, long, value_name = "ADDRESS", env = "DIUNBOX_LISTEN", value_delimiter = ',')]
    pub listen: Vec<String>,

    /// A file that holds the token to ask for
    ///
    /// Clients send it as `Authorization: TOKEN` or `Authorization: Bearer TOKEN`. The token can be
    /// in the variable DIUNBOX_TOKEN instead. Without a token, serve listens on loopback only.
    #[arg(long, value_name = "FILE", env = "DIUNBOX_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,

    /// Listen on other addresses than loopback without a token
    #[arg(long)]
    pub allow_unauthenticated: bool,

    /// How to write the log
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// Log clients that are cut off before they ask for anything
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,
}

/// How to write the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line of text for each request.
    Text,
    /// A JSON object a line.
    Json,
}

/// Ask a running serve whether it answers, and exit with 1 when it does not
///
/// It asks for /healthz, which needs no token: made for the health checks of containers.
#[derive(Args, Debug)]
#[command(after_long_help = help::HEALTHCHECK)]
pub struct Healthcheck {
    /// Where serve listens: HOST:PORT or unix:/PATH [default: 127.0.0.1:3486]
    ///
    /// Of several addresses the first is asked.
    #[arg(short, long, value_name = "ADDRESS", env = "DIUNBOX_LISTEN", value_delimiter = ',')]
    pub listen: Vec<String>,

    /// How long to wait for the answer
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
}

/// Print the script that makes a shell complete commands, options, images, tags and hosts
///
/// The shell asks diunbox itself what can come next, so the script need not be renewed when
/// diunbox is. Packages install it; elsewhere see the examples.
#[derive(Args, Debug)]
#[command(after_long_help = help::COMPLETIONS)]
pub struct Completions {
    /// The shell
    pub shell: Shell,
}

/// Write the manual pages into a folder
#[derive(Args, Debug)]
#[command(after_long_help = help::MAN)]
pub struct Man {
    /// The folder, which is made where it is missing
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub folder: PathBuf,
}
