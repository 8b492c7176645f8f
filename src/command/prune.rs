//! `diunbox prune`: forgets what is old.

use std::io::Write;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Error, Outcome, Session};
use crate::cli::Prune as Args;
use crate::store::{Prune, Store};

pub(super) fn run(args: &Args, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let Some(store) = session.open_existing()? else {
        return Ok(Outcome::Done);
    };
    let pruned = store.prune(Prune {
        acknowledged_before: args.acknowledged_before.and_then(before),
        reports_before: args.reports_before.and_then(before),
        dry_run: args.dry_run,
    })?;
    if session.quiet {
        return Ok(Outcome::Done);
    }
    let did = if args.dry_run { "would forget" } else { "forgot" };
    let updates = count(pruned.updates, "acknowledged update");
    let reports = count(pruned.reports, "report");
    let freed =
        if args.dry_run { String::new() } else { format!(", {} KiB freed", pruned.bytes / 1024) };
    writeln!(out, "{did} {updates} and {reports}{freed}")?;
    Ok(Outcome::Done)
}

/// The time that was this long ago; none where nothing can be that old.
fn before(age: Duration) -> Option<DateTime<Utc>> {
    Utc::now().checked_sub_signed(TimeDelta::from_std(age).ok()?)
}

fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
