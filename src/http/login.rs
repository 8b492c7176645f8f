//! `/login` and `/logout`: exchange a token for a cookie, and remove it.

#![allow(clippy::unnecessary_wraps, reason = "all handlers have one form")]

use std::sync::Arc;
use std::thread;

use form_urlencoded::{Serializer, parse};

use super::auth::{Scope, Token};
use super::context::Context;
use super::cookie;
use super::error::Error;
use super::head::Head;
use super::page::{HTML, document, escape, secured};
use super::response::{Answer, bytes, empty, with};
use super::route::Request;

/// The form.
pub(super) fn form(request: &Request<'_>, _: &Arc<Context>) -> Answer {
    let mut next = request.parameters();
    let next = next.find(|(name, _)| name == "next").map(|(_, value)| value.into_owned());
    Ok(page(200, &next.unwrap_or_default(), ""))
}

/// Handles the form: a valid token gets a cookie; a wrong one is answered after a second.
pub(super) fn enter(request: &Request<'_>, context: &Arc<Context>) -> Answer {
    let field = |name: &str| {
        let found = parse(request.body).find(|(field, _)| field == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let next = field("next");
    let Some(tokens) = &context.access.tokens else { return Ok(see_other(&home(&next))) };
    let token = tokens.find(field("token").trim().as_bytes());
    let Some(token) = token.filter(|token| token.scope.includes(Scope::Read)) else {
        // Few logins are checked at a time, so few guesses can be made.
        thread::sleep(context.limits.wrong_login);
        return Ok(page(
            403,
            &next,
            "This is not a token that diunbox has, or not one that may read.",
        ));
    };
    Ok(logged_in(token, request.head, context, &home(&next)))
}

fn logged_in(token: &Token, head: &Head, context: &Context, to: &str) -> tiny_http::ResponseBox {
    let cookie = cookie::issue(token, &context.base_path, is_secure(head));
    with(see_other(to), &[("Set-Cookie", &cookie)])
}

/// Ends a login.
pub(super) fn leave(request: &Request<'_>, context: &Arc<Context>) -> Answer {
    let cookie = cookie::end(&context.base_path, is_secure(request.head));
    Ok(with(see_other("login"), &[("Set-Cookie", &cookie)]))
}

/// Redirects a browser to the login, which leads back to the requested page.
pub(super) fn first(query: &str) -> Error {
    let target = if query.is_empty() {
        "login".to_owned()
    } else {
        format!("login?{}", Serializer::new(String::new()).append_pair("next", query).finish())
    };
    Error::new(303, "log in first").with("Location", target)
}

fn see_other(target: &str) -> tiny_http::ResponseBox {
    with(empty(303), &[("Location", target), ("Cache-Control", "no-store")])
}

/// The page's address with a query. The query is encoded again, so it cannot lead to another site.
fn home(next: &str) -> String {
    if next.is_empty() {
        return "./".to_owned();
    }
    let query = Serializer::new(String::new()).extend_pairs(parse(next.as_bytes())).finish();
    format!("./?{query}")
}

/// Whether a proxy says that the browser uses TLS.
fn is_secure(head: &Head) -> bool {
    head.header("x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

fn page(status: u16, next: &str, problem: &str) -> tiny_http::ResponseBox {
    let body = format!(
        "<main class=\"login\"><h1>diunbox</h1><form method=\"post\" action=\"login\">\
        <input name=\"username\" autocomplete=\"username\" value=\"diunbox\" hidden>\
        <label for=\"token\">Token</label><input id=\"token\" name=\"token\" type=\"password\" \
        autocomplete=\"current-password\" required autofocus>\
        <input type=\"hidden\" name=\"next\" value=\"{}\"><button class=\"primary\">Log in</button>\
        <p role=\"alert\">{}</p></form></main>",
        escape(next),
        escape(problem)
    );
    let text = document("Log in – diunbox", "", &body);
    secured(with(bytes(status, HTML, text.into_bytes()), &[("Cache-Control", "no-store")]))
}
