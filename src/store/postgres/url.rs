//! A PostgreSQL URL: `postgres://user@host1,host2:5433/name?sslmode=verify-full`.
//!
//! diunbox tries the hosts one after another. The client library does not know all keys of libpq: these are
//! taken out of the URL, and handled here or refused by name.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::password;

/// PostgreSQL's default port.
const PORT: u16 = 5432;

/// The address of a PostgreSQL inbox: a database on one of several hosts. Printed without a password.
#[derive(Clone)]
pub struct Address {
    /// How to connect to each host, in the order of the URL.
    pub(super) hosts: Vec<Config>,
    /// The file of certificates to trust instead of the system's.
    pub(super) root: Option<PathBuf>,
    /// Whether statements are prepared. Some poolers cannot share connections with prepared statements.
    pub(super) prepares: bool,
    /// The URL without the password and the keys.
    label: String,
    has_password: bool,
}

/// The keys that are passed on to the client library.
const PASSED: [&str; 7] = [
    "application_name",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "options",
    "port",
];

const UNREADABLE: &str = "the database's URL cannot be read: write postgres://USER@HOST/NAME, with special \
                          characters as %XX";

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// A sentence that says what is wrong. It quotes nothing that may be a password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (start, query) = url.split_once('?').unwrap_or((url, ""));
        let mut passed = String::new();
        let mut pass = |key: &str, value: &str| {
            let value = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
            passed.extend([key, "=", &value, "&"]);
        };
        let (mut mode, mut root, mut password_file) = (None, None, None);
        let (mut host, mut prepares) = (None, true);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            match key {
                "sslmode" => mode = Some(ssl_mode(&value)?),
                "sslrootcert" if value != "system" => root = Some(PathBuf::from(&*value)),
                "sslrootcert" => root = None,
                "passfile" => password_file = Some(PathBuf::from(&*value)),
                "target_session_attrs" => writable(&value)?,
                "prepared_statements" => prepares = yes_or_no(&value)?,
                "host" => host = Some(value.into_owned()),
                key if PASSED.contains(&key) => pass(key, &value),
                key if key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') => {
                    return Err(format!(
                        "the database's URL has `{key}`, which diunbox does not know: remove it"
                    ));
                }
                // The text may be the end of a password that contains a question mark.
                _ => return Err(UNREADABLE.into()),
            }
        }
        if let Some(host) = host {
            pass("host", &host);
        }
        let whole = format!("{start}?{}", passed.trim_end_matches('&'));
        let mut config = Config::from_str(&whole).map_err(|_| UNREADABLE)?;
        if config.get_hosts().is_empty() {
            return Err("the database's URL names no host: write postgres://USER@HOST/NAME".into());
        }
        if config.get_user().is_none() {
            let user =
                ["PGUSER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
            config.user(
                user.ok_or("the database's URL names no user: write postgres://USER@HOST/NAME")?,
            );
        }
        if config.get_dbname().is_none() {
            let user = config.get_user().unwrap_or_default().to_owned();
            config.dbname(user);
        }
        if config.get_application_name().is_none() {
            config.application_name("diunbox");
        }
        config.ssl_mode(mode.unwrap_or(SslMode::Prefer));
        let ports: Vec<u16> = config.get_ports().to_vec();
        let port = |index: usize| match ports.as_slice() {
            [one] => *one,
            several => several.get(index).copied().unwrap_or(PORT),
        };
        let named: Vec<(Host, u16)> = config
            .get_hosts()
            .iter()
            .enumerate()
            .map(|(index, host)| (host.clone(), port(index)))
            .collect();
        let has_password = config.get_password().is_some();
        let label = label(&config, &named);
        let mut hosts = Vec::new();
        for (host, port) in &named {
            let mut one = only(&config, host, *port);
            if !has_password {
                let name = [text(host), port.to_string()];
                if let Some(password) = password::find(&name, &one, password_file.as_deref())? {
                    one.password(password);
                }
            }
            hosts.push(one);
        }
        Ok(Self { hosts, root, prepares, label, has_password })
    }

    /// Whether the URL itself holds a password.
    pub fn has_password(&self) -> bool {
        self.has_password
    }

    /// The names of the user and the database, for messages.
    pub(super) fn names(&self) -> (&str, &str) {
        let first = self.hosts.first();
        let names = first.map(|first| (first.get_user(), first.get_dbname()));
        let (user, name) = names.unwrap_or_default();
        (user.unwrap_or_default(), name.unwrap_or_default())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.label)
    }
}

/// The configurations hold the password.
impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

fn ssl_mode(value: &str) -> Result<SslMode, String> {
    match value {
        "disable" => Ok(SslMode::Disable),
        "allow" | "prefer" => Ok(SslMode::Prefer),
        "require" | "verify-ca" | "verify-full" => Ok(SslMode::Require),
        _ => {
            Err("the database's URL has an unknown sslmode: give disable, prefer or verify-full"
                .into())
        }
    }
}

fn yes_or_no(value: &str) -> Result<bool, String> {
    match value {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" => Ok(false),
        _ => {
            Err("the database's URL has an unknown prepared_statements: give true or false".into())
        }
    }
}

/// diunbox always needs a server that can be written to.
fn writable(value: &str) -> Result<(), String> {
    match value {
        "any" | "read-write" | "primary" => Ok(()),
        _ => Err("diunbox writes to its database: give target_session_attrs=read-write".into()),
    }
}

/// The same configuration with one host.
fn only(config: &Config, host: &Host, port: u16) -> Config {
    let mut one = Config::new();
    match host {
        Host::Tcp(name) => one.host(name),
        Host::Unix(folder) => one.host_path(folder),
    };
    one.port(port)
        .user(config.get_user().unwrap_or_default())
        .dbname(config.get_dbname().unwrap_or_default())
        .application_name(config.get_application_name().unwrap_or_default())
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(match host {
            Host::Tcp(_) => config.get_ssl_mode(),
            // As in libpq, connections over a Unix socket are not encrypted.
            Host::Unix(_) => SslMode::Disable,
        });
    if let Some(interval) = config.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    if let Some(options) = config.get_options() {
        one.options(options);
    }
    if let Some(password) = config.get_password() {
        one.password(password);
    }
    one
}

pub(super) fn text(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(folder) => folder.display().to_string(),
    }
}

fn label(config: &Config, hosts: &[(Host, u16)]) -> String {
    let hosts: Vec<String> = hosts
        .iter()
        .map(|(host, port)| {
            let port = if *port == PORT { String::new() } else { format!(":{port}") };
            text(host) + &port
        })
        .collect();
    let user = config.get_user().unwrap_or_default();
    let name = config.get_dbname().unwrap_or_default();
    format!("postgres://{user}@{}/{name}", hosts.join(","))
}
