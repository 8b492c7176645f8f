//! Authentication: the caller of a request, by token, cookie or proxy.

use std::net::{IpAddr, SocketAddr};

use chrono::Utc;

use super::auth::{Scope, Tokens};
use super::cookie;
use super::error::Error;
use super::head::Head;
use crate::inbox::action::{Origin, Stamp};

/// The challenge of a 401. Basic comes first, as feed readers know no other scheme; some fail without a realm.
const CHALLENGE: &str = "Basic realm=\"diunbox\", Bearer";
/// Set by the page's own requests.
const PAGE: &str = "x-diunbox-page";

/// How callers are authenticated. Without tokens and proxy, everyone has access.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The tokens that clients can have.
    pub tokens: Option<Tokens>,
    /// A proxy that names its users.
    pub proxy: Option<Proxy>,
}

/// A proxy that authenticates its users and names them in a header.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// The addresses from which it connects. The header is ignored from all others.
    pub addresses: Vec<IpAddr>,
    /// The header's name, in lower case.
    pub header: String,
}

impl Proxy {
    /// The user that a proxy names. `peer` is where the connection comes from.
    fn user<'a>(&self, head: &'a Head, peer: &str) -> Option<&'a str> {
        let peer = peer.parse::<SocketAddr>().ok()?.ip().to_canonical();
        let is_trusted = self.addresses.iter().any(|address| address.to_canonical() == peer);
        head.only(&self.header).filter(|user| is_trusted && !user.is_empty())
    }
}

/// The authenticated caller of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Caller {
    /// The name for the history; empty if it is not known.
    user: String,
    is_page: bool,
}

impl Caller {
    /// The stamp of a decision of this caller.
    pub(super) fn stamp(&self, note: Option<String>) -> Stamp {
        let origin = if self.is_page { Origin::Page } else { Origin::Http };
        // PostgreSQL stores no NUL.
        let note = note.map(|note| note.replace('\0', ""));
        Stamp { user: self.user.clone(), note, ..Stamp::new(origin, Utc::now()) }
    }

    /// The stamp of a comparison with what runs.
    pub(super) fn reconcile_stamp(&self) -> Stamp {
        Stamp { user: self.user.clone(), ..Stamp::new(Origin::Reconcile, Utc::now()) }
    }
}

impl Access {
    /// Whether everyone has access.
    pub fn is_open(&self) -> bool {
        self.tokens.is_none() && self.proxy.is_none()
    }

    /// Authenticates the sender of a request that needs a scope.
    pub(super) fn caller(&self, head: &Head, peer: &str, scope: Scope) -> Result<Caller, Error> {
        let is_page = head.header(PAGE).is_some();
        let caller = |user: &str| Caller { user: user.to_owned(), is_page };
        if self.is_open() {
            return Ok(caller(""));
        }
        if let Some(user) = self.proxy.as_ref().and_then(|proxy| proxy.user(head, peer)) {
            return Ok(caller(user));
        }
        let authorization = head.header("authorization");
        let token = self.tokens.as_ref().and_then(|tokens| {
            let by_header = authorization.and_then(|value| tokens.in_header(value));
            by_header.or_else(|| cookie::token(head.header("cookie")?, tokens))
        });
        match token {
            Some(token) if token.scope.includes(scope) => Ok(caller(&token.name)),
            Some(token) => {
                Err(Error::new(403, format_args!("the token {} does not allow this", token.name)))
            }
            None => {
                let error = Error::new(
                    401,
                    match authorization {
                        Some(_) => "invalid token in the Authorization header",
                        None => "a token is required: send the header `Authorization: TOKEN`",
                    },
                );
                // A browser would open its own dialog over the page.
                let is_browsers = is_page || head.header("accept") == Some("text/event-stream");
                Err(if is_browsers { error } else { error.with("WWW-Authenticate", CHALLENGE) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &str) -> Head {
        let mut head = Head::default();
        head.parse(format!("GET / HTTP/1.1\r\n{headers}\r\n").as_bytes()).unwrap().unwrap();
        head
    }

    fn access(tokens: &str, proxy: Option<&str>) -> Access {
        let proxy = proxy.map(|address| Proxy {
            addresses: vec![address.parse().unwrap()],
            header: "remote-user".to_owned(),
        });
        Access { tokens: Tokens::new(tokens).ok(), proxy }
    }

    /// The status that a request is answered with, or 200 and the user.
    fn ask(access: &Access, headers: &str, peer: &str, scope: Scope) -> (u16, String) {
        match access.caller(&head(headers), peer, scope) {
            Ok(caller) => (200, caller.user),
            Err(error) => (error.status, String::new()),
        }
    }

    #[test]
    fn a_token_does_what_its_scope_says() {
        let access = access("dash:read r\nall:all a", None);
        let ask = |headers, scope| ask(&access, headers, "192.0.2.1:1", scope);
        assert_eq!(ask("", Scope::Read).0, 401);
        assert_eq!(ask("Authorization: x\r\n", Scope::Read).0, 401);
        assert_eq!(ask("Authorization: r\r\n", Scope::Read), (200, "dash".to_owned()));
        assert_eq!(ask("Authorization: r\r\n", Scope::All).0, 403);
        assert_eq!(ask("Authorization: r\r\n", Scope::Webhook).0, 403);
        assert_eq!(ask("Authorization: a\r\n", Scope::All), (200, "all".to_owned()));
    }

    #[test]
    fn only_the_trusted_proxy_names_users() {
        let access = access("t", Some("192.0.2.1"));
        let ask = |headers, peer| ask(&access, headers, peer, Scope::All);
        let ann = "Remote-User: ann\r\n";
        assert_eq!(ask(ann, "192.0.2.1:1"), (200, "ann".to_owned()));
        assert_eq!(ask(ann, "[::ffff:192.0.2.1]:1"), (200, "ann".to_owned()));
        for (headers, peer) in [
            (ann, "192.0.2.2:1"),
            (ann, "unix"),
            ("Remote-User: \r\n", "192.0.2.1:1"),
            ("", "192.0.2.1:1"),
            ("Remote-User: ann\r\nRemote-User: bob\r\n", "192.0.2.1:1"),
        ] {
            assert_eq!(ask(headers, peer).0, 401, "{headers} {peer}");
        }
    }

    #[test]
    fn a_browser_opens_no_dialog_over_the_page() {
        let access = access("t", None);
        let challenge =
            |headers| access.caller(&head(headers), "", Scope::Read).unwrap_err().header.is_some();
        assert!(challenge(""));
        assert!(!challenge("X-Diunbox-Page: 1\r\n"));
        assert!(!challenge("Accept: text/event-stream\r\n"));
    }

    #[test]
    fn without_tokens_everyone_may_unless_a_proxy_says_who_they_are() {
        let ask = |proxy, headers| ask(&access("", proxy), headers, "127.0.0.1:1", Scope::All);
        assert_eq!(ask(None, ""), (200, String::new()));
        assert_eq!(ask(Some("127.0.0.1"), ""), (401, String::new()));
        assert_eq!(ask(Some("127.0.0.1"), "Remote-User: ann\r\n"), (200, "ann".to_owned()));
        assert_eq!(ask(Some("127.0.0.2"), "Remote-User: ann\r\n"), (401, String::new()));
    }
}
