//! The arguments of `watch`.

use clap::Args;

use super::help;
use super::list::Format;

/// Print updates as they become pending
///
/// It waits until it is ended, and reads what other commands and serve store. With --exec a command is run
/// for each update, one after another; one that fails is reported, and the watch goes on.
#[derive(Args, Debug)]
#[command(after_long_help = help::long("watch"))]
pub struct Watch {
    /// Run a command of the shell for each, with its JSON on standard input
    ///
    /// DIUNBOX_IMAGE, DIUNBOX_NAME, DIUNBOX_DIGEST, DIUNBOX_STATUS, DIUNBOX_CHANGE, DIUNBOX_PREVIOUS,
    /// DIUNBOX_WHERE, DIUNBOX_HOSTS, DIUNBOX_TAG and DIUNBOX_LINK say the same in the command's environment.
    #[arg(long, value_name = "COMMAND")]
    pub exec: Option<String>,

    /// Print those first that are pending already
    #[arg(long)]
    pub all: bool,

    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}
