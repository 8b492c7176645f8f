//! The arguments of `list`, and those that other commands share with it.

use clap::{Args, ValueEnum};

use super::help;

/// List the pending updates, newest first
#[derive(Args, Debug)]
#[command(after_long_help = help::long("list"))]
pub struct List {
    /// List updates in every state
    #[arg(short, long, conflicts_with_all = ["acknowledged", "snoozed", "superseded", "ignored"])]
    pub all: bool,

    /// List acknowledged updates
    #[arg(long)]
    pub acknowledged: bool,

    /// List snoozed updates
    #[arg(long)]
    pub snoozed: bool,

    /// List updates that a newer version supersedes
    #[arg(long)]
    pub superseded: bool,

    /// List updates that a pattern hides
    #[arg(long)]
    pub ignored: bool,
    #[command(flatten)]
    pub filter: Filter,

    /// What to sort by; times newest first, names from A to Z
    #[arg(short, long, value_name = "KEY", default_value = "since")]
    pub sort: Sort,

    /// Reverse the order
    #[arg(short, long)]
    pub reverse: bool,

    /// Count the updates per group
    ///
    /// By host, an update counts for each host that needs it.
    #[arg(long, value_name = "GROUP", conflicts_with_all = ["null", "limit", "sort", "reverse"])]
    pub by: Option<Group>,

    /// List at most this many, the first in the order asked for
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<usize>,

    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,

    /// Print only names, each followed by a NUL
    #[arg(short = '0', long = "null", conflicts_with = "format")]
    pub null: bool,

    /// Exit with 1 when something is listed
    #[arg(long)]
    pub exit_code: bool,
}

/// Which updates are meant. Repeating a filter means OR; different filters mean AND.
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
    /// With --host, both must match the same place.
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

    /// Only updates whose digest is current for at most this long, such as 90m, 12h or 30d
    #[arg(long, value_name = "AGE")]
    pub since: Option<String>,

    /// Only updates whose digest is current for at least this long, such as 90m, 12h or 30d
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

/// What to count updates by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// The hosts that need the update.
    Host,
    /// The image's name without its tag.
    Repository,
    /// The user's tag.
    Tag,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object per line.
    Ndjson,
}
