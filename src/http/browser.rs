//! Protection against requests from other sites and against DNS rebinding.

use std::net::IpAddr;

use super::error::Error;
use super::head::Head;

/// Refuses requests that a browser sends on behalf of another site. Otherwise a site could read and
/// acknowledge updates with the rights of its visitor.
pub(super) fn check_site(head: &Head) -> Result<(), Error> {
    let refuse = |error| Err(Error::new(403, error));
    // A page cannot set this header, so it decides where the browser sends it. Otherwise `Origin` must equal
    // `Host`. A proxy that drops the port from `Host` makes them differ, so it must pass both headers on.
    if let Some(site) = head.header("sec-fetch-site") {
        if !["none", "same-origin"].contains(&site) {
            return refuse("this request comes from a page of another site (Sec-Fetch-Site)");
        }
    } else if let Some(origin) = head.header("origin") {
        let own = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if own.is_none() || own != head.host() {
            return refuse("this request comes from a page of another site (Origin)");
        }
    }
    Ok(())
}

/// Refuses a `Host` header that does not name this machine. A site can point its own name at 127.0.0.1 (DNS
/// rebinding), and could then read the API through its visitor's browser.
pub(super) fn check_host(head: &Head) -> Result<(), Error> {
    if head.host().is_some_and(|host| !is_local(host)) {
        let message = "the Host header does not name this machine: ask localhost or 127.0.0.1, or set a token";
        return Err(Error::new(403, message));
    }
    Ok(())
}

/// Whether a browser navigates to a page, for example by a link. The user sees the page then, and the site with
/// the link does not.
pub(super) fn is_navigation(head: &Head) -> bool {
    head.method == "GET"
        && head.header("sec-fetch-mode") == Some("navigate")
        && head.header("sec-fetch-dest") == Some("document")
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
    fn browsers_on_other_sites_are_turned_away() {
        let ask = |headers: &[(&str, &str)]| status(headers, check_site);
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
    fn without_a_token_only_names_of_this_machine_are_accepted() {
        let ask = |host| status(&[("host", host)], check_host);
        for host in [
            "localhost",
            "LOCALHOST:80",
            "a.localhost:1",
            "127.0.0.1:3486",
            "127.9.9.9",
            "[::1]:3486",
            "[::1]",
        ] {
            assert_eq!(ask(host), 200, "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:3486",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "localhost.evil",
            "",
        ] {
            assert_eq!(ask(host), 403, "{host}");
        }
    }
}
