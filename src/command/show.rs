//! `diunbox show`: one update in full.

use std::io::Write;

use chrono::Utc;

use super::images::resolve;
use super::{Error, Outcome, Session, complain};
use crate::cli::{Format, Show};
use crate::image::short_name;
use crate::render::{json, page};
use crate::store::Store;

pub(super) fn run(args: &Show, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let Some(store) = session.open_existing()? else {
        return Ok(Outcome::Negative);
    };
    let resolved = resolve(&store, std::slice::from_ref(&args.image))?;
    for missing in &resolved.missing {
        complain(&missing.message);
    }
    let image = match resolved.images.as_slice() {
        [] => return Ok(Outcome::Negative),
        [image] => image,
        [first, second, ..] => {
            return Err(Error::Usage(format!(
                "\"{}\" matches {} images, such as \"{}\" and \"{}\": name one of them",
                args.image,
                resolved.images.len(),
                short_name(first),
                short_name(second),
            )));
        }
    };
    // It may have been pruned this moment.
    let Some(update) = store.get_update(image)? else {
        return Ok(Outcome::Negative);
    };
    let reports = store.get_reports(image)?;
    match args.format {
        Format::Table => page::update(out, &update, &reports, Utc::now(), session.terminal)?,
        Format::Json | Format::Ndjson => {
            json::line(out, &json::UpdateView::with_reports(&update, &reports))?;
        }
    }
    Ok(Outcome::Done)
}
