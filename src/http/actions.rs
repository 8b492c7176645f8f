//! `/api/actions`, `/api/actions/undo` and `/api/history`.

use chrono::Utc;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::error::Error;
use super::response::{Answer, json};
use super::route::{Request, require_tags, unknown_parameter};
use crate::image::ImageName;
use crate::inbox::action::{Action, Kind};
use crate::inbox::history::Page;
use crate::inbox::query::{Query, Wanted};
use crate::inbox::until;
use crate::render::history::EntryView;
use crate::store::Store;

/// The default number of actions on a page of the history.
const PAGE: usize = 50;
/// The largest number of actions on a page.
const MOST: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    action: Name,
    images: Option<Vec<Image>>,
    query: Option<Map<String, Value>>,
    until: Option<String>,
    #[serde(rename = "for")]
    for_: Option<String>,
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    tag_id: TagId,
    note: Option<String>,
}

/// A tag's id or `null`. The outer `None` means that the field is missing.
#[derive(Default, PartialEq, Eq)]
enum TagId {
    #[default]
    Missing,
    Given(Option<i64>),
}

impl<'de> Deserialize<'de> for TagId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::Given)
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Name {
    Acknowledge,
    Reopen,
    Snooze,
    Tag,
}

/// A name, or a name with the digest that the client has seen.
#[derive(Deserialize)]
#[serde(untagged)]
enum Image {
    Name(String),
    Seen { image: String, digest: String },
}

/// Applies an action.
pub(super) fn act(request: &Request<'_>, store: &dyn Store) -> Answer {
    let body: Body = request.json(
        "{\"action\": \"acknowledge\", \"reopen\", \"snooze\" or \"tag\", and \"images\": [\u{2026}] or \"query\": {\u{2026}}}",
    )?;
    let now = Utc::now();
    let refuse = |message: String| Error::new(400, message);
    if body.action == Name::Tag {
        return tag(request, body, store);
    }
    let kind = match (body.action, &body.until, &body.for_) {
        (Name::Acknowledge, None, None) => Kind::Acknowledge,
        (Name::Reopen, None, None) => Kind::Reopen,
        (Name::Snooze, Some(until), None) => {
            Kind::Snooze(until::date(until, now).map_err(|e| refuse(format!("`until`: {e}")))?)
        }
        (Name::Snooze, None, Some(age)) => {
            Kind::Snooze(until::after(age, now).map_err(|e| refuse(format!("`for`: {e}")))?)
        }
        (Name::Snooze, ..) => return Err(Error::new(400, "snooze needs `until` or `for`")),
        _ if body.tag_id != TagId::Missing => {
            return Err(Error::new(400, "`tag_id` is for tag only"));
        }
        _ => return Err(Error::new(400, "`until` and `for` are for snooze only")),
    };
    if kind != Kind::Acknowledge && !body.hosts.is_empty() {
        return Err(Error::new(400, "`hosts` is for acknowledge only"));
    }
    let stamp = request.caller.stamp(body.note);
    let action = match (body.images, body.query) {
        (Some(images), None) => {
            let images = images.into_iter().map(wanted).collect::<Result<_, _>>();
            let query = Query { images: images.map_err(refuse)?, ..Query::all(now) };
            if query.images.is_empty() {
                return Err(Error::new(400, "`images` is empty"));
            }
            Action { kind, query, hosts: body.hosts, stamp }
        }
        (None, Some(filters)) => {
            let query = query(&filters, now).map_err(refuse)?;
            require_tags(&query, store)?;
            let mut action = Action::on_all(kind, query, stamp).map_err(refuse)?;
            action.hosts.extend(body.hosts);
            action
        }
        _ => return Err(Error::new(400, "give either `images` or `query`")),
    };
    Ok(json(200, &store.act(&action)?))
}

