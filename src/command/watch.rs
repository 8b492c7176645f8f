//! `diunbox watch`: prints updates as they become pending, and runs a command for each.

use std::collections::HashMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use chrono::Utc;

use super::{Error, Outcome, Session, complain, print_name};
use crate::cli::{Format, Watch as Args};
use crate::image::short_name;
use crate::inbox::query::{Detail, Query};
use crate::inbox::update::{State, Update};
use crate::render::item::ItemView;
use crate::render::place::{hosts, places};
use crate::render::{json, table};
use crate::store::ErrorKind;
use crate::store::follow::Follow;

/// How often the database is polled.
const PERIOD: Duration = Duration::from_millis(500);

pub(super) fn run(args: &Args, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let store = session.open()?;
    let mut follow = Follow::new(&*store, store.last_change()?, session.now)?;
    let query = Query { detail: Detail::Item, ..Query::pending(session.now) };
    let pending = store.select(&query)?;
    let digest = |update: &Update| (update.event.image.clone(), update.event.digest.clone());
    let mut known: HashMap<String, String> = pending.iter().map(digest).collect();
    if args.all {
        pending.iter().rev().try_for_each(|update| tell(args, session, update, out))?;
    }
    // Updates that come after this message are not missed.
    session.note(format_args!("watching {}", store.location()));
    let mut is_away = false;
    loop {
        let updates = match follow.next(&*store, Utc::now()) {
            Ok(updates) => {
                is_away = false;
                updates
            }
            // The server may come back. It is reported once.
            Err(error) if error.kind == ErrorKind::Unavailable => {
                if !std::mem::replace(&mut is_away, true) {
                    complain(error);
                }
                Vec::new()
            }
            Err(error) => return Err(error.into()),
        };
        for update in updates {
            let (image, digest) = digest(&update);
            if update.state != State::Pending {
                known.remove(&image);
            } else if known.insert(image, digest.clone()).as_ref() != Some(&digest) {
                tell(args, session, &update, out)?;
            }
        }
        thread::sleep(PERIOD);
    }
}

fn tell(
    args: &Args,
    session: &Session,
    update: &Update,
    out: &mut impl Write,
) -> Result<(), Error> {
    match args.format {
        Format::Table if session.quiet => print_name(out, &update.event.image, false)?,
        Format::Table => table::line(out, update, Utc::now())?,
        Format::Json | Format::Ndjson => json::line(out, &ItemView::from(update))?,
    }
    out.flush()?;
    if let Some(command) = &args.exec {
        if let Err(reason) = execute(command, update) {
            complain(format_args!("{command}: {reason}, for {}", short_name(&update.event.image)));
        }
    }
    Ok(())
}

/// Runs a shell command with the update's JSON as its input.
fn execute(command: &str, update: &Update) -> Result<(), String> {
    let mut text = Vec::new();
    // Writing to memory cannot fail.
    let _ = json::line(&mut text, &ItemView::from(update));
    let tag = update.tag.as_ref().map(|tag| tag.name.as_str());
    let event = &update.event;
    let mut child = Command::new("sh")
        .args(["-c", command])
        .envs(
            [
                ("DIUNBOX_IMAGE", event.image.as_str()),
                ("DIUNBOX_NAME", short_name(&event.image)),
                ("DIUNBOX_DIGEST", &event.digest),
                ("DIUNBOX_STATUS", &event.status),
                ("DIUNBOX_CHANGE", update.change.name()),
                ("DIUNBOX_PREVIOUS", update.previous.as_deref().unwrap_or_default()),
                ("DIUNBOX_WHERE", &places(update)),
                ("DIUNBOX_HOSTS", &hosts(update).join(" ")),
                ("DIUNBOX_TAG", tag.unwrap_or_default()),
                ("DIUNBOX_LINK", &event.hub_link),
            ]
            // A variable cannot contain NUL.
            .map(|(name, value)| (name, value.replace('\0', ""))),
        )
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| format!("it cannot be run: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        // The command may end without reading its input.
        let _ = input.write_all(&text);
    }
    let status = child.wait().map_err(|error| format!("it cannot be waited for: {error}"))?;
    if status.success() { Ok(()) } else { Err(status.to_string()) }
}
