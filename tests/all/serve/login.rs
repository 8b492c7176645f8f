//! Access: cookies, named tokens, a trusted proxy, and browsers that come from another site.

use std::fs;

use crate::common::Inbox;
use crate::common::server::{Server, event};

const TOKEN: &str = "a-long-enough-token";

/// A server with these lines in its token file.
fn server(tokens: &str, arguments: &[&str]) -> Server {
    let inbox = Inbox::new();
    let file = inbox.path("token");
    fs::write(&file, tokens).unwrap();
    let file = file.to_str().unwrap().to_owned();
    let server = Server::with(inbox, &[&["--token-file", &file], arguments].concat());
    let inbox = &server.inbox;
    inbox.diunbox(["-q", "ingest"]).write_stdin(event("a:1")).assert().success();
    server
}

fn get(server: &Server, path: &str, headers: &str) -> String {
    server.raw(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"))
}

fn status(answer: &str) -> u16 {
    answer[9..12].parse().unwrap()
}

/// A header's value, empty where there is none.
fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let start = format!("\r\n{name}: ");
    let found = answer.split_once(&start).map(|(_, rest)| rest.split("\r\n").next().unwrap());
    found.unwrap_or_default()
}

fn log_in(server: &Server, token: &str, next: &str, headers: &str) -> String {
    let body = format!("token={token}&next={next}");
    let length = body.len();
    server.raw(format!(
        "POST /login HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    ))
}

#[test]
fn a_browser_logs_in_once() {
    let server = server(TOKEN, &[]);
    let answer = get(&server, "/?tag=web&by=host", "");
    assert_eq!(
        (status(&answer), header(&answer, "Location")),
        (303, "login?next=tag%3Dweb%26by%3Dhost")
    );
    let form = get(&server, "/login?next=tag%3Dweb%22%3E", "");
    assert!(form.contains("value=\"tag=web&quot;&gt;\""), "{form}");
    assert_eq!(status(&get(&server, "/style.css", "")), 200);
    assert_eq!(status(&get(&server, "/script.js", "")), 401);

    let answer = log_in(&server, TOKEN, "tag%3Dweb", "");
    assert_eq!((status(&answer), header(&answer, "Location")), (303, "./?tag=web"));
    let cookie = header(&answer, "Set-Cookie");
    assert!(cookie.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = format!("Cookie: other=1; {}\r\n", cookie.split(';').next().unwrap());
    for path in ["/", "/script.js", "/api/inbox", "/metrics"] {
        assert_eq!(status(&get(&server, path, &cookie)), 200, "{path}");
    }
    // Behind TLS it is for TLS alone.
    let answer = log_in(&server, TOKEN, "", "X-Forwarded-Proto: https\r\n");
    assert!(header(&answer, "Set-Cookie").ends_with("; Secure"), "{answer}");
    let answer = server.raw("POST /logout HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(header(&answer, "Set-Cookie").starts_with("diunbox=; Path=/; Max-Age=0;"), "{answer}");
}

#[test]
fn a_login_leads_nowhere_else_and_a_new_token_ends_it() {
    let server = server(TOKEN, &[]);
    for (next, target) in [
        ("", "./"),
        ("https%3A%2F%2Fevil.example%2F", "./?https%3A%2F%2Fevil.example%2F="),
        ("%2F%2Fevil.example", "./?%2F%2Fevil.example="),
        ("a%0D%0AX%3A+1", "./?a%0D%0AX%3A+1="),
    ] {
        assert_eq!(header(&log_in(&server, TOKEN, next, ""), "Location"), target);
    }
    let answer = log_in(&server, "wrong", "", "");
    assert_eq!((status(&answer), header(&answer, "Set-Cookie")), (403, ""));
    let answer = log_in(&server, TOKEN, "", "");
    let cookie = header(&answer, "Set-Cookie").split(';').next().unwrap();
    let cookie = format!("Cookie: {cookie}\r\n");
    let other = self::server("another-long-token", &[]);
    assert_eq!(status(&get(&other, "/api/inbox", &cookie)), 401);
    let same = self::server(TOKEN, &[]);
    assert_eq!(status(&get(&same, "/api/inbox", &cookie)), 200, "each server of an inbox takes it");
}

#[test]
fn the_pages_own_requests_open_no_dialog_of_the_browser() {
    let server = server(TOKEN, &[]);
    let challenge =
        |headers| header(&get(&server, "/api/inbox", headers), "WWW-Authenticate").to_owned();
    assert!(challenge("").starts_with("Basic realm="));
    assert_eq!(challenge("X-Diunbox-Page: 1\r\n"), "");
    let answer = get(&server, "/api/changes", "Accept: text/event-stream\r\n");
    assert_eq!((status(&answer), header(&answer, "WWW-Authenticate")), (401, ""));
    // Who sends a header that is wrong wants no form.
    assert_eq!(status(&get(&server, "/", "Authorization: wrong\r\n")), 401);
    assert_eq!(status(&get(&server, "/", &format!("Authorization: {TOKEN}\r\n"))), 200);
}

#[test]
fn a_link_on_another_site_opens_only_the_page() {
    let server = server(TOKEN, &[]);
    let from = |mode: &str, dest: &str| {
        format!(
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: {mode}\r\nSec-Fetch-Dest: {dest}\r\n"
        )
    };
    // The cookie does not come along, so the browser is to ask once more.
    let answer = get(&server, "/", &from("navigate", "document"));
    assert_eq!(status(&answer), 200);
    assert!(answer.contains("http-equiv=\"refresh\"") && !answer.contains("a:1"), "{answer}");
    assert_eq!(status(&get(&server, "/login", &from("navigate", "document"))), 200);
    for (path, mode, dest) in [
        ("/", "no-cors", "image"),
        ("/", "navigate", "iframe"),
        ("/api/inbox", "navigate", "document"),
        ("/script.js", "no-cors", "script"),
    ] {
        assert_eq!(status(&get(&server, path, &from(mode, dest))), 403, "{path} {mode} {dest}");
    }
}

#[test]
fn a_rebound_name_does_not_open_the_page() {
    let server = Server::start();
    let navigates =
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    for path in ["/", "/login", "/api/inbox"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: evil.example:3486\r\n{navigates}\r\n");
        assert_eq!(status(&server.raw(request)), 403, "{path}");
    }
    assert_eq!(status(&get(&server, "/", navigates)), 200);
}

#[test]
fn a_token_has_a_name_and_a_scope() {
    let server =
        server("ann:all token-of-ann\nwall:read token-of-wall\ndiun:webhook token-of-diun", &[]);
    let ask = |method: &str, path: &str, token: &str, body: &str| {
        server.send(method, path, &[("Authorization", token)], body).status
    };
    assert_eq!(ask("POST", "/webhook", "token-of-diun", &event("b:1")), 204);
    assert_eq!(ask("GET", "/api/inbox", "token-of-diun", ""), 403);
    assert_eq!(ask("GET", "/api/inbox", "token-of-wall", ""), 200);
    assert_eq!(ask("PATCH", "/api/updates/a:1", "token-of-wall", ""), 403);
    assert_eq!(ask("POST", "/webhook", "token-of-wall", &event("c:1")), 403);
    assert_eq!(ask("POST", "/api/running", "token-of-wall", "[]"), 403);
    assert_eq!(ask("PATCH", "/api/updates/a:1", "token-of-ann", ""), 204);
    let history =
        server.send("GET", "/api/history", &[("Authorization", "token-of-ann")], "").json();
    assert_eq!(
        (&history["actions"][0]["user"], &history["actions"][0]["origin"]),
        (&"ann".into(), &"http".into())
    );
    // One that may not read cannot log in.
    assert_eq!(status(&log_in(&server, "token-of-diun", "", "")), 403);
}

#[test]
fn a_trusted_proxy_names_its_users_and_nobody_else_does() {
    let proxied = server(TOKEN, &["--trusted-proxy", "127.0.0.1", "--user-header", "X-User"]);
    let page = [("X-User", "ann"), ("X-Diunbox-Page", "1")];
    assert_eq!(proxied.send("PATCH", "/api/updates/a:1", &page, "").status, 204);
    let history = proxied.send("GET", "/api/history", &page, "").json();
    let entry = &history["actions"][0];
    assert_eq!((&entry["user"], &entry["origin"]), (&"ann".into(), &"page".into()));
    assert_eq!(status(&get(&proxied, "/api/inbox", "")), 401);
    assert_eq!(status(&get(&proxied, "/api/inbox", "Remote-User: ann\r\n")), 401);
    let other = server(TOKEN, &["--trusted-proxy", "127.0.0.2"]);
    assert_eq!(status(&get(&other, "/api/inbox", "Remote-User: ann\r\n")), 401);
    let inbox = Inbox::new();
    inbox.diunbox(["serve", "--user-header", "X"]).assert().code(2);
}

#[test]
fn everything_is_below_the_base_path_too() {
    let server = server(TOKEN, &["--base-path", "/inbox/"]);
    let answer = get(&server, "/inbox", "");
    assert_eq!((status(&answer), header(&answer, "Location")), (308, "/inbox/"));
    let answer = get(&server, "/inbox/", "");
    assert_eq!((status(&answer), header(&answer, "Location")), (303, "login"));
    let answer = log_in(&server, TOKEN, "", "");
    assert!(header(&answer, "Set-Cookie").contains("; Path=/inbox/;"), "{answer}");
    let token = format!("Authorization: {TOKEN}\r\n");
    for path in ["/inbox/api/inbox", "/api/inbox", "/inbox/healthz", "/healthz", "/inbox/"] {
        assert_eq!(status(&get(&server, path, &token)), 200, "{path}");
    }
    assert_eq!(status(&get(&server, "/inboxes/api/inbox", &token)), 404);
    for wrong in ["inbox", "/a b", "/a?b", "/a\"b"] {
        Inbox::new().diunbox(["serve", "--base-path", wrong]).assert().code(2);
    }
}
