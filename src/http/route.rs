//! Routing: finds the route of a request, and checks that the caller may use it.

use std::borrow::Cow;
use std::sync::Arc;

use form_urlencoded::{Parse, parse};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use tiny_http::Method::Get;

use super::auth::Scope;
use super::browser::{check_host, check_site, is_navigation};
use super::caller::Caller;
use super::context::Context;
use super::error::Error;
use super::head::Head;
use super::limits::Class::Event;
use super::limits::{BODY_LIMIT, RUNNING_LIMIT};
use super::response::Answer;
use super::routes::{AGAIN, Handler, PAGE, ROUTES, RUNNING, Route, WEBHOOK};
use super::{login, ping};
use crate::image::ImageName;
use crate::inbox::query::Query;
use crate::store::{ErrorKind, Store};

/// A complete request.
pub(super) struct Request<'a> {
    pub(super) head: &'a Head,
    /// What the path has in place of its route's `{…}`, decoded.
    pub(super) rest: &'a str,
    pub(super) body: &'a [u8],
    pub(super) caller: &'a Caller,
}

/// The route of a request, and its caller.
pub(super) struct Found {
    pub(super) route: &'static Route,
    /// What the path has in place of the route's `{…}`, decoded.
    pub(super) rest: String,
    pub(super) caller: Caller,
}

/// Decides on the head alone, before any of the body is read, whether a request may be answered,
/// and by what. `peer` is where it comes from.
pub(super) fn check(head: &Head, peer: &str, context: &Context) -> Result<Found, Error> {
    let path = path(head, &context.base_path)?;
    if context.local_names_only {
        check_host(head)?;
    }
    if !(is_navigation(head) && [PAGE, "/login"].contains(&&*path)) {
        check_site(head)?;
    }
    let rest = |route: &'static Route| match route.path.split_once('{') {
        Some((prefix, _)) => path.strip_prefix(prefix).filter(|rest| !rest.is_empty()),
        None => (path == route.path).then_some(""),
    };
    let matching: Vec<_> =
        ROUTES.iter().filter_map(|route| rest(route).map(|rest| (route, rest))).collect();
    let method = if head.method == "HEAD" { "GET" } else { &head.method };
    let chosen = matching.iter().find(|(route, _)| route.method.as_str() == method);
    // Without a token, unknown paths and methods get the same answer as known ones.
    let scope = chosen.or(matching.first()).map_or(Some(Scope::Read), |(route, _)| route.scope());
    let mut caller = Caller::default();
    if let Some(name) = path.strip_prefix(ping::PREFIX) {
        ping::check(name, context)?;
    } else if let Some(scope) = scope {
        match context.access.caller(head, peer, scope) {
            Ok(known) => caller = known,
            Err(error) => return to_login(&path, head, context, error),
        }
    }
    if let Some((route, rest)) = chosen {
        return Ok(Found { route, rest: (*rest).to_owned(), caller });
    }
    if matching.is_empty() {
        return Err(nothing_here());
    }
    let mut allowed = Vec::new();
    for (route, _) in matching {
        allowed.push(route.method.as_str());
        // On the webhook GET stores an event, which HEAD cannot carry.
        if route.method == Get && route.class != Event {
            allowed.push("HEAD");
        }
    }
    let allowed = allowed.join(", ");
    let error = Error::new(405, format_args!("this path allows only {allowed}"));
    Err(error.with("Allow", allowed))
}

/// Whether a request is for the webhook.
pub(super) fn is_webhook(head: &Head, context: &Context) -> bool {
    path(head, &context.base_path).is_ok_and(|path| path == WEBHOOK)
}

/// The path as routes have it: decoded, without a slash at the end, and without the base path.
fn path<'a>(head: &'a Head, base: &str) -> Result<Cow<'a, str>, Error> {
    let path = head.path_and_query().0;
    if !base.is_empty() && path == base {
        // The page's links are relative to its address.
        return Err(Error::new(308, "the page is below this").with("Location", format!("{base}/")));
    }
    let path = match path.strip_prefix(base) {
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    };
    let path = percent_decode_str(path.strip_suffix('/').unwrap_or(path)).decode_utf8();
    path.map_err(|_| Error::new(400, "the path is not UTF-8"))
}

/// Sends a browser that asks for the page to the login.
fn to_login(path: &str, head: &Head, context: &Context, error: Error) -> Result<Found, Error> {
    let is_page = path == PAGE && head.method == "GET" && error.status == 401;
    if !is_page || context.access.tokens.is_none() || head.header("authorization").is_some() {
        return Err(error);
    }
    if head.header("sec-fetch-site") == Some("cross-site") {
        return Ok(Found { route: &AGAIN, rest: String::new(), caller: Caller::default() });
    }
    Err(login::first(head.path_and_query().1))
}

impl Route {
    /// The largest body, in bytes.
    pub(super) fn body_limit(&self) -> usize {
        if self.path == RUNNING { RUNNING_LIMIT } else { BODY_LIMIT }
    }

    pub(super) fn answer(&self, request: &Request<'_>, context: &Arc<Context>) -> Answer {
        match self.handler {
            Handler::Store(handler) => handler(request, &*context.store),
            Handler::Context(handler) => handler(request, context),
        }
    }
}

/// The answer to a path that leads nowhere.
pub(super) fn nothing_here() -> Error {
    Error::new(404, "not found; the webhook is at /webhook")
}

/// The answer to a parameter that the path does not have.
pub(super) fn unknown_parameter(name: &str) -> Error {
    let name = name.escape_debug();
    Error::new(400, format_args!("`{name}` is not a parameter of this path"))
}

