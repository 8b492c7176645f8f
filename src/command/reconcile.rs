//! `diunbox reconcile`: closes what already runs.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use super::{Error, Outcome, Session, count, print_name};
use crate::cli::{Format, Reconcile as Args};
use crate::image::short_name;
use crate::inbox::action::{Origin, Stamp};
use crate::reconcile::{self, Options, Report, Running};
use crate::render::json;
use crate::render::reconcile::{ReportView, table};

pub(super) fn run(args: &Args, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let standard_input = [Path::new("-").to_owned()];
    let files = if args.files.is_empty() { &standard_input[..] } else { &args.files };
    let inputs = files.iter().map(|file| open(file)).collect::<Result<Vec<_>, _>>()?;
    let running = Running::read_all(inputs).map_err(|error| Error::Message(error.to_string()))?;
    // Diun's list may be the first input of an inbox.
    let store = if running.listed.is_empty() || args.dry_run {
        session.open_existing()?
    } else {
        Some(session.open()?)
    };
    let Some(store) = store else { return Ok(Outcome::Negative) };
    let options = Options {
        hosts: args.host.clone(),
        provider: args.provider.clone(),
        is_complete: args.complete,
        is_dry: args.dry_run,
        acknowledges: args.acknowledged,
    };
    let stamp = Stamp { origin: Origin::Reconcile, ..session.stamp(None) };
    let report = match reconcile::against(&*store, &running, &options, &stamp) {
        Ok(report) => report,
        Err(reconcile::Error::Store(error)) => return Err(error.into()),
        Err(error) => return Err(Error::Message(error.to_string())),
    };
    match args.format {
        Format::Table if session.quiet => {
            for image in &report.reconciled.closed {
                print_name(out, image, false)?;
            }
        }
        Format::Table => {
            missed(&report, args.dry_run, session);
            if report.seen.is_empty() {
                return Ok(Outcome::Done);
            }
            table(out, &report, session.now, session.terminal)?;
            let did = if args.dry_run { "would close" } else { "closed" };
            let closed = count(report.reconciled.closed.len() as u64, "update");
            session.note(format_args!("{did} {closed}"));
        }
        Format::Json | Format::Ndjson => json::line(out, &ReportView::from(&report))?,
    }
    Ok(Outcome::Done)
}

/// Prints which events were missed.
fn missed(report: &Report, is_dry: bool, session: &Session) {
    let did = if is_dry { "would store" } else { "stored" };
    for image in &report.missed {
        session.note(format_args!("{did} an event of {} that was missed", short_name(image)));
    }
}

fn open(file: &Path) -> Result<Box<dyn Read>, Error> {
    if file == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin().lock())));
    }
    let opened = File::open(file).map_err(|error| Error::File {
        action: "read",
        path: file.to_owned(),
        error,
    })?;
    Ok(Box::new(BufReader::new(opened)))
}
