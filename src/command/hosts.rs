//! `diunbox hosts`: what each host needs, and when it was last heard from.

use std::io::Write;

use super::{Error, Outcome, Session, print_name};
use crate::cli::{Format, Hosts as Args};
use crate::render::hosts::{HostView, table};
use crate::render::json;
use crate::render::refused::sentence;

pub(super) fn run(args: &Args, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    if let Some(host) = &args.ping {
        return ping(host, session, out);
    }
    let (hosts, refused) = match session.open_existing()? {
        Some(store) => (store.hosts(session.now)?, store.refused()?),
        None => (Vec::new(), Vec::new()),
    };
    let views = || hosts.iter().map(|host| HostView::new(host, session.now));
    match args.format {
        Format::Table if session.quiet => {
            for host in &hosts {
                print_name(out, &host.name, false)?;
            }
        }
        Format::Table if hosts.is_empty() => session.note("no hosts yet: no event has named one"),
        Format::Table => table(out, &hosts, session.now, session.terminal)?,
        Format::Json => json::array(out, views())?,
        Format::Ndjson => json::lines(out, views())?,
    }
    if let (Format::Table, Some(refused)) = (args.format, sentence(&refused, session.now)) {
        session.note(refused);
    }
    Ok(Outcome::Done)
}

fn ping(host: &str, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let is_name = !host.is_empty() && host.len() <= 255 && !host.contains(['/', '?', '#', '%']);
    if !is_name || host.contains(|c: char| c.is_control() || c.is_whitespace()) {
        let message = "a host that sends heartbeats has a name without slashes and white space";
        return Err(Error::Message(message.to_owned()));
    }
    let secret = session.open()?.allow_ping(host)?;
    writeln!(out, "{host}.{secret}")?;
    session.note(
        "in diun.yml this is watch.healthchecks.uuid; baseURL is the server's, such as \
        http://inbox.lan:3486/ping/ with the slash at its end",
    );
    Ok(Outcome::Done)
}
