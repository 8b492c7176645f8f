//! `/api/ignores`: patterns of images that never become pending.

use serde::Deserialize;

use super::error::Error;
use super::response::{Answer, json};
use super::route::Request;
use crate::image::ImagePattern;
use crate::inbox::action::Receipt;
use crate::render::history::IgnoreView;
use crate::store::Store;

/// The patterns, from A to Z.
pub(super) fn list(request: &Request<'_>, store: &dyn Store) -> Answer {
    request.no_parameters()?;
    let ignores = store.ignores()?;
    Ok(json(200, &ignores.iter().map(IgnoreView::from).collect::<Vec<_>>()))
}

/// Adds a pattern: `{"pattern": …}`. One that is there already hides nothing more.
pub(super) fn add(request: &Request<'_>, store: &dyn Store) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        pattern: String,
        note: Option<String>,
    }
    let body: Body = request.json("{\"pattern\": \u{2026}, \"note\": \u{2026}}")?;
    let pattern = ImagePattern::new(&body.pattern);
    let pattern = pattern.map_err(|error| Error::new(400, format_args!("`pattern`: {error}")))?;
    let stamp = request.caller.stamp(body.note);
    match store.ignore(&pattern, &stamp)? {
        Some(receipt) => Ok(json(201, &receipt)),
        None => Ok(json(200, &Receipt::default())),
    }
}

/// Removes a pattern: `{"pattern": …}`.
pub(super) fn remove(request: &Request<'_>, store: &dyn Store) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        pattern: String,
    }
    let body: Body = request.json("{\"pattern\": \u{2026}}")?;
    let receipt = store.unignore(&body.pattern, &request.caller.stamp(None))?;
    let unknown = || Error::new(404, format_args!("no such pattern: {}", body.pattern));
    Ok(json(200, &receipt.ok_or_else(unknown)?))
}
