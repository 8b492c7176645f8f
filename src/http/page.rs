//! `/`: the web page. Its files are embedded. The HTML contains the list, so that it can be read without
//! JavaScript; the script then loads the same from the API.

#![allow(clippy::unnecessary_wraps, reason = "all handlers have one form")]

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::context::Context;
use super::error::Error;
use super::response::{Answer, bytes, cached, with};
use super::route::Request;
use crate::image::{repository, short_name};
use crate::inbox::query::{Detail, Query};
use crate::inbox::update::{State, Update};
use crate::render::place::{places, progress};
use crate::render::terminal::safe;
use crate::render::time::{ago, date};

/// The type of the pages.
pub(super) const HTML: &str = "text/html; charset=utf-8";
/// The pages may load only their own style, script and pictures.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The number of updates in the HTML.
const ROWS: usize = 100;
/// The states in the order of their tabs.
const TABS: [State; 5] =
    [State::Pending, State::Snoozed, State::Superseded, State::Ignored, State::Acknowledged];

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = concat!(
    include_str!("page/api.js"),
    include_str!("page/list.js"),
    include_str!("page/dialog.js"),
    include_str!("page/live.js"),
    include_str!("page/main.js"),
);
const BODY: &str = include_str!("page/body.html");
const ICON: &str = include_str!("page/icon.svg");

/// The stylesheet.
pub(super) fn style(request: &Request<'_>, _: &Arc<Context>) -> Answer {
    file(request, "text/css; charset=utf-8", STYLE.to_owned())
}

/// The script.
pub(super) fn script(request: &Request<'_>, _: &Arc<Context>) -> Answer {
    file(request, "text/javascript; charset=utf-8", SCRIPT.to_owned())
}

/// The icon.
pub(super) fn icon(request: &Request<'_>, _: &Arc<Context>) -> Answer {
    file(request, "image/svg+xml", ICON.replace(" class=\"dot\"", " display=\"none\""))
}

/// The icon while something is new.
pub(super) fn icon_new(request: &Request<'_>, _: &Arc<Context>) -> Answer {
    file(request, "image/svg+xml", ICON.to_owned())
}

fn file(request: &Request<'_>, content_type: &'static str, text: String) -> Answer {
    Ok(with(
        cached(request.head, content_type, text.into_bytes()),
        &[("X-Content-Type-Options", "nosniff")],
    ))
}

/// The page with the updates that its parameters select.
pub(super) fn index(request: &Request<'_>, context: &Arc<Context>) -> Answer {
    let now = Utc::now();
    let mut query = Query { detail: Detail::Item, ..Query::all(now) };
    for (name, value) in request.parameters() {
        // Empty fields of the form are ignored, as are the parameters that only the script uses.
        if !value.is_empty() && ["state", "search", "host", "tag", "sort"].contains(&&*name) {
            query.set(&name, &value).map_err(|error| Error::new(400, error))?;
        }
    }
    if query.states.is_empty() {
        query.states = vec![State::Pending];
    }
    query.limit = Some(ROWS);
    let counts = context.store.count(now)?;
    let updates = context.store.select(&query)?;
    let oldest = counts.oldest_pending.map(|oldest| format!(", oldest {}", ago(oldest, now)));
    let tabs = TABS.map(|state| {
        let current = if query.states == [state] { " aria-current=\"page\"" } else { "" };
        let name = state.name();
        format!("<a href=\"?state={name}\"{current}>{} <span></span></a>", capital(name))
    });
    let search = query.search.as_deref().unwrap_or_default();
    let body = fill(
        BODY,
        &[
            ("summary", &format!("{} pending{}", counts.pending, oldest.unwrap_or_default())),
            ("search", &escape(search)),
            ("tabs", &tabs.concat()),
            ("rows", &table(&updates, now)),
            ("logout", if context.access.tokens.is_some() { "" } else { " hidden" }),
        ],
    );
    let title = format!("({}) diunbox", counts.pending);
    let head = "<script src=\"script.js\" defer></script>\
        <link rel=\"alternate\" type=\"application/atom+xml\" title=\"diunbox\" href=\"feed.atom\">";
    Ok(page(request, document(&title, head, &body)))
}

/// Fills in a template in one pass, as values may contain `{{…}}` themselves.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut parts = template.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or(("", part));
        let value = values.iter().find(|(known, _)| *known == name);
        filled.push_str(value.map_or("", |(_, value)| value));
        filled.push_str(rest);
    }
    filled
}

fn page(request: &Request<'_>, text: String) -> tiny_http::ResponseBox {
    let answer = cached(request.head, HTML, text.into_bytes());
    secured(answer)
}

/// The headers of every page.
pub(super) fn secured(answer: tiny_http::ResponseBox) -> tiny_http::ResponseBox {
    with(
        answer,
        &[
            ("Content-Security-Policy", POLICY),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
        ],
    )
}

/// A whole document.
pub(super) fn document(title: &str, head: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
        <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
        <meta name=\"color-scheme\" content=\"light dark\">\
        <link rel=\"stylesheet\" href=\"style.css\"><link rel=\"icon\" id=\"icon\" href=\"icon.svg\">{head}\
        </head><body>{body}</body></html>\n"
    )
}

/// Makes a browser request the page again: it sends no cookie when it follows a link of another site.
pub(super) fn again(_: &Request<'_>, _: &Arc<Context>) -> Answer {
    let text = document("diunbox", "<meta http-equiv=\"refresh\" content=\"0\">", "");
    Ok(secured(with(bytes(200, HTML, text.into_bytes()), &[("Cache-Control", "no-store")])))
}

/// Since when an update is there, and until when it is snoozed.
fn times(update: &Update, now: DateTime<Utc>) -> String {
    let since = ago(update.since, now);
    match update.snooze_end() {
        Some(end) => format!("{since}, until {}", date(end)),
        None => since,
    }
}

/// The updates as plain HTML.
fn table(updates: &[Update], now: DateTime<Utc>) -> String {
    if updates.is_empty() {
        return "<p class=\"empty\">Nothing here.</p>".to_owned();
    }
    let row = |update: &Update| {
        let image = &update.event.image;
        let (name, repository) = (short_name(image), short_name(repository(image)));
        let rest = name.strip_prefix(repository).unwrap_or_default();
        let tag = update.tag.as_ref().map(|tag| tag.name.as_str()).unwrap_or_default();
        format!(
            "<tr><th scope=\"row\"><bdi><span class=\"dim\">{}</span>{}</bdi></th><td>{}</td><td>{}</td>\
            <td>{}</td><td>{}</td></tr>",
            text(repository),
            text(rest),
            update.change.name(),
            text(&(places(update) + &progress(update))),
            times(update, now),
            text(tag),
        )
    };
    let more = if updates.len() == ROWS {
        format!("<p>These are the first {ROWS}.</p>")
    } else {
        String::new()
    };
    format!(
        "<table><thead><tr><th>Image</th><th>Change</th><th>Where</th><th>Since</th><th>Tag</th></tr></thead>\
        <tbody>{}</tbody></table>{more}",
        updates.iter().map(row).collect::<String>()
    )
}

/// A text of an event as HTML.
fn text(text: &str) -> String {
    escape(&safe(text))
}

/// A text as HTML or XML.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character => escaped.push(character),
        }
    }
    escaped
}

fn capital(text: &str) -> String {
    text[..1].to_ascii_uppercase() + &text[1..]
}
