//! `diunbox tag`: the user's labels, by their names.

use std::io::Write;

use super::images::{Missing, read_words, resolve};
use super::{Error, Outcome, Session, complain, print_name};
use crate::cli::{Format, Tag as Args};
use crate::image::{ImageName, short_name};
use crate::inbox::update::{State, Tag};
use crate::render::{json, table};
use crate::store::{Store, no_tag};

pub(super) fn run(args: &Args, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    match args {
        Args::List { format } => list(*format, session, out),
        Args::Create { names } => create(names, session),
        Args::Delete { names } => {
            on_tags(names, session, |store, tag| Ok(found(store.delete_tag(tag.id)?)))
        }
        Args::Rename { from, to } => on_tags(std::slice::from_ref(from), session, |store, tag| {
            Ok(found(store.rename_tag(tag.id, to)?))
        }),
        Args::Assign { tag, images, note } => {
            on_tags(std::slice::from_ref(tag), session, |store, tag| {
                on_images(store, images, Some(tag.id), note.as_ref(), session)
            })
        }
        Args::Unassign { images, note } => {
            let Some(store) = session.open_existing()? else {
                return Ok(Outcome::Negative);
            };
            on_images(&*store, images, None, note.as_ref(), session)
        }
    }
}

fn list(format: Format, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let (tags, counts) = match session.open_existing()? {
        Some(store) => (store.list_tags()?, store.count_tagged()?),
        None => Default::default(),
    };
    match format {
        Format::Table if session.quiet => {
            for tag in &tags {
                print_name(out, &tag.name, false)?;
            }
        }
        Format::Table if tags.is_empty() => {
            session.note("there are no tags yet: `diunbox tag create` creates one");
        }
        Format::Table => {
            let count = |tag: &Tag| counts.get(&tag.id).copied().unwrap_or_default();
            table::tags(out, tags.iter().map(|tag| (tag, count(tag))), session.terminal)?;
        }
        Format::Json => json::array(out, &tags)?,
        Format::Ndjson => json::lines(out, &tags)?,
    }
    Ok(Outcome::Done)
}

fn create(names: &[String], session: &Session) -> Result<Outcome, Error> {
    let store = session.open()?;
    for name in names {
        store.create_tag(name)?;
    }
    Ok(Outcome::Done)
}

/// Runs an operation for each existing tag with one of these names.
fn on_tags(
    names: &[String],
    session: &Session,
    act: impl Fn(&dyn Store, &Tag) -> Result<Outcome, Error>,
) -> Result<Outcome, Error> {
    let Some(store) = session.open_existing()? else {
        return Ok(Outcome::Negative);
    };
    let tags = store.list_tags()?;
    let mut outcome = Outcome::Done;
    for name in names {
        if let Some(tag) = tags.iter().find(|tag| tag.name == *name) {
            outcome = outcome.max(act(&*store, tag)?);
        } else {
            complain(no_tag(name, tags.iter().map(|tag| tag.name.as_str())));
            outcome = Outcome::Negative;
        }
    }
    Ok(outcome)
}

/// Replaces or removes the tag of the images that words name. An image need not have an update.
fn on_images(
    store: &dyn Store,
    words: &[String],
    tag: Option<i64>,
    note: Option<&String>,
    session: &Session,
) -> Result<Outcome, Error> {
    let resolved = resolve(store, &read_words(words, false)?, &State::ALL)?;
    let mut outcome = Outcome::Done;
    let mut images: Vec<ImageName> = resolved.images.into_iter().map(|found| found.name).collect();
    for Missing { name, message, suggestion } in resolved.missing {
        if let Some(image) = name {
            let name = short_name(image.as_str());
            session.note(format_args!("there is no update of \"{name}\" yet{suggestion}"));
            images.push(image);
        } else {
            complain(message);
            outcome = Outcome::Negative;
        }
    }
    store.put_tag(&images, tag, &session.stamp(note.cloned()))?;
    Ok(outcome)
}

/// The outcome of an operation on a tag, which may just have been deleted.
fn found(found: bool) -> Outcome {
    if found { Outcome::Done } else { Outcome::Negative }
}
