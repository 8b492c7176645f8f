//! `/ping/HOST.SECRET`: Diun's heartbeats. Diun sends no credentials with them, so the path has a secret.

use std::borrow::Cow;

use chrono::Utc;
use percent_encoding::percent_decode_str;
use subtle::ConstantTimeEq;

use super::context::Context;
use super::error::Error;
use super::limits::Class;
use super::response::{Answer, empty};
use super::route::{Request, nothing_here};
use crate::inbox::scan::Beat;
use crate::store::Store;

/// The start of every heartbeat's path.
pub(super) const PREFIX: &str = "/ping/";

/// Refuses a name that `diunbox hosts --ping` has not printed, before the body is read.
pub(super) fn check(name: &str, context: &Context) -> Result<(), Error> {
    // The same answer as for an unknown path, so that names cannot be probed.
    let unknown = nothing_here;
    let (host, secret) = parts(name).0.ok_or_else(unknown)?;
    let permit = context.capacity.take(Class::Read, &context.limits);
    permit.ok_or_else(|| Error::unavailable("the server is too busy: try again", "1"))?;
    let known = context.store.ping_secret(host)?.ok_or_else(unknown)?;
    if secret.as_bytes().ct_eq(known.as_bytes()).into() { Ok(()) } else { Err(unknown()) }
}

/// Stores a heartbeat.
pub(super) fn take(request: &Request<'_>, store: &dyn Store) -> Answer {
    let (Some((host, _)), what) = parts(request.rest) else { return Ok(empty(204)) };
    let beat = match what {
        "start" => Beat::Start,
        "fail" => Beat::Fail,
        "" => Beat::done(&String::from_utf8_lossy(request.body)),
        _ => return Err(Error::new(404, "a heartbeat ends in its name, /start or /fail")),
    };
    store.take_beat(host, &beat, Utc::now())?;
    Ok(empty(204))
}

/// Splits a name into the host, the secret, and the part after the slash.
fn parts(name: &str) -> (Option<(&str, &str)>, &str) {
    let (name, what) = name.split_once('/').unwrap_or((name, ""));
    (name.rsplit_once('.'), what)
}

/// A request's target without its secret, for the log. The path is decoded as for the routes.
pub(super) fn without_secret(target: &str) -> Cow<'_, str> {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let path = percent_decode_str(path).decode_utf8_lossy();
    match path.find(PREFIX).map(|at| at + PREFIX.len()) {
        Some(at) => {
            let (before, name) = path.split_at(at);
            let end = name.find('/').unwrap_or(name.len());
            let dot = name[..end].rfind('.').map_or(0, |dot| dot + 1);
            format!("{before}{}…{}{query}", &name[..dot], &name[end..]).into()
        }
        None => target.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_reaches_no_log() {
        for (target, logged) in [
            ("/ping/nas.lan.0123/start", "/ping/nas.lan.…/start"),
            ("/ping/nas.0123", "/ping/nas.…"),
            ("/ping/0123?x=y", "/ping/…?x=y"),
            ("http://h/ping/nas.0123", "http://h/ping/nas.…"),
            ("/%70ing/nas.0123/start", "/ping/nas.…/start"),
            ("/ping%2Fnas.0123", "/ping/nas.…"),
            ("/ping/nas%2E0123", "/ping/nas.…"),
            ("/ping/nas.01%2f23", "/ping/nas.…/23"),
            ("/api/updates/a%2Fb", "/api/updates/a%2Fb"),
            ("/api/updates", "/api/updates"),
        ] {
            assert_eq!(without_secret(target), logged);
        }
    }
}
