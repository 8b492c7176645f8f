//! The route table: path, method, handler and description.

use std::sync::Arc;

use tiny_http::Method::{self, Delete, Get, Patch, Post, Put};

use super::auth::Scope;
use super::context::Context;
use super::limits::Class::{self, Event, Health, Login, Read, Write};
use super::openapi::doc::{Doc, FILTERS, FROM, HISTORY, LOGIN, PAGES, RUNNING_OPTIONS, VIEW};
use super::response::Answer;
use super::route::Request;
use super::{
    actions, assignments, bulk, changes, feed, health, ignores, inbox, login, metrics, openapi,
    page, ping, running, summary, tags, updates, webhook,
};
use crate::store::Store;

/// A handler. Most need only the store.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    Store(fn(&Request<'_>, &dyn Store) -> Answer),
    Context(fn(&Request<'_>, &Arc<Context>) -> Answer),
}

use Handler::{Context as WithContext, Store as WithStore};

/// A path, a method, and their handler. HEAD is answered as GET, without the body.
pub(super) struct Route {
    pub(super) path: &'static str,
    pub(super) method: Method,
    pub(super) class: Class,
    pub(super) handler: Handler,
    pub(super) doc: Doc,
}

const fn row(
    path: &'static str,
    method: Method,
    class: Class,
    handler: Handler,
    doc: Doc,
) -> Route {
    Route { path, method, class, handler, doc }
}

/// Where Diun sends events.
pub(super) const WEBHOOK: &str = "/webhook";
/// Where hosts say what they run.
pub(super) const RUNNING: &str = "/api/running";
/// The page.
pub(super) const PAGE: &str = "";
/// The paths that need no token.
const OPEN: [&str; 6] =
    ["/healthz", "/login", "/logout", "/style.css", "/icon.svg", "/icon-new.svg"];

/// All routes. A path that ends in `{…}` matches every longer path.
#[rustfmt::skip] // a table
pub(super) static ROUTES: &[Route] = &[
    row(WEBHOOK, Get, Event, WithContext(webhook::take),
        Doc::new("What Diun sends by default: GET with the event as its body. Without a body it says how to configure Diun").answers(&[(204, ""), (405, "Error")])),
    row(WEBHOOK, Post, Event, WithContext(webhook::take),
        Doc::new("Stores an event. It is durable when it is answered").body("Event").answers(&[(204, "")])),
    row(WEBHOOK, Put, Event, WithContext(webhook::take),
        Doc::new("The same").body("Event").answers(&[(204, "")])),
    row("/api/inbox", Get, Read, WithStore(inbox::get),
        Doc::new("Updates in order and in pages, small and flat; the pending ones unless `state` says otherwise")
            .parameters(&[FILTERS, PAGES]).answers(&[(200, "Page")])),
    row("/api/updates", Get, Read, WithContext(updates::list),
        Doc::new("Updates as a map by image, in every state unless `state` says otherwise")
            .parameters(&[FILTERS]).answers(&[(200, "Updates")])),
    row("/api/updates/{image}", Get, Read, WithStore(updates::show),
        Doc::new("An update in full. The image is the rest of the path, slashes and all, percent-encoded or not")
            .answers(&[(200, "Update"), (404, "Error")])),
    row("/api/updates/{image}", Patch, Write, WithStore(updates::patch),
        Doc::new("Acknowledges an update, or reopens it. With `If-Match: \"DIGEST\"` only while that is its digest")
            .optional_body("Acknowledged").answers(&[(204, ""), (404, "Error"), (409, "Error"), (412, "Error")])),
    row("/api/updates/acknowledge-all", Post, Write, WithStore(bulk::all),
        Doc::new("Acknowledges every pending update").answers(&[(200, "Count")])),
    row("/api/updates/acknowledge-by-tag", Post, Write, WithStore(bulk::by_tag),
        Doc::new("Acknowledges the pending updates with a tag").body("ByTag").answers(&[(200, "Count"), (404, "Error")])),
    row("/api/actions", Post, Write, WithStore(actions::act),
        Doc::new("Acknowledges, reopens, snoozes or tags updates: those that are named, or all that a query selects")
            .body("Action").answers(&[(200, "Receipt"), (404, "Error")])),
    row("/api/actions/undo", Post, Write, WithStore(actions::undo),
        Doc::new("Takes back an action, or else the caller's last one")
            .optional_body("Undo").answers(&[(200, "Receipt"), (404, "Error"), (409, "Error")])),
    row("/api/history", Get, Read, WithStore(actions::history),
        Doc::new("What was decided, newest first").parameters(&[HISTORY]).answers(&[(200, "History")])),
    row("/api/ignores", Get, Read, WithStore(ignores::list),
        Doc::new("The patterns of images that never become pending").answers(&[(200, "Ignores")])),
    row("/api/ignores", Post, Write, WithStore(ignores::add),
        Doc::new("Adds a pattern; 200 if it is there already").body("Ignore").answers(&[(200, "Receipt"), (201, "Receipt")])),
    row("/api/ignores", Delete, Write, WithStore(ignores::remove),
        Doc::new("Removes a pattern").body("Pattern").answers(&[(200, "Receipt"), (404, "Error")])),
    row("/api/tags", Get, Read, WithStore(tags::list),
        Doc::new("The tags, ordered by name").answers(&[(200, "Tags")])),
    row("/api/tags", Post, Write, WithStore(tags::create),
        Doc::new("Creates a tag").body("Name").answers(&[(201, "Tag"), (409, "Error")])),
    row("/api/tags/{id}", Patch, Write, WithStore(tags::rename),
        Doc::new("Renames a tag").body("Name").answers(&[(204, ""), (404, "Error"), (409, "Error")])),
    row("/api/tags/{id}", Delete, Write, WithStore(tags::delete),
        Doc::new("Deletes a tag, and takes it off its images").answers(&[(204, ""), (404, "Error")])),
    row("/api/tag-assignments", Put, Write, WithStore(assignments::assign),
        Doc::new("Puts a tag on an image, in place of the one it has").body("Assignment").answers(&[(204, ""), (404, "Error")])),
    row("/api/tag-assignments", Delete, Write, WithStore(assignments::unassign),
        Doc::new("Takes the tag off an image").body("Image").answers(&[(204, "")])),
    row(RUNNING, Post, Write, WithStore(running::take),
        Doc::new("Closes what already runs. The body is what the engines' tools print, up to 16 MiB")
            .parameters(&[RUNNING_OPTIONS]).body("Running").answers(&[(200, "Report")])),
    row("/api/changes", Get, Read, WithContext(changes::get),
        Doc::new("New and changed updates as they come: `update` events with an item of /api/inbox, a `ping` every 15 s, \
            and `reset` where the `Last-Event-ID` is unknown").parameters(&[FROM]).answers(&[(200, "text/event-stream")])),
    row("/api/summary", Get, Read, WithStore(summary::get),
        Doc::new("Counts and ages, for dashboards").answers(&[(200, "Summary")])),
    row("/api/hosts", Get, Read, WithStore(summary::hosts),
        Doc::new("What each host has to do, and when it was last heard from").answers(&[(200, "Hosts")])),
    row("/feed.atom", Get, Read, WithStore(feed::get),
        Doc::new("The newest 100 pending updates as Atom").answers(&[(200, "application/atom+xml"), (304, "")])),
    row("/ping/{name}", Post, Write, WithStore(ping::take),
        Doc::new("Diun's heartbeats. The name is what `diunbox hosts --ping HOST` says; it needs no token")
            .optional_body("Text").answers(&[(204, ""), (404, "Error")])),
    row("/metrics", Get, Health, WithContext(metrics::get),
        Doc::new("Counters and gauges for Prometheus").answers(&[(200, "text/plain")])),
    row("/healthz", Get, Health, WithStore(health::get),
        Doc::new("Whether the database or a spool takes events. Needs no token").answers(&[(200, "Health")])),
    row("/openapi.json", Get, Read, WithContext(openapi::get),
        Doc::new("This description").answers(&[(200, "Any"), (304, "")])),
    row(PAGE, Get, Read, WithContext(page::index),
        Doc::new("The page").parameters(&[VIEW]).answers(&[(200, "text/html"), (303, ""), (304, "")])),
    row("/style.css", Get, Health, WithContext(page::style), Doc::new("Its style").answers(&[(200, "text/css"), (304, "")])),
    row("/script.js", Get, Read, WithContext(page::script), Doc::new("Its script").answers(&[(200, "text/javascript"), (304, "")])),
    row("/icon.svg", Get, Health, WithContext(page::icon), Doc::new("Its icon").answers(&[(200, "image/svg+xml"), (304, "")])),
    row("/icon-new.svg", Get, Health, WithContext(page::icon_new),
        Doc::new("Its icon while something is new").answers(&[(200, "image/svg+xml"), (304, "")])),
    row("/login", Get, Health, WithContext(login::form),
        Doc::new("The form of the login").parameters(&[LOGIN]).answers(&[(200, "text/html")])),
    row("/login", Post, Login, WithContext(login::enter),
        Doc::new("Gives a cookie for a token").body("Login").answers(&[(303, ""), (403, "text/html")])),
    row("/logout", Post, Health, WithContext(login::leave), Doc::new("Takes the cookie back").answers(&[(303, "")])),
];

/// The answer to a browser that follows a link of another site: it makes the browser request the page again.
pub(super) static AGAIN: Route = row(PAGE, Get, Health, WithContext(page::again), Doc::new(""));

impl Route {
    /// The scope that a token needs; `None` if the route needs no token.
    pub(super) fn scope(&self) -> Option<Scope> {
        if OPEN.contains(&self.path) || self.path.starts_with(ping::PREFIX) {
            return None;
        }
        Some(match (self.class, self.path) {
            (Event, _) => Scope::Webhook,
            (_, RUNNING) => Scope::Running,
            (Read | Health, _) => Scope::Read,
            _ => Scope::All,
        })
    }
}
