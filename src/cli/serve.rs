//! The arguments of `serve`, and of `healthcheck`, which asks it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::help;

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
