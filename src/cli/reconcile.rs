//! The arguments of `reconcile`.

use std::path::PathBuf;

use clap::Args;

use super::help;
use super::list::Format;

/// Close what already runs, from what the engines' own tools print
///
/// The input is what docker inspect, podman inspect, docker service inspect, kubectl get pods -o json or
/// crictl images -o json prints, in any mix; or what diun image list --raw prints, from which events that
/// were missed are stored. No engine and no registry is contacted. All of it is one action, which `undo`
/// takes back by its number. These are the rules:
///
/// A place is done if its image has the update's digest among the RepoDigests that docker image inspect
/// prints, or was built at the same nanosecond (Created), or is a newer version of the same line.
///
/// A place is behind if its image has a digest that was announced before, or if it is the very container
/// that the event was about.
///
/// If both build times are known, the later one is newer; an image that was built locally, without any
/// digest, is unknown, and so is everything else that cannot be told.
///
/// Unknown places stay needed; with --complete, a place that is not in the input is gone.
///
/// An update closes with its last place; what a person acknowledged is never reopened, and what a person
/// reopened is not closed again until the place runs something else.
#[derive(Args, Debug)]
#[command(after_long_help = help::long("reconcile"))]
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
