//! `/feed.atom`: what became pending, as [Atom](https://www.rfc-editor.org/rfc/rfc4287).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use form_urlencoded::Serializer;
use sha2::{Digest, Sha256};

use super::page::escape;
use super::response::{Answer, cached};
use super::route::Request;
use crate::image::short_name;
use crate::inbox::query::{Detail, Query};
use crate::inbox::time::rfc3339;
use crate::inbox::update::Update;
use crate::render::place::places;
use crate::render::terminal::{is_web, safe};
use crate::store::Store;

/// Entries of the feed.
const MOST: usize = 100;

/// The newest pending updates.
pub(super) fn get(request: &Request<'_>, store: &dyn Store) -> Answer {
    request.no_parameters()?;
    let pending = Query::pending(Utc::now());
    let updates = store.select(&Query { detail: Detail::Item, limit: Some(MOST), ..pending })?;
    // The time of the last change, not of the request: an unchanged feed has the same bytes.
    let newest = updates.iter().map(|update| update.since).max().unwrap_or(DateTime::UNIX_EPOCH);
    let entries: String = updates.iter().map(entry).collect();
    let feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
        <id>urn:diunbox:pending</id>\n<title>diunbox: pending updates</title>\n<updated>{}</updated>\n\
        <author><name>diunbox</name></author>\n<link rel=\"alternate\" href=\"./\"/>\n{entries}</feed>\n",
        rfc3339(newest)
    );
    Ok(cached(request.head, "application/atom+xml; charset=utf-8", feed.into_bytes()))
}

/// An entry for an image and its digest.
fn entry(update: &Update) -> String {
    let event = &update.event;
    let name = short_name(&event.image);
    let hub = event.hub_link.as_str();
    let link = if is_web(hub) {
        hub.to_owned()
    } else {
        format!("./?{}", Serializer::new(String::new()).append_pair("search", name).finish())
    };
    let hosts = update.needed().map(|place| place.hostname.as_str()).find(|host| !host.is_empty());
    let on = hosts.map(|host| format!(" on {host}")).unwrap_or_default();
    let tag = update.tag.as_ref().map(|tag| format!("<category term=\"{}\"/>\n", text(&tag.name)));
    format!(
        "<entry>\n<id>urn:diunbox:{}</id>\n<title>{} updated{}</title>\n<updated>{}</updated>\n\
        <link href=\"{}\"/>\n{}<summary>{}</summary>\n</entry>\n",
        identity(update),
        text(name),
        text(&on),
        rfc3339(update.since),
        text(&link),
        tag.unwrap_or_default(),
        text(&format!("{}; {}; {}", update.change_from(), places(update), event.digest)),
    )
}

/// The id of the entry, which is unique for an image and its digest.
fn identity(update: &Update) -> String {
    let mut hash = Sha256::new();
    hash.update(update.event.image.as_bytes());
    hash.update([0]);
    hash.update(update.event.digest.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&hash.finalize()[..16])
}

/// A text for XML, which cannot contain most control characters.
fn text(text: &str) -> String {
    escape(&safe(text))
}
