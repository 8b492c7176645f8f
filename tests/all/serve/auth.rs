//! Access: the token, the rule for addresses, and the rule for browsers.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use predicates::prelude::*;

use crate::common::Inbox;
use crate::common::server::{Server, event};

const TOKEN: &str = "s3cret-t0ken";

/// A server with a token in a file of this mode.
fn server_with_token(mode: u32) -> Server {
    let inbox = Inbox::new();
    let file = inbox.path("token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    Server::with(inbox, &["-v", "--token-file", file.to_str().unwrap()])
}

#[test]
fn a_token_is_asked_of_everything_but_healthz() {
    let server = server_with_token(0o600);
    assert!(server.logged("listens on").ends_with("token needed"));
    let event = event("a:1");
    let requests = [
        ("POST", "/webhook", event.as_str(), 204),
        ("GET", "/webhook", "", 405),
        ("GET", "/api/updates", "", 200),
        ("GET", "/api/updates/a:1", "", 200),
        ("PATCH", "/api/updates/a:1", "", 204),
        ("GET", "/api/tags", "", 200),
        ("POST", "/api/tags", "{\"name\": \"web\"}", 201),
        ("PUT", "/api/tag-assignments", "{\"image\": \"a:1\", \"tag_id\": 1}", 204),
        ("DELETE", "/api/tags/1", "", 204),
        ("GET", "/api/summary", "", 200),
        ("GET", "/api/hosts", "", 200),
        ("GET", "/metrics", "", 200),
        ("GET", "/nothing", "", 404),
    ];
    for (method, path, body, _) in requests {
        for headers in [
            &[][..],
            &[("Authorization", "wrong")][..],
            &[("Authorization", "Basic s3cret-t0ken")][..],
        ] {
            let answer = server.send(method, path, headers, body);
            assert_eq!(answer.status, 401, "{method} {path} {headers:?}");
            assert_eq!(answer.header("www-authenticate"), "Basic realm=\"diunbox\", Bearer");
            assert!(answer.error().contains("token"), "{}", answer.error());
        }
    }
    assert_eq!(server.ask("GET", "/healthz").status, 200);
    for (method, path, body, status) in requests {
        let headers = [("Authorization", TOKEN)];
        assert_eq!(server.send(method, path, &headers, body).status, status, "{method} {path}");
    }
    for way in ["Bearer s3cret-t0ken", "Token s3cret-t0ken", "Basic ZGl1bjpzM2NyZXQtdDBrZW4="] {
        let headers = [("authorization", way)];
        assert_eq!(server.send("GET", "/api/updates", &headers, "").status, 200, "{way}");
    }
}

#[test]
fn the_token_is_nowhere_to_be_seen() {
    let mut server = server_with_token(0o600);
    assert_eq!(server.send("GET", "/metrics", &[("Authorization", TOKEN)], "").status, 200);
    let wrong = server.send("GET", "/metrics", &[("Authorization", "s3cret-t0ken2")], "");
    assert!(!wrong.body.contains(TOKEN));
    // What this answers 431 to could be quoted in the log.
    server
        .raw(format!("GET / HTTP/1.1\r\nAuthorization: {TOKEN}\r\n{}\r\n", "a: b\r\n".repeat(200)));
    let command_line = server.process("cmdline");
    assert!(command_line.contains("--token-file") && !command_line.contains(TOKEN));
    server.stop();
    let log = server.log();
    assert!(log.iter().all(|line| !line.contains(TOKEN)), "{log:#?}");
}

#[test]
fn the_token_can_be_in_the_environment() {
    let inbox = Inbox::new();
    let mut command = Server::command(&inbox);
    command.args(["--listen", "127.0.0.1:0"]).env("DIUNBOX_TOKEN", TOKEN);
    let server = Server::spawn(inbox, command);
    assert_eq!(server.ask("GET", "/metrics").status, 401);
    assert_eq!(server.send("GET", "/metrics", &[("Authorization", TOKEN)], "").status, 200);
}

#[test]
fn a_token_that_others_can_read_gets_a_warning() {
    assert!(server_with_token(0o604).log()[0].contains("is readable by other users"));
    for mode in [0o600, 0o640] {
        let lines = server_with_token(mode).log();
        assert!(!lines.iter().any(|line| line.contains("others can read")), "{lines:?}");
    }
    // What is not a file of this user's cannot be given another mode.
    let inbox = Inbox::new();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--token-file", "/dev/null"];
    inbox.diunbox(serve).assert().code(2).stderr(predicate::str::contains("chmod").not());
}

#[test]
fn an_invalid_token_is_refused() {
    let inbox = Inbox::new();
    let file = inbox.path("token");
    let serve = || inbox.diunbox(["serve", "--listen", "127.0.0.1:0"]);
    for (token, reason) in [("", "it is empty"), (" \n", "it is empty"), ("a b", "white space")] {
        fs::write(&file, token).unwrap();
        let path = file.to_str().unwrap();
        let error = predicate::str::contains(reason).and(predicate::str::contains(path));
        serve().args(["--token-file", path]).assert().code(2).stderr(error);
        let error = predicate::str::contains(reason).and(predicate::str::contains("DIUNBOX_TOKEN"));
        serve().env("DIUNBOX_TOKEN", token).assert().code(2).stderr(error);
    }
    let error = predicate::str::contains("not UTF-8").and(predicate::str::contains("s3cret").not());
    serve().env("DIUNBOX_TOKEN", OsStr::from_bytes(b"s3cret\xff")).assert().code(2).stderr(error);
    let missing = predicate::str::contains("cannot read the token in /nowhere/token");
    serve().args(["--token-file", "/nowhere/token"]).assert().code(2).stderr(missing);
}

#[test]
fn without_a_token_it_listens_on_loopback_only() {
    let inbox = Inbox::new();
    for address in ["0.0.0.0:0", "[::ffff:0.0.0.0]:0"] {
        let error = predicate::str::contains("reachable from other hosts")
            .and(predicate::str::contains("--token-file"))
            .and(predicate::str::contains("--allow-unauthenticated"));
        inbox.diunbox(["serve", "--listen", address]).assert().code(2).stderr(error);
    }
    assert!(!inbox.database().exists());
    let mut command = Server::command(&inbox);
    command.args(["--listen", "0.0.0.0:0", "--allow-unauthenticated"]);
    let server = Server::spawn(inbox, command);
    // Others reach it by names that nobody here knows.
    let headers = [("Host", "inbox.example:3486")];
    assert_eq!(server.send("POST", "/webhook", &headers, event("a:1")).status, 204);
}

#[test]
fn a_page_of_another_site_is_turned_away() {
    let server = Server::start();
    let own = format!("http://{}", server.host());
    let ask = |headers: &[(&str, &str)]| server.send("GET", "/api/updates", headers, "").status;
    assert_eq!(ask(&[("Origin", &own), ("Sec-Fetch-Site", "same-origin")]), 200);
    assert_eq!(ask(&[("Sec-Fetch-Site", "none")]), 200);
    assert_eq!(ask(&[("Origin", "https://evil.example")]), 403);
    assert_eq!(ask(&[("Origin", "null")]), 403);
    assert_eq!(ask(&[("Sec-Fetch-Site", "cross-site")]), 403);
    // A name of the site's own that leads to this machine.
    assert_eq!(ask(&[("Host", "evil.example")]), 403);
    assert_eq!(ask(&[("Host", "localhost:1")]), 200);
    let headers = [("Origin", "https://evil.example")];
    assert_eq!(server.send("POST", "/webhook", &headers, event("a:1")).status, 403);
    assert_eq!(server.send("PATCH", "/api/updates/a:1", &headers, "").status, 403);
    assert_eq!(server.ask("GET", "/api/updates").json(), serde_json::json!({}));
    // With a token the name does not matter: behind a reverse proxy it is another.
    let server = server_with_token(0o600);
    let headers = [("Host", "inbox.example"), ("Authorization", TOKEN)];
    assert_eq!(server.send("GET", "/api/updates", &headers, "").status, 200);
}
