//! `diunbox show`: one update in full.

use std::io::Write;

use chrono::Utc;

use super::images::{read_words, resolve};
use super::{Error, Outcome, Session, complain};
use crate::cli::{Format, Show};
use crate::image::short_name;
use crate::inbox::history::{HISTORY, Page};
use crate::inbox::update::State;
use crate::render::{json, page};

pub(super) fn run(args: &Show, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let Some(store) = session.open_existing()? else {
        return Ok(Outcome::Negative);
    };
    let words = read_words(std::slice::from_ref(&args.image), false)?;
    let resolved = resolve(&*store, &words, &State::ALL)?;
    for missing in &resolved.missing {
        complain(&missing.message);
    }
    let image = match resolved.images.as_slice() {
        [] => return Ok(Outcome::Negative),
        [image] => &image.name,
        [first, second, ..] => {
            return Err(Error::Message(format!(
                "\"{}\" matches {} images, such as \"{}\" and \"{}\": name one of them",
                args.image,
                resolved.images.len(),
                short_name(first.name.as_str()),
                short_name(second.name.as_str()),
            )));
        }
    };
    // It may just have been pruned.
    let now = Utc::now();
    let Some(update) = store.get_update(image, now)? else {
        return Ok(Outcome::Negative);
    };
    let digests = store.digests(image)?;
    let history =
        store.history(&Page { image: Some(image.clone()), before: None, limit: HISTORY })?;
    match args.format {
        Format::Table => page::update(out, &update, &digests, &history, now, session.terminal)?,
        Format::Json | Format::Ndjson => {
            json::line(out, &json::UpdateView::in_full(&update, &digests, &history))?;
        }
    }
    Ok(Outcome::Done)
}
