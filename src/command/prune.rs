//! `diunbox prune`: removes old acknowledged updates, digests and actions.

use std::io::Write;

use chrono::Utc;

use super::{Error, Outcome, Session, count};
use crate::cli::Prune as Args;
use crate::inbox::query::ago;
use crate::store::Prune;

pub(super) fn run(args: &Args, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let before = ago(&args.older_than, Utc::now()).map_err(Error::Message)?;
    let Some(store) = session.open_existing()? else {
        return Ok(Outcome::Done);
    };
    let pruned = store.prune(Prune { before, dry_run: args.dry_run })?;
    if session.quiet {
        return Ok(Outcome::Done);
    }
    let did = if args.dry_run { "would remove" } else { "removed" };
    let updates = count(pruned.updates, "acknowledged update");
    let digests = count(pruned.digests, "digest");
    let actions = count(pruned.actions, "action");
    let freed =
        if args.dry_run { String::new() } else { format!(", {} KiB freed", pruned.bytes / 1024) };
    writeln!(out, "{did} {updates}, {digests} and {actions}{freed}")?;
    Ok(Outcome::Done)
}