/// Replaces or removes the tag of images.
fn tag(request: &Request<'_>, body: Body, store: &dyn Store) -> Answer {
    let refuse = |message: &str| Err(Error::new(400, message));
    let TagId::Given(tag) = body.tag_id else {
        return refuse("tag needs `tag_id`: a tag's id, or null");
    };
    if body.until.is_some() || body.for_.is_some() || !body.hosts.is_empty() {
        return refuse("`until`, `for` and `hosts` are not for tag");
    }
    let images = match (body.images, body.query) {
        (Some(images), None) => images.into_iter().map(Image::name).collect::<Vec<_>>(),
        (None, Some(filters)) => {
            let query = query(&filters, Utc::now()).map_err(|error| Error::new(400, error))?;
            require_tags(&query, store)?;
            store.select_images(&query)?
        }
        _ => return refuse("give either `images` or `query`"),
    };
    let names = images.iter().map(|image| ImageName::new(image)).collect::<Result<Vec<_>, _>>();
    let names = names.map_err(|error| Error::new(400, error))?;
    Ok(json(200, &store.put_tag(&names, tag, &request.caller.stamp(body.note))?))
}

impl Image {
    fn name(self) -> String {
        match self {
            Self::Name(image) | Self::Seen { image, .. } => image,
        }
    }
}

fn wanted(image: Image) -> Result<Wanted, String> {
    match image {
        Image::Name(name) => Wanted::exact(&name),
        Image::Seen { image, digest } => {
            ImageName::new(&image).map(|name| Wanted::Exact(name, Some(digest)))
        }
    }
}

/// The filters of `GET /api/updates` as a JSON object. A list repeats a filter.
fn query(filters: &Map<String, Value>, now: chrono::DateTime<Utc>) -> Result<Query, String> {
    let mut query = Query::all(now);
    for (name, value) in filters {
        if ["sort", "reverse", "limit", "after"].contains(&name.as_str()) {
            return Err(format!("`{name}` is not a filter"));
        }
        let values = match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in values {
            match value {
                Value::String(text) => query.set(name, text)?,
                Value::Bool(_) | Value::Number(_) => query.set(name, &value.to_string())?,
                _ => return Err(format!("`{name}` is not a text or a list of texts")),
            }
        }
    }
    Ok(query)
}

/// Takes back the action of `{"id": …}`, or else the caller's last one.
pub(super) fn undo(request: &Request<'_>, store: &dyn Store) -> Answer {
    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Body {
        id: Option<i64>,
        note: Option<String>,
    }
    let is_empty = request.body.trim_ascii().is_empty();
    let body: Body = if is_empty { Body::default() } else { request.json("{\"id\": \u{2026}}")? };
    let stamp = request.caller.stamp(body.note);
    match store.undo(body.id, &stamp)? {
        Some(receipt) => Ok(json(200, &receipt)),
        None => Err(Error::new(404, "no such action")),
    }
}

/// What was decided, newest first: `?image=`, `?limit=`, and `?before=` with what `next` says.
pub(super) fn history(request: &Request<'_>, store: &dyn Store) -> Answer {
    let mut page = Page { image: None, before: None, limit: PAGE };
    for (name, value) in request.parameters() {
        let number = || Error::new(400, format_args!("`{name}` is not a number"));
        match &*name {
            "image" => {
                let image = ImageName::new(&value).map_err(|error| Error::new(400, error))?;
                page.image = Some(image);
            }
            "before" => page.before = Some(value.parse().map_err(|_| number())?),
            "limit" => page.limit = value.parse().map_err(|_| number())?,
            _ => return Err(unknown_parameter(&name)),
        }
    }
    if !(1..=MOST).contains(&page.limit) {
        return Err(Error::new(400, format_args!("`limit` is not between 1 and {MOST}")));
    }
    let entries = store.history(&page)?;
    let next = entries.last().filter(|_| entries.len() == page.limit).map(|entry| entry.id);
    let actions: Vec<EntryView<'_>> = entries.iter().map(EntryView::from).collect();
    Ok(json(200, &json!({ "actions": actions, "next": next })))
}
