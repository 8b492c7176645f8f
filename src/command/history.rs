//! `diunbox history`: what was decided.

use std::io::Write;

use super::{Error, Outcome, Session};
use crate::cli::{Format, History};
use crate::image::ImageName;
use crate::inbox::history::Page;
use crate::render::history::{EntryView, table};
use crate::render::json;

pub(super) fn run(
    args: &History,
    session: &Session,
    out: &mut impl Write,
) -> Result<Outcome, Error> {
    let image = args.image.as_deref().map(ImageName::new).transpose().map_err(Error::Message)?;
    let entries = match session.open_existing()? {
        Some(store) => store.history(&Page { image, before: None, limit: args.limit })?,
        None => Vec::new(),
    };
    match args.format {
        Format::Table if entries.is_empty() => session.note("nothing was decided yet"),
        Format::Table => table(out, &entries, session.now, session.terminal)?,
        Format::Json => json::array(out, entries.iter().map(EntryView::from))?,
        Format::Ndjson => json::lines(out, entries.iter().map(EntryView::from))?,
    }
    Ok(Outcome::Done)
}
