//! The arguments of the commands that decide about updates.

use clap::{Args, Subcommand};

use super::help;
use super::list::{Filter, Format};

/// Acknowledge updates, and print the names of the images acknowledged
///
/// An acknowledgement holds for one digest: the update is pending again when its image gets another.
/// Older versions that are folded under an update are acknowledged with it. With --host it holds for
/// the places on that host only, and the update is acknowledged with the last place. NAME@DIGEST
/// acknowledges only while that digest is the current one.
#[derive(Args, Debug)]
#[command(after_long_help = help::long("ack"))]
pub struct Ack {
    #[command(flatten)]
    pub target: Target,
}

/// Make updates pending again, and print the names of the images
///
/// For acknowledged and snoozed updates, and for pending ones that some place is done with. The
/// acknowledged digest is cleared, so a repeated event does not close the update again.
#[derive(Args, Debug)]
#[command(after_long_help = help::long("reopen"))]
pub struct Reopen {
    #[command(flatten)]
    pub target: Target,

    /// With --all: only acknowledged updates
    #[arg(long, requires = "all")]
    pub acknowledged: bool,

    /// With --all: only snoozed updates
    #[arg(long, requires = "all")]
    pub snoozed: bool,
}

/// Hide updates until a time, and print the names of the images
///
/// The update is pending again at that time, whatever arrives meanwhile.
#[derive(Args, Debug)]
#[command(after_long_help = help::long("snooze"))]
#[command(group = clap::ArgGroup::new("end").required(true).args(["for_", "until"]))]
pub struct Snooze {
    #[command(flatten)]
    pub target: Target,

    /// For this long, such as 12h or 7d
    #[arg(id = "for_", long = "for", value_name = "AGE")]
    pub for_: Option<String>,

    /// Until this date, such as 2026-12-24 or 2026-12-24T09:00, in the local time zone
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
}

/// Which updates a decision is about.
#[derive(Args, Debug)]
pub struct Target {
    /// The images: names as Docker takes them, or patterns; `-` reads standard input
    ///
    /// Standard input has exact names, or lines of `list --format ndjson`, whose digests count too.
    #[arg(value_name = "IMAGE", required_unless_present_any = ["all", "host"])]
    pub images: Vec<String>,

    /// Every update that matches the filters
    ///
    /// Filters require --all, but for `ack --host`.
    #[arg(short, long, conflicts_with = "images")]
    pub all: bool,
    #[command(flatten)]
    pub filter: Filter,

    /// Names are separated by NUL, on standard input and output
    #[arg(short = '0', long = "null")]
    pub null: bool,

    /// A note to keep with the decision
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// Images that never become pending, by patterns.
#[derive(Debug, Subcommand)]
pub enum Ignore {
    /// Add patterns, and say how many images each hides
    Add {
        /// The patterns, of `*`, `?` and `[…]`, for full or short names
        #[arg(value_name = "PATTERN", required = true)]
        patterns: Vec<String>,
        /// A note to keep with the patterns
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// List the patterns
    List {
        /// How to print
        #[arg(short, long, value_name = "FORMAT", default_value = "table")]
        format: Format,
    },
    /// Remove patterns, and say how many images each hid
    Remove {
        /// The patterns, as `ignore list` prints them
        #[arg(value_name = "IGNORED", required = true)]
        patterns: Vec<String>,
        /// A note to keep with the decision
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

/// Undo an action: the last one from the command line, or a given one
///
/// Each image gets the state or the tag that it had before. One that was decided on since, or has
/// another digest, is left unchanged and named. An undo can be undone by its number.
#[derive(Args, Debug)]
#[command(after_long_help = help::long("undo"))]
pub struct Undo {
    /// The action's number, as `history` prints it
    pub id: Option<i64>,

    /// A note to keep with the decision
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// List what was decided, newest first
#[derive(Args, Debug)]
#[command(after_long_help = help::long("history"))]
pub struct History {
    /// Only what changed this image
    #[arg(value_name = "IMAGE")]
    pub image: Option<String>,

    /// List at most this many
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    pub limit: usize,

    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}
