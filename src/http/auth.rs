//! Who may ask: the token, and the rule for browsers.

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use subtle::ConstantTimeEq;

use super::error::Error;
use super::head::Head;

/// What a 401 offers. Basic comes first: feed readers know nothing else, and some fail without a realm.
const CHALLENGE: &str = "Basic realm=\"diunbox\", Bearer";

/// A token with fewer characters than this can be guessed.
const SHORT: usize = 16;

/// What clients must know.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Takes a token, without the white space around it.
    ///
    /// # Errors
    /// When nothing is left, or something that no header can hold.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let token = text.trim();
        if token.is_empty() {
            Err("it is empty")
        } else if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            Err("it holds white space, or characters that are not ASCII")
        } else {
            Ok(Self(token.to_owned()))
        }
    }

    /// Whether it has so few characters that it could be guessed.
    pub fn is_short(&self) -> bool {
        self.0.len() < SHORT
    }

    /// Whether an `Authorization` header has this token: alone, after `Bearer` or `Token`, or as the
    /// password of `Basic`. Compares in a time that depends on the lengths alone.
    fn is_in(&self, authorization: &str) -> bool {
        let (scheme, rest) = authorization.split_once(' ').unwrap_or(("", authorization));
        let given = match scheme.to_ascii_lowercase().as_str() {
            "bearer" | "token" => rest.trim().as_bytes().to_vec(),
            "basic" => {
                let decoded = BASE64_STANDARD.decode(rest.trim()).unwrap_or_default();
                let password = decoded.splitn(2, |byte| *byte == b':').nth(1);
                password.unwrap_or_default().to_vec()
            }
            _ => authorization.as_bytes().to_vec(),
        };
        given.ct_eq(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token")
    }
}

/// Refuses requests without the token.
pub(super) fn check_token(token: Option<&Token>, head: &Head) -> Result<(), Error> {
    let Some(token) = token else { return Ok(()) };
    let error = match head.header("authorization") {
        Some(authorization) if token.is_in(authorization) => return Ok(()),
        Some(_) => "the token in the Authorization header is not the one that diunbox has",
        None => "a token is needed: send the header `Authorization: TOKEN`",
    };
    Err(Error::new(401, error).with("WWW-Authenticate", CHALLENGE))
}

/// Refuses what a browser sends for a page of another site. Such a page could otherwise read and
/// acknowledge updates on the machine of its visitor.
///
/// A site can point its own name at 127.0.0.1 (DNS rebinding). Where no token keeps it out, the
/// `Host` header must therefore be a name of this machine.
pub(super) fn check_browser(local_names_only: bool, head: &Head) -> Result<(), Error> {
    let refuse = |error| Err(Error::new(403, error));
    let host = head.host();
    // No page can set this header, so where the browser sends it, it decides. `Origin` alone must equal
    // `Host`: a proxy that drops the port from `Host` makes them differ, and so must pass both on.
    if let Some(site) = head.header("sec-fetch-site") {
        if !["none", "same-origin"].contains(&site) {
            return refuse("this request comes from a page of another site (Sec-Fetch-Site)");
        }
    } else if let Some(origin) = head.header("origin") {
        let own = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if own.is_none() || own != host {
            return refuse("this request comes from a page of another site (Origin)");
        }
    }
    if local_names_only && host.is_some_and(|host| !is_local(host)) {
        return refuse(
            "the Host header does not name this machine: ask localhost or 127.0.0.1, or set a token",
        );
    }
    Ok(())
}

/// Whether a Host header names this machine, whatever the port.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || address.parse().is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The status that `check` answers a request with these headers with; 200 where it passes.
    fn status(headers: &[(&str, &str)], check: impl Fn(&Head) -> Result<(), Error>) -> u16 {
        let mut text = "GET / HTTP/1.1\r\n".to_owned();
        for (name, value) in headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        let mut head = Head::default();
        head.parse((text + "\r\n").as_bytes()).unwrap().unwrap();
        check(&head).map_or_else(|error| error.status, |()| 200)
    }

    #[test]
    fn the_token_is_taken_with_and_without_bearer() {
        let token = Token::new(" s3cret\n").unwrap();
        let ask = |authorization| {
            status(&[("authorization", authorization)], |head| check_token(Some(&token), head))
        };
        for right in [
            "s3cret",
            "Bearer s3cret",
            "bearer  s3cret",
            "Token s3cret",
            "Basic ZGl1bjpzM2NyZXQ=",
            "basic OnMzY3JldA==",
        ] {
            assert_eq!(ask(right), 200, "{right}");
        }
        for wrong in [
            "",
            "s3cre",
            "s3cret2",
            "S3CRET",
            "Bearer",
            "Bearer ",
            "Basic s3cret",
            "Basic czNjcmV0",
            "Basic czNjcmV0Og==",
            "Basic ZGl1bjpzM2NyZXQ6",
            "Basic ",
            "Digest s3cret",
        ] {
            assert_eq!(ask(wrong), 401, "{wrong}");
        }
        assert_eq!(status(&[], |head| check_token(Some(&token), head)), 401);
        assert_eq!(status(&[], |head| check_token(None, head)), 200);
    }

    #[test]
    fn a_token_is_not_empty_and_never_printed() {
        assert!(Token::new(" \n").is_err());
        assert!(Token::new("a b").is_err());
        assert_eq!(format!("{:?}", Token::new("s3cret")), "Ok(Token)");
    }

    #[test]
    fn browsers_on_other_sites_are_turned_away() {
        let ask = |headers: &[(&str, &str)]| status(headers, |r| check_browser(true, r));
        let host = ("host", "localhost:3486");
        assert_eq!(ask(&[host]), 200);
        assert_eq!(ask(&[]), 200);
        assert_eq!(ask(&[host, ("sec-fetch-site", "none")]), 200);
        assert_eq!(ask(&[host, ("sec-fetch-site", "same-origin")]), 200);
        // As behind a proxy that drops the port.
        let origin = ("origin", "http://localhost:8443");
        assert_eq!(ask(&[host, origin, ("sec-fetch-site", "same-origin")]), 200);
        assert_eq!(ask(&[host, origin]), 403);
        let own = ("origin", "http://localhost:3486");
        assert_eq!(ask(&[host, own, ("sec-fetch-site", "cross-site")]), 403);
        assert_eq!(ask(&[host, ("sec-fetch-site", "cross-site")]), 403);
        assert_eq!(ask(&[host, ("sec-fetch-site", "same-site")]), 403);
        assert_eq!(ask(&[host, ("origin", "http://localhost:3486")]), 200);
        for origin in
            ["http://localhost:1", "https://evil.example", "null", "http://localhost:3486.evil"]
        {
            assert_eq!(ask(&[host, ("origin", origin)]), 403, "{origin}");
        }
    }

    #[test]
    fn only_names_of_this_machine_will_do_where_there_is_no_token() {
        let ask = |local: bool, host| status(&[("host", host)], |r| check_browser(local, r));
        for host in [
            "localhost",
            "LOCALHOST:80",
            "a.localhost:1",
            "127.0.0.1:3486",
            "127.9.9.9",
            "[::1]:3486",
            "[::1]",
        ] {
            assert_eq!(ask(true, host), 200, "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:3486",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "localhost.evil",
            "",
        ] {
            assert_eq!(ask(true, host), 403, "{host}");
            assert_eq!(ask(false, host), 200, "{host}");
        }
    }
}
