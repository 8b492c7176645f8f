//! The arguments of `serve` and `healthcheck`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::help;

/// Run the server: Diun's webhook, the web page and the API
///
/// The page is at /, Diun's webhook at /webhook, and what dashboards and scripts can ask is described at
/// /openapi.json. An event is
/// on disk before it is answered with 204. The first SIGTERM or SIGINT finishes the
/// requests in progress, the second ends the server at once.
#[derive(Args, Debug)]
#[command(after_long_help = help::long("serve"))]
pub struct Serve {
    /// Where to listen: HOST:PORT or unix:/PATH [default: 127.0.0.1:3486]
    ///
    /// May be given several times. Port 0 takes a free port, and the log says which. Sockets that
    /// systemd hands over (LISTEN_FDS) are used too, and in place of the default.
    #[arg(short, long, value_name = "ADDRESS", env = "DIUNBOX_LISTEN", value_delimiter = ',')]
    pub listen: Vec<String>,

    /// A file that holds the token to ask for, or several
    ///
    /// Clients send it as `Authorization: TOKEN` or `Authorization: Bearer TOKEN`, and browsers log in with
    /// it. The token can be in the variable DIUNBOX_TOKEN instead. Each line is a TOKEN, or NAME:SCOPE
    /// TOKEN with webhook, running, read or all as SCOPE; the history says the NAME. Without a token, serve
    /// listens on loopback only.
    #[arg(long, value_name = "FILE", env = "DIUNBOX_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,

    /// Listen on other addresses than loopback without a token
    #[arg(long)]
    pub allow_unauthenticated: bool,

    /// Trust a proxy that authenticates its users, by the address that it connects from
    ///
    /// May be given several times. A user named in --user-header needs no token, and is recorded in
    /// the history. The header counts from no other address.
    #[arg(long, value_name = "ADDRESS")]
    pub trusted_proxy: Vec<IpAddr>,

    /// The header in which the trusted proxy names the user
    #[arg(long, value_name = "NAME", default_value = "Remote-User", requires = "trusted_proxy")]
    pub user_header: String,

    /// Serve everything below this path too, such as /diunbox
    #[arg(long, value_name = "PATH", value_parser = base_path, default_value = "")]
    pub base_path: String,

    /// A file that takes events while no PostgreSQL server answers
    ///
    /// The events are on disk there before they are answered with 204, and are moved to the database when a
    /// server is back. The file is created if it is missing, and belongs to one server. /healthz and
    /// /metrics say what waits in it.
    #[arg(long, value_name = "PATH", env = "DIUNBOX_SPOOL")]
    pub spool: Option<PathBuf>,

    /// How to write the log
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// Log connections that end without a request
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,
}

/// A path with a slash at its start and none at its end; nothing for `/`.
fn base_path(path: &str) -> Result<String, String> {
    let path = path.trim_end_matches('/');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    if path.is_empty() || path.starts_with('/') && path.bytes().all(is_plain) {
        Ok(path.to_owned())
    } else {
        Err("write it as /NAME, with letters, digits and -._~ alone".to_owned())
    }
}

/// How to write the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line of text per request.
    Text,
    /// One JSON object per line.
    Json,
}

/// Check that a running server answers; exit with 1 if it does not
///
/// It requests /healthz, which needs no token. Use it as the health check of a container.
#[derive(Args, Debug)]
#[command(after_long_help = help::long("healthcheck"))]
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