/// Answers 400 if the query names a tag that does not exist.
pub(super) fn require_tags(query: &Query, store: &dyn Store) -> Result<(), Error> {
    store.require_tags(query).map_err(|error| match error.kind {
        ErrorKind::UnknownTag => Error::new(400, error),
        _ => error.into(),
    })
}

impl Request<'_> {
    /// The query that the parameters describe. An unknown parameter, or one in `except`, is an error: a query must
    /// not return more than was asked for.
    pub(super) fn query(
        &self,
        mut query: Query,
        except: &[&str],
        store: &dyn Store,
    ) -> Result<Query, Error> {
        for (name, value) in self.parameters() {
            if except.contains(&&*name) {
                return Err(unknown_parameter(&name));
            }
            query.set(&name, &value).map_err(|error| Error::new(400, error))?;
        }
        require_tags(&query, store)?;
        Ok(query)
    }

    /// The parameters, decoded.
    pub(super) fn parameters(&self) -> Parse<'_> {
        parse(self.head.path_and_query().1.as_bytes())
    }

    /// Refuses every parameter.
    pub(super) fn no_parameters(&self) -> Result<(), Error> {
        self.parameters().next().map_or(Ok(()), |(name, _)| Err(unknown_parameter(&name)))
    }

    /// The image that the rest of the path names.
    pub(super) fn image(&self) -> Result<ImageName, Error> {
        ImageName::new(self.rest).map_err(|error| Error::new(404, error))
    }

    /// Parses the body, which must be a JSON object.
    pub(super) fn json<T: DeserializeOwned>(&self, expected: &str) -> Result<T, Error> {
        // serde would accept an array of the fields' values.
        if self.body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Error::new(400, format_args!("the body is not {expected}")));
        }
        serde_json::from_slice(self.body)
            .map_err(|error| Error::new(400, format_args!("the body is not {expected}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;
    use crate::event::Event;
    use crate::http::caller::Access;
    use crate::http::context::Settings;
    use crate::http::limits::Limits;
    use crate::http::log::{Format, Level, Log};
    use crate::store::SqliteStore;

    thread_local! {
        /// A server's context, and its folder, which is removed when the test's thread ends.
        static CONTEXT: (Arc<Context>, tempfile::TempDir) = {
            let folder = tempfile::tempdir().unwrap();
            let store = Box::new(SqliteStore::open(&folder.path().join("diunbox.db")).unwrap());
            let log = Log { format: Format::Text, level: Level::Quiet };
            let settings = Settings {
                access: Access::default(),
                base_path: String::new(),
                log,
                limits: Limits::default(),
            };
            let (context, _) = Context::new(store, settings, true).unwrap();
            (Arc::new(context), folder)
        };
    }

    fn context() -> Arc<Context> {
        CONTEXT.with(|(context, _)| Arc::clone(context))
    }

    /// The status and the body that a request is answered with.
    fn ask(method: &str, target: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut head = Head::default();
        // Any text can be a target here.
        head.parse(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        (head.method, head.target) = (method.to_owned(), target.to_owned());
        let context = context();
        let answer = check(&head, "", &context).and_then(|Found { route, rest, caller }| {
            let request = Request { head: &head, rest: &rest, body, caller: &caller };
            route.answer(&request, &context)
        });
        let response = answer.unwrap_or_else(|error| tiny_http::ResponseBox::from(&error));
        let (status, mut body) = (response.status_code().0, Vec::new());
        response.into_reader().read_to_end(&mut body).unwrap();
        (status, body)
    }

    proptest! {
        #[test]
        fn any_target_and_body_are_answered(
            method in proptest::sample::select(
                &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"][..],
            ),
            start in proptest::sample::select(&[
                "", "/", "/webhook", "/api/updates", "/api/updates/", "/api/tags", "/api/tags/",
                "/api/tag-assignments", "/api/updates?acknowledged=", "/api/updates?tag=", "/metrics?",
            ][..]),
            rest in prop_oneof!["[ -~]{0,12}", "(%[0-9a-fA-F]{0,2}|[?&=#/.+;])*", any::<String>()],
            body in prop_oneof![
                Just(Vec::new()),
                proptest::collection::vec(any::<u8>(), 0..20),
                "\\{\"(image|name|tag_id)\":(\"[a-z\\\\\"]{0,4}\"|-?[0-9]{0,20}|null|\\[)\\}?".prop_map(String::into_bytes),
            ],
        ) {
            let (status, body) = ask(method, &format!("{start}{rest}"), &body);
            prop_assert!((200..500).contains(&status), "{}", status);
            if status >= 400 {
                let error: serde_json::Value = serde_json::from_slice(&body).unwrap();
                prop_assert!(!error["error"].as_str().unwrap().is_empty());
            }
        }

        #[test]
        fn any_name_is_found_by_its_path(image in "\\PC{1,20}|.{1,8}|[%/#+.a-f0-9]{1,12}") {
            let Ok(name) = ImageName::new(&image) else { return Ok(()) };
            let image = name.as_str().to_owned();
            let event = Event { image: image.clone(), ..Event::default() };
            context().store.upsert_event(&event, chrono::Utc::now()).unwrap();
            let target = format!("/api/updates/{}", utf8_percent_encode(&image, NON_ALPHANUMERIC));
            let shown: serde_json::Value = serde_json::from_slice(&ask("GET", &target, b"").1).unwrap();
            prop_assert_eq!(shown["event"]["image"].as_str(), Some(image.as_str()));
            prop_assert_eq!(ask("PATCH", &target, b"").0, 204);
        }
    }
}
