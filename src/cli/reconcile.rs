//! The arguments of `reconcile`.

use std::path::PathBuf;

use clap::Args;

use super::help;
use super::list::Format;

/// Close what already runs, from what the engines' own tools print
///
/// The input is what docker inspect, podman inspect, docker service inspect, kubectl get pods -o json or
/// crictl images -o json prints, in any mix; or what diun image list --raw prints, from which events that
/// were missed are stored. Nothing is asked of an engine or a registry. A place is done
/// if it runs the update's digest or something newer; the update is closed with its last place. All of
/// it is one action, which `undo` takes back by its number.
#[derive(Args, Debug)]
#[command(after_long_help = help::RECONCILE)]
pub struct Reconcile {
    /// Files to read; standard input if there are none, or for `-`
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// The host that this runs on, as events name it; `*` for every host
    ///
    /// Without it, the hosts are those whose containers the input has by their ids.
    #[arg(long, value_name = "HOST")]
    pub host: Vec<String>,

    /// Only places that this provider found: docker, swarm, kubernetes, …
    #[arg(long, value_name = "PROVIDER")]
    pub provider: Option<String>,

    /// The input is everything that runs there: what is not in it is gone
    #[arg(long)]
    pub complete: bool,

    /// Acknowledge at once what Diun's own list tells and the inbox does not know
    ///
    /// For a first import, so that not everything is pending.
    #[arg(long)]
    pub acknowledged: bool,

    /// Show what would be closed, without changing anything
    #[arg(long)]
    pub dry_run: bool,

    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}
