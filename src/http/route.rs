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
