//! `diunbox ignore`: patterns of images that never become pending.

use std::io::Write;

use super::{Error, Outcome, Session, complain, count, print_name};
use crate::cli::{Format, Ignore as Args};
use crate::image::ImagePattern;
use crate::render::history::{IgnoreView, ignores};
use crate::render::json;

pub(super) fn run(args: &Args, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    match args {
        Args::Add { patterns, note } => add(patterns, note.as_ref(), session, out),
        Args::List { format } => list(*format, session, out),
        Args::Remove { patterns, note } => remove(patterns, note.as_ref(), session, out),
    }
}

fn add(
    patterns: &[String],
    note: Option<&String>,
    session: &Session,
    out: &mut impl Write,
) -> Result<Outcome, Error> {
    let patterns = patterns.iter().map(|pattern| ImagePattern::new(pattern));
    let patterns: Vec<_> = patterns.collect::<Result<_, _>>().map_err(Error::Message)?;
    let store = session.open()?;
    for pattern in &patterns {
        match store.ignore(pattern, &session.stamp(note.cloned()))? {
            Some(receipt) if !session.quiet => {
                writeln!(
                    out,
                    "{}: hides {}",
                    pattern.as_str(),
                    count(receipt.images.len() as u64, "image")
                )?;
            }
            Some(_) => {}
            None => session.note(format_args!("{} is ignored already", pattern.as_str())),
        }
    }
    Ok(Outcome::Done)
}

fn remove(
    patterns: &[String],
    note: Option<&String>,
    session: &Session,
    out: &mut impl Write,
) -> Result<Outcome, Error> {
    let Some(store) = session.open_existing()? else {
        return Ok(Outcome::Negative);
    };
    let mut outcome = Outcome::Done;
    for pattern in patterns {
        match store.unignore(pattern, &session.stamp(note.cloned()))? {
            Some(receipt) if !session.quiet => {
                writeln!(out, "{pattern}: hid {}", count(receipt.images.len() as u64, "image"))?;
            }
            Some(_) => {}
            None => {
                complain(format_args!("no pattern {pattern}: `diunbox ignore list` lists them"));
                outcome = Outcome::Negative;
            }
        }
    }
    Ok(outcome)
}

fn list(format: Format, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let patterns = match session.open_existing()? {
        Some(store) => store.ignores()?,
        None => Vec::new(),
    };
    match format {
        Format::Table if session.quiet => {
            for ignore in &patterns {
                print_name(out, &ignore.pattern, false)?;
            }
        }
        Format::Table if patterns.is_empty() => session.note("no image is ignored"),
        Format::Table => ignores(out, &patterns, session.now, session.terminal)?,
        Format::Json => json::array(out, patterns.iter().map(IgnoreView::from))?,
        Format::Ndjson => json::lines(out, patterns.iter().map(IgnoreView::from))?,
    }
    Ok(Outcome::Done)
}
