//! `/api/updates`: the updates, and acknowledging them.

use std::io::{self, Read};
use std::sync::Arc;

use super::budget::Share;
use super::context::Context;
use super::error::Error;
use super::limits::{Class, FREE_MEMORY};
use super::response::{Answer, bytes, empty, json, stream};
use super::route::Request;
use crate::filter::Filter;
use crate::render::json::{UpdateView, entry};
use crate::store::{State, Store};

const JSON: &str = "application/json";
/// Updates that are read at a time. The store returns fewer where they are large.
const PAGE: usize = 64;

/// The updates as a map by image: `?acknowledged=`, `?tag=` and `?host=` filter.
pub(super) fn list(request: &Request<'_>, context: &Arc<Context>) -> Answer {
    let state = match request.parameter("acknowledged").as_deref() {
        None => State::All,
        Some("true" | "1") => State::Acknowledged,
        Some("false" | "0") => State::Pending,
        Some(_) => return Err(Error::new(400, "`acknowledged` is neither true nor false")),
    };
    let filter = Filter {
        state,
        tags: request.parameter("tag").into_iter().collect(),
        hosts: request.parameter("host").into_iter().collect(),
        ..Filter::default()
    };
    let mut pages = Pages {
        context: Arc::clone(context),
        memory: context.capacity.answers.share(),
        filter,
        after: Some(String::new()),
        text: b"{".to_vec(),
        sent: 0,
        is_first: true,
    };
    // The first pages tell whether the store answers, and a short answer has a length.
    while pages.after.is_some() && pages.text.len() < FREE_MEMORY {
        pages.next()?;
    }
    Ok(if pages.after.is_none() { bytes(200, JSON, pages.text) } else { stream(JSON, pages) })
}

/// The map, a page at a time: a client that does not read holds no transaction, no permit and no
/// more than one page.
struct Pages {
    context: Arc<Context>,
    /// What `text` takes.
    memory: Share,
    filter: Filter,
    /// The last image that was read; `None` after the last page.
    after: Option<String>,
    text: Vec<u8>,
    sent: usize,
    is_first: bool,
}

impl Pages {
    /// Appends a page to the text.
    fn next(&mut self) -> Result<(), Error> {
        let Some(after) = &self.after else { return Ok(()) };
        let page = self.context.store.updates_after(self.filter.state, after, PAGE)?;
        self.after = page.last().map(|update| update.event.image.clone());
        for update in page.iter().filter(|update| self.filter.matches(*update)) {
            if !std::mem::take(&mut self.is_first) {
                self.text.push(b',');
            }
            // Writing to memory does not fail.
            let _ = entry(&mut self.text, update);
        }
        if self.after.is_none() {
            self.text.extend(b"}\n");
        }
        if self.memory.resize(self.text.len()) {
            return Ok(());
        }
        Err(Error::unavailable("too many long answers at once: try again", "1"))
    }
}

impl Read for Pages {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.sent == self.text.len() && self.after.is_some() {
            self.sent = 0;
            self.text.clear();
            let permit = self.context.capacity.take(Class::Read, &self.context.limits);
            let _permit = permit.ok_or(io::ErrorKind::TimedOut)?;
            self.next().map_err(|error| io::Error::other(error.message))?;
        }
        let read = (&self.text[self.sent..]).read(buffer)?;
        self.sent += read;
        Ok(read)
    }
}

/// One update, with its reports.
pub(super) fn show(request: &Request<'_>, store: &dyn Store) -> Answer {
    let image = request.rest;
    let update = store.get_update(image)?.ok_or_else(|| unknown(image))?;
    let reports = store.get_reports(image)?;
    Ok(json(200, &UpdateView::with_reports(&update, &reports)))
}

/// Acknowledges an update.
pub(super) fn acknowledge(request: &Request<'_>, store: &dyn Store) -> Answer {
    let found = store.acknowledge_update(request.rest)?;
    if found { Ok(empty(204)) } else { Err(unknown(request.rest)) }
}

fn unknown(image: &str) -> Error {
    Error::new(404, format_args!("there is no update of \"{image}\": give the image's full name"))
}
