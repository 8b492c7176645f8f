//! `diunbox serve`: the webhook and the API.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::process::{Resource, Rlimit, geteuid, getrlimit, setrlimit};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::{Error, Outcome, Session};
use crate::cli::{LogFormat, Serve};
use crate::http::{Access, Format, Level, Limits, Listener, Log, Proxy, Server, Settings, Tokens};
use crate::store;

pub(super) const DEFAULT_ADDRESS: &str = "127.0.0.1:3486";
/// Permission for everyone to read. The group may read: systemd passes credentials on in this way.
const READABLE_BY_OTHERS: u32 = 0o004;
/// Container engines mount secrets here, with a mode that cannot be changed.
const SECRETS: &str = "/run/secrets/";

pub(super) fn run(args: &Serve, session: &Session) -> Result<Outcome, Error> {
    let level = match (session.quiet, args.verbose) {
        (true, _) => Level::Quiet,
        (_, true) => Level::Verbose,
        _ => Level::Normal,
    };
    let format = match args.log_format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };
    let log = Log { format, level };
    let outcome = serve(args, session, log);
    // If an event was neither stored nor logged, only the exit status can tell.
    if Log::flush() { outcome } else { outcome.map(|_| Outcome::Failed) }
}

fn serve(args: &Serve, session: &Session, log: Log) -> Result<Outcome, Error> {
    let access = Access { tokens: tokens(args, log)?, proxy: proxy(args) };
    let listeners = listen(args)?;
    let open = listeners.iter().find(|listener| !listener.is_local());
    if let Some(open) = open.filter(|_| access.is_open() && !args.allow_unauthenticated) {
        return Err(Error::Message(format!(
            "{open} is reachable from other hosts: set --token-file, listen on 127.0.0.1, or pass \
             --allow-unauthenticated",
        )));
    }
    let store = match &args.spool {
        Some(spool) => store::open_with_spool(session.database()?, spool, session.patience)?,
        None => session.open()?,
    };
    std::panic::set_hook(Box::new(move |panic| {
        log.problem(&format!("internal error, please report it: {panic}"));
    }));
    let stop =
        stop_signal().map_err(|error| Error::Message(format!("cannot handle signals: {error}")))?;
    let addresses: Vec<_> = listeners.iter().map(ToString::to_string).collect();
    log.info(&format!(
        "diunbox {} listens on {}, database {}, token {}",
        env!("CARGO_PKG_VERSION"),
        addresses.join(" and "),
        store.location(),
        if access.tokens.is_some() { "needed" } else { "not needed" },
    ));
    if let Some(spooled) = store.spooled().filter(|spooled| spooled.events > 0) {
        log.problem(&format!("events that wait in the spool: {}", spooled.events));
    }
    if access.tokens.as_ref().is_some_and(Tokens::are_short) {
        log.problem("a token is short enough to be guessed: use `openssl rand -hex 32`");
    }
    let limits = Limits { descriptors: descriptors(), ..Limits::default() };
    let settings = Settings { access, base_path: args.base_path.clone(), log, limits };
    let server = Server { store, listeners, settings };
    server.run(stop).map_err(|error| Error::Message(format!("cannot serve: {error}")))?;
    Ok(Outcome::Done)
}

fn listen(args: &Serve) -> Result<Vec<Listener>, Error> {
    let mut listeners = Listener::from_systemd().map_err(|error| {
        Error::Message(format!("cannot use the sockets that LISTEN_FDS hands over: {error}"))
    })?;
    let default = [DEFAULT_ADDRESS.to_owned()];
    let addresses = match args.listen.as_slice() {
        [] if listeners.is_empty() => default.as_slice(),
        addresses => addresses,
    };
    for address in addresses {
        listeners.extend(
            Listener::bind(address).map_err(|error| Error::Message(explain(address, &error)))?,
        );
    }
    Ok(listeners)
}

fn explain(address: &str, error: &io::Error) -> String {
    let advice = match error.kind() {
        ErrorKind::AddrInUse => "stop what listens there, or give another --listen",
        ErrorKind::PermissionDenied => "choose a port above 1023, or a folder that is yours",
        _ => "give an address of this machine as HOST:PORT, or unix:/PATH",
    };
    format!("cannot listen on {address}: {error}: {advice}")
}

/// The proxy whose users are trusted.
fn proxy(args: &Serve) -> Option<Proxy> {
    let header = args.user_header.to_ascii_lowercase();
    let addresses = args.trusted_proxy.clone();
    (!addresses.is_empty()).then_some(Proxy { addresses, header })
}

/// The tokens from a file, or else from the environment.
fn tokens(args: &Serve, log: Log) -> Result<Option<Tokens>, Error> {
    let (source, text) = match (&args.token_file, std::env::var("DIUNBOX_TOKEN")) {
        (Some(file), _) => (file.display().to_string(), read_token(file, log)?),
        (None, Ok(token)) => ("DIUNBOX_TOKEN".to_owned(), token),
        (None, Err(std::env::VarError::NotPresent)) => return Ok(None),
        // The error's own message quotes the token.
        (None, Err(std::env::VarError::NotUnicode(_))) => {
            return Err(Error::Message("the token in DIUNBOX_TOKEN is not UTF-8".to_owned()));
        }
    };
    let tokens = Tokens::new(&text).map_err(|reason| {
        Error::Message(format!("the token in {source} cannot be used: {reason}"))
    })?;
    Ok(Some(tokens))
}

fn read_token(path: &Path, log: Log) -> Result<String, Error> {
    let read = || {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        // The warning is printed only if the user can change the mode.
        let is_ours = metadata.is_file()
            && metadata.uid() == geteuid().as_raw()
            && !path.starts_with(SECRETS);
        if is_ours && metadata.mode() & READABLE_BY_OTHERS != 0 {
            let path = path.display();
            log.problem(&format!(
                "the token in {path} is readable by other users: `chmod 600 {path}`"
            ));
        }
        let mut text = String::new();
        file.take(64 * 1024).read_to_string(&mut text)?;
        Ok(text)
    };
    read().map_err(|error| Error::File {
        action: "read the token in",
        path: path.to_owned(),
        error,
    })
}

/// Becomes readable at the first SIGTERM or SIGINT. A second ends the process at once.
fn stop_signal() -> io::Result<UnixStream> {
    let (read, write) = UnixStream::pair()?;
    let stopping = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register_conditional_shutdown(signal, 2, Arc::clone(&stopping))?;
        signal_hook::flag::register(signal, Arc::clone(&stopping))?;
        signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
    }
    Ok(read)
}

/// Raises the limit of file descriptors as far as allowed, and returns it.
fn descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let current = if raised.is_ok() { limit.maximum } else { limit.current };
    usize::try_from(current.unwrap_or(u64::MAX)).unwrap_or(usize::MAX)
}
