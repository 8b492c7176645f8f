//! Which path and method leads where.

use tiny_http::Method;

use super::auth::{Token, check_browser, check_token};
use super::log::Log;
use super::message::{Request, Response};
use super::metrics::Metrics;
use super::{assignments, health, metrics, summary, tags, updates, webhook};
use crate::store::Store;

/// What answers need.
pub(super) struct Context {
    pub(super) store: Box<dyn Store>,
    pub(super) token: Option<Token>,
    /// Whether only names of this machine are good in a Host header.
    pub(super) local_names_only: bool,
    pub(super) log: Log,
    pub(super) metrics: Metrics,
}

/// Finds who answers a request, and has it answered.
pub(super) fn route(request: &Request<'_>, context: &Context) -> Response {
    respond(request, context).unwrap_or_else(|refusal| refusal)
}

fn respond(request: &Request<'_>, context: &Context) -> Result<Response, Response> {
    use Method::{Delete, Get, Head, Patch, Post, Put};

    let path = request.path()?;
    check_browser(context.local_names_only, request)?;
    if path != "/healthz" {
        check_token(context.token.as_ref(), request)?;
    }
    let rest = |prefix: &str| path.strip_prefix(prefix).filter(|rest| !rest.is_empty());
    let method = request.method;

    if path == "/webhook" {
        match method {
            Post | Put => webhook::take(request, context),
            Get if !request.body.is_empty() => webhook::take(request, context),
            Get | Head => Err(webhook::usage()),
            _ => Err(not_allowed("GET, POST, PUT")),
        }
    } else if path == "/api/updates" {
        match method {
            Get | Head => updates::list(request, context),
            _ => Err(not_allowed("GET, HEAD")),
        }
    } else if let Some(image) = rest("/api/updates/") {
        match method {
            Get | Head => updates::show(image, context),
            Patch => updates::acknowledge(image, context),
            _ => Err(not_allowed("GET, HEAD, PATCH")),
        }
    } else if path == "/api/tags" {
        match method {
            Get | Head => tags::list(context),
            Post => tags::create(request, context),
            _ => Err(not_allowed("GET, HEAD, POST")),
        }
    } else if let Some(id) = rest("/api/tags/") {
        match method {
            Delete => tags::delete(id, context),
            _ => Err(not_allowed("DELETE")),
        }
    } else if path == "/api/tag-assignments" {
        match method {
            Put => assignments::assign(request, context),
            Delete => assignments::unassign(request, context),
            _ => Err(not_allowed("PUT, DELETE")),
        }
    } else if path == "/api/summary" {
        match method {
            Get | Head => summary::get(context),
            _ => Err(not_allowed("GET, HEAD")),
        }
    } else if path == "/metrics" {
        match method {
            Get | Head => metrics::get(context),
            _ => Err(not_allowed("GET, HEAD")),
        }
    } else if path == "/healthz" {
        match method {
            Get | Head => health::get(context),
            _ => Err(not_allowed("GET, HEAD")),
        }
    } else {
        Err(Response::not_found("there is nothing here: the webhook is at /webhook"))
    }
}

/// Saves the event that a request brought which could not be answered: Diun will not send it again.
pub(super) fn rescue(request: &Request<'_>, context: &Context) {
    let allowed = check_browser(context.local_names_only, request)
        .and_then(|()| check_token(context.token.as_ref(), request));
    if allowed.is_ok() && request.path().is_ok_and(|path| path == "/webhook") {
        webhook::rescue(request, context);
    }
}

fn not_allowed(allowed: &'static str) -> Response {
    Response::error(405, format_args!("this path takes {allowed} only")).with("Allow", allowed)
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;
    use crate::cli::LogFormat;
    use crate::event::Event;
    use crate::http::Level;
    use crate::store::SqliteStore;

    fn context() -> &'static Context {
        static CONTEXT: OnceLock<(tempfile::TempDir, Context)> = OnceLock::new();
        let new = || {
            let folder = tempfile::tempdir().unwrap();
            let store = Box::new(SqliteStore::open(&folder.path().join("diunbox.db")).unwrap());
            let log = Log { format: LogFormat::Text, level: Level::Quiet };
            let metrics = Metrics::default();
            (folder, Context { store, token: None, local_names_only: true, log, metrics })
        };
        &CONTEXT.get_or_init(new).1
    }

    fn ask(method: &str, target: &str, body: &[u8]) -> Response {
        let method = method.parse().unwrap_or(Method::Get);
        let request = Request { method: &method, target, header: &|_| None, body };
        route(&request, context())
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
            let response = ask(method, &format!("{start}{rest}"), &body);
            prop_assert!((200..500).contains(&response.status), "{response:?}");
            if response.status >= 400 {
                let error: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
                prop_assert!(!error["error"].as_str().unwrap().is_empty());
            }
        }

        #[test]
        fn any_name_is_found_by_its_path(image in "\\PC{1,20}|.{1,8}|[%/?#+. a-f0-9]{1,12}") {
            let event = Event { image: image.clone(), ..Event::default() };
            context().store.upsert_event(&event).unwrap();
            let target = format!("/api/updates/{}", utf8_percent_encode(&image, NON_ALPHANUMERIC));
            let shown: serde_json::Value = serde_json::from_slice(&ask("GET", &target, b"").body).unwrap();
            prop_assert_eq!(shown["event"]["image"].as_str(), Some(image.as_str()));
            prop_assert_eq!(ask("PATCH", &target, b"").status, 204);
        }
    }
}
