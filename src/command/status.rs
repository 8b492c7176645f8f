//! `diunbox status`: the counts in one line.

use std::io::Write;

use chrono::Utc;

use super::{Error, Outcome, Session};
use crate::cli::{Format, Status};
use crate::inbox::update::Counts;
use crate::render::counts::CountsView;
use crate::render::{json, table};

pub(super) fn run(
    args: &Status,
    session: &Session,
    out: &mut impl Write,
) -> Result<Outcome, Error> {
    let now = Utc::now();
    let (counts, scans, refused) = match session.open_existing()? {
        Some(store) => (store.count(now)?, store.scans()?, store.refused()?),
        None => (Counts::default(), Vec::new(), Vec::new()),
    };
    match args.format {
        Format::Table if session.quiet => {}
        Format::Table => table::counts(out, counts, &scans, &refused, now)?,
        Format::Json | Format::Ndjson => {
            json::line(out, &CountsView::new(counts, &scans, &refused, now))?;
        }
    }
    let pending = args.exit_code && counts.pending > 0;
    Ok(if pending { Outcome::Negative } else { Outcome::Done })
}
