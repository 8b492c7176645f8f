//! `/api/updates`: the updates, and acknowledging them.

use std::io::{self, Read};
use std::sync::Arc;

use chrono::Utc;
use serde::Deserialize;

use super::budget::Share;
use super::context::Context;
use super::error::Error;
use super::limits::{Class, FREE_MEMORY};
use super::response::{Answer, bytes, empty, json, stream};
use super::route::Request;
use crate::image::ImageName;
use crate::inbox::action::{Action, Kind, Reason};
use crate::inbox::history::{HISTORY, Page};
use crate::inbox::query::{Cursor, Query, Sort, Wanted};
use crate::render::json::{UpdateView, entry};
use crate::store::Store;

const JSON: &str = "application/json";
/// The size that a page of text should have, in bytes. The number of updates per page is adapted to it.
const TARGET: usize = 64 * 1024;

/// The updates as a map by image, in every state unless `state` says otherwise.
pub(super) fn list(request: &Request<'_>, context: &Arc<Context>) -> Answer {
    // The first update shows how long updates are.
    let by_image = Query { sort: Sort::Image, limit: Some(1), ..Query::all(Utc::now()) };
    let except = ["sort", "reverse", "limit", "after", "as_of"];
    let mut pages = Pages {
        query: request.query(by_image, &except, &*context.store)?,
        context: Arc::clone(context),
        memory: context.capacity.answers.share(),
        has_more: true,
        text: b"{".to_vec(),
        sent: 0,
        is_first: true,
    };
    // The first pages are read before the answer begins: the store may fail, and a short answer gets a length.
    while pages.has_more && pages.text.len() < FREE_MEMORY {
        pages.next()?;
    }
    Ok(if pages.has_more { stream(JSON, pages) } else { bytes(200, JSON, pages.text) })
}

/// Reads the map page by page. A client that does not read holds no transaction, no permit, and one page at most.
struct Pages {
    context: Arc<Context>,
    /// The share of the memory budget that `text` takes.
    memory: Share,
    /// The query for the remaining pages.
    query: Query,
    has_more: bool,
    text: Vec<u8>,
    sent: usize,
    is_first: bool,
}

impl Pages {
    /// Appends a page to the text.
    fn next(&mut self) -> Result<(), Error> {
        let page = self.context.store.select(&self.query)?;
        let limit = self.query.limit.unwrap_or(1);
        self.has_more = page.len() == limit;
        let start = self.text.len();
        for update in &page {
            if !std::mem::take(&mut self.is_first) {
                self.text.push(b',');
            }
            // Writing to memory cannot fail.
            let _ = entry(&mut self.text, update);
        }
        let length = (self.text.len() - start).max(1);
        self.query.limit = Some((limit * TARGET / length).clamp(1, 256));
        self.query.after =
            page.last().map(|update| Cursor { since: 0, image: update.event.image.clone() });
        if !self.has_more {
            self.text.extend(b"}\n");
        }
        if self.memory.resize(self.text.len()) {
            return Ok(());
        }
        Err(Error::unavailable("too many large responses at once: try again", "1"))
    }
}

impl Read for Pages {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.sent == self.text.len() && self.has_more {
            self.sent = 0;
            self.text.clear();
            self.text.shrink_to(TARGET);
            let permit = self.context.capacity.take(Class::Read, &self.context.limits);
            let _permit = permit.ok_or(io::ErrorKind::TimedOut)?;
            self.next().map_err(|error| io::Error::other(error.message))?;
        }
        let read = (&self.text[self.sent..]).read(buffer)?;
        self.sent += read;
        Ok(read)
    }
}

/// One update in full.
pub(super) fn show(request: &Request<'_>, store: &dyn Store) -> Answer {
    let image = request.image()?;
    let update = store.get_update(&image, Utc::now())?.ok_or_else(|| unknown(&image))?;
    let digests = store.digests(&image)?;
    let history =
        store.history(&Page { image: Some(image.clone()), before: None, limit: HISTORY })?;
    Ok(json(200, &UpdateView::in_full(&update, &digests, &history)))
}

/// Acknowledges an update, or reopens it with `{"acknowledged": false}`. `If-Match` names the digest
/// that the client knows.
pub(super) fn patch(request: &Request<'_>, store: &dyn Store) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(default = "yes")]
        acknowledged: bool,
    }
    fn yes() -> bool {
        true
    }
    let expected = "{\"acknowledged\": true} or {\"acknowledged\": false}";
    let is_empty = request.body.trim_ascii().is_empty();
    let body = if is_empty { Body { acknowledged: true } } else { request.json(expected)? };
    let image = request.image()?;
    let digest = request.head.header("if-match").map(|digest| digest.trim_matches('"').to_owned());
    let images = vec![Wanted::Exact(image.clone(), digest.filter(|digest| digest != "*"))];
    let now = Utc::now();
    let receipt = store.act(&Action {
        kind: if body.acknowledged { Kind::Acknowledge } else { Kind::Reopen },
        query: Query { images, ..Query::all(now) },
        hosts: Vec::new(),
        stamp: request.caller.stamp(None),
    })?;
    match receipt.left.first().map(|left| &left.reason) {
        None | Some(Reason::Pending) => Ok(empty(204)),
        Some(Reason::Missing) => Err(unknown(&image)),
        Some(reason @ Reason::Digest(_)) => Err(Error::new(412, format_args!("{image}: {reason}"))),
        Some(reason) => Err(Error::new(409, format_args!("{image}: {reason}"))),
    }
}

fn unknown(image: &ImageName) -> Error {
    Error::new(404, format_args!("there is no update of \"{image}\""))
}
