//! Attempts to get around the token.

use std::fs;
use std::os::unix::fs::symlink;

use crate::common::Inbox;
use crate::common::server::{Server, event};

const TOKEN: &str = "s3cret-t0ken";

fn server() -> Server {
    let inbox = Inbox::new();
    fs::write(inbox.path("secret"), TOKEN).unwrap();
    fs::set_permissions(inbox.path("secret"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .unwrap();
    symlink("secret", inbox.path("link")).unwrap();
    let file = inbox.path("link");
    Server::with(inbox, &["--token-file", file.to_str().unwrap()])
}

#[test]
fn a_link_to_a_token_that_others_can_read_gets_the_warning() {
    let server = server();
    server.logged("is readable by other users");
    assert_eq!(server.ask("GET", "/api/updates").status, 401);
    assert_eq!(server.send("GET", "/api/updates", &[("Authorization", TOKEN)], "").status, 200);
}

#[test]
fn no_spelling_of_a_path_gets_past_it() {
    let server = server();
    for path in [
        "/healthz//",
        "/healthz/../api/updates",
        "/healthz%2f..%2fapi%2fupdates",
        "//healthz",
        "/HEALTHZ",
        "/healthz;/api/updates",
        "/healthz%00/api/updates",
        "/./api/updates",
        "/%61pi/updates",
        "/api/updates/",
        "/api/updates?/healthz",
        "/api/updates#/healthz",
        "/api/updates%3f/healthz",
        "ftp://localhost/healthz",
        "http://localhost/x/healthz",
        "http://healthz/api/updates",
        "http://localhost?/healthz",
        "*",
        "/metrics?",
        "/%2e/metrics",
        "/webhook%20",
        "/nothing",
    ] {
        for method in ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
        {
            let answer = server.raw(format!(
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}"
            ));
            // A browser that asks for the page is sent to the login.
            let is_page = method == "GET" && path == "http://localhost?/healthz";
            let status = if is_page { "HTTP/1.1 303" } else { "HTTP/1.1 401" };
            assert!(answer.starts_with(status), "{method} {path}: {answer}");
        }
    }
    for path in ["/healthz", "/healthz?a=b", "/%68ealthz", "/healthz/", "http://localhost/healthz"]
    {
        let answer = server.raw(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        assert!(!answer.contains("pending"), "health says nothing of updates");
    }
}

#[test]
fn no_spelling_of_the_header_gets_past_it() {
    let server = server();
    let event = event("a:1");
    let length = event.len();
    for headers in [
        "Authorization: ",
        "Authorization: Bearer",
        "Authorization: Bearer ",
        "Authorization: s3cret",
        "Authorization: s3cret-t0ken ,",
        "Authorization: s3cret-t0ken\u{0}",
        "Authorization: \"s3cret-t0ken\"",
        "Authorization: Bearer Bearer s3cret-t0ken",
        "Authorization: s3cret-t0ken s3cret-t0ken",
        "Authorization: Basic czNjcmV0LXQwa2Vu",
        "Authorization: Basic s3cret-t0ken",
        "Authorization: Digest s3cret-t0ken",
        "Authorization: S3CRET-T0KEN",
        "Authorisation: s3cret-t0ken",
        "Authorization : s3cret-t0ken",
        "X: y\r\n Authorization: s3cret-t0ken",
        "Cookie: s3cret-t0ken",
        "Proxy-Authorization: s3cret-t0ken",
        "Authorization: wrong\r\nAuthorization: s3cret-t0ken",
        "Authorization: s3cret-t0ken\r\nAuthorization: wrong",
        "Authorization: s3cret-t0ken\r\nOrigin: http://evil.example",
        "Authorization: s3cret-t0ken\r\nSec-Fetch-Site: cross-site",
    ] {
        let answer = server.raw(format!(
            "POST /webhook HTTP/1.1\r\nHost: localhost\r\n{headers}\r\nContent-Length: {length}\r\n\r\n{event}"
        ));
        let refused = ["400", "401", "403"].map(|code| format!("HTTP/1.1 {code}"));
        assert!(refused.iter().any(|code| answer.starts_with(code)), "{headers:?}: {answer}");
        assert!(!answer.contains(TOKEN));
    }
    let mine = [("Authorization", TOKEN)];
    assert_eq!(server.send("GET", "/api/updates", &mine, "").json(), serde_json::json!({}));
    assert!(server.log().iter().all(|line| !line.contains(TOKEN)), "{:#?}", server.log());
}

#[test]
fn requests_on_one_connection_are_each_checked_and_never_hidden() {
    let server = server();
    let second = "GET /api/updates HTTP/1.1\r\nHost: localhost\r\n";
    let first =
        |headers: &str| format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    for (headers, body) in [
        ("", ""),
        ("Content-Length: 0\r\n", ""),
        ("Content-Length: 5\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n"),
    ] {
        let first = format!("{}{body}", first(headers));
        for (token, status) in [("", 401), ("Authorization: s3cret-t0ken\r\n", 200)] {
            let answer = server.raw(format!("{first}{second}{token}\r\n"));
            let (health, updates) = answer.split_once("{\"status\":\"ok\"}\n").unwrap();
            assert!(health.starts_with("HTTP/1.1 200 "), "{headers:?}: {answer}");
            assert!(updates.starts_with(&format!("HTTP/1.1 {status} ")), "{headers:?}: {answer}");
        }
    }
    // Where two parsers could see different ends of a request, nothing after it is answered.
    let second = format!("{second}Authorization: s3cret-t0ken\r\n\r\n");
    let length = second.len();
    for (headers, body) in [
        (format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"), "0\r\n\r\n"),
        (format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n"), "0\r\n\r\n"),
        (format!("Content-Length: 0\r\nContent-Length: {length}\r\n"), ""),
        ("Content-Length: 0, 0\r\n".into(), ""),
        ("Content-Length: +0\r\n".into(), ""),
        ("Content-Length: 0x0\r\n".into(), ""),
        ("Content-Length: \r\n".into(), ""),
        ("Content-Length : 0\r\n".into(), ""),
        ("X: y\r\n Content-Length: 0\r\n".into(), ""),
        ("Transfer-Encoding: identity\r\n".into(), ""),
        ("Transfer-Encoding: chunked, identity\r\n".into(), "0\r\n\r\n"),
        ("Transfer-Encoding: \x0bchunked\r\n".into(), "0\r\n\r\n"),
        ("Transfer-Encoding : chunked\r\n".into(), "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n".into(), "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n".into(), "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n".into(), "\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n".into(), ";x\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n".into(), "-0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n".into(), "0x0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n".into(), "0\n\r\n"),
        ("Transfer-Encoding: chunked\r\n".into(), "0\r\nX: y\n\n"),
        ("Transfer-Encoding: chunked\r\n".into(), "1\r\na\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n".into(), "1\r\nab\r\n0\r\n\r\n"),
    ] {
        let answer = server.raw(format!("{}{body}{second}", first(&headers)));
        assert_eq!(answer.matches("\r\nDate: ").count(), 1, "{headers:?} {body:?}: {answer}");
        assert!(!answer.starts_with("HTTP/1.1 2"), "{headers:?} {body:?}: {answer}");
    }
    let ten = first("").replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(server.raw(format!("{ten}{second}")).matches("\r\nDate: ").count(), 1);
}
