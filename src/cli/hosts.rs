//! The arguments of `hosts`.

use clap::Args;

use super::help;
use super::list::Format;

/// List the hosts: what each needs, and when it was last heard from
///
/// A Diun that finds nothing sends nothing. With --ping, a host's Diun can send heartbeats, so that
/// "nothing pending" and "Diun has stopped" can be distinguished.
#[derive(Args, Debug)]
#[command(after_long_help = help::long("hosts"))]
pub struct Hosts {
    /// Print the name under which this host's Diun may send heartbeats
    ///
    /// The name holds a secret, and can do nothing but tell when a scan was done.
    #[arg(long, value_name = "HOST", conflicts_with = "format")]
    pub ping: Option<String>,

    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}
