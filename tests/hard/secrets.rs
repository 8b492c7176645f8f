//! Ways round the token.

use std::fs;
use std::os::unix::fs::symlink;

use crate::common::Inbox;
use crate::server::{Server, event};

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
    server.logged("others can read the token");
    assert_eq!(server.ask("GET", "/api/updates").status, 401);
    assert_eq!(server.send("GET", "/api/updates", &[("Authorization", TOKEN)], "").status, 200);
}

#[test]
fn no_way_of_writing_a_path_gets_past_it() {
    let server = server();
    for path in [
        "/healthz/",
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
        "http://localhost/healthz",
        "http://healthz/api/updates",
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
            assert!(answer.starts_with("HTTP/1.1 401"), "{method} {path}: {answer}");
        }
    }
    for path in ["/healthz", "/healthz?a=b", "/%68ealthz"] {
        let answer = server.raw(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        assert!(!answer.contains("pending"), "health says nothing of updates");
    }
}

#[test]
fn no_way_of_writing_the_header_gets_past_it() {
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
        "Authorization: Token s3cret-t0ken",
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
fn a_second_request_hidden_in_the_first_is_not_answered() {
    let server = server();
    let hidden =
        "GET /api/updates HTTP/1.1\r\nHost: localhost\r\nAuthorization: s3cret-t0ken\r\n\r\n";
    for first in [
        format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n{hidden}"),
        format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n{hidden}"),
        format!("GET /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!(
            "GET /healthz HTTP/1.1\r\nContent-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}",
            hidden.len()
        ),
        format!("GET /healthz HTTP/1.1\r\nContent-Length: 0\nX: y\r\n\r\n{hidden}"),
        format!(
            "GET /healthz%0d%0a%0d%0aGET%20/api/updates HTTP/1.1\r\nHost: localhost\r\n\r\n{hidden}"
        ),
    ] {
        let answer = server.raw(&first);
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
        assert!(!answer.contains("\r\n\r\n{}"), "{answer}");
    }
}
