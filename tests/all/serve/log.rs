//! The log: one line per request, as text or JSON, that no request can forge.

use std::process::Stdio;

use chrono::DateTime;
use rustix::process::{Pid, Signal, kill_process};

use crate::common::Inbox;
use crate::common::server::{Server, ask_unix, event, eventually};

/// As on a terminal on which someone pressed Ctrl-S.
#[test]
fn a_log_that_nobody_reads_does_not_delay_answers() {
    let inbox = Inbox::new();
    let socket = inbox.path("socket");
    let mut command = Server::command(&inbox);
    command.arg("--listen").arg(format!("unix:{}", socket.display()));
    let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
    eventually("the socket is there", || socket.exists());
    // A pipe holds 64 KiB, which is less than half of their lines.
    for _ in 0..1_000 {
        let path = "x".repeat(100);
        let answer = ask_unix(&socket, &format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert!(answer.contains(" 404 "), "{answer}");
    }
    let id = Pid::from_raw(process.id().try_into().unwrap()).unwrap();
    kill_process(id, Signal::TERM).unwrap();
    eventually("it ends", || process.try_wait().unwrap().is_some());
    assert!(process.wait().unwrap().success());
}

#[test]
fn a_line_has_time_method_path_status_duration_and_client() {
    let server = Server::start();
    assert_eq!(server.ask("GET", "/api/updates?state=pending").status, 200);
    let line = server.logged("GET ");
    let words: Vec<&str> = line.split(' ').collect();
    let [time, method, path, status, duration, client] = words[..] else { panic!("{line}") };
    DateTime::parse_from_rfc3339(time).unwrap();
    assert_eq!((method, path, status), ("GET", "/api/updates?state=pending", "200"));
    duration.strip_suffix("ms").unwrap().parse::<f64>().unwrap();
    assert!(client.starts_with("127.0.0.1:"), "{client}");
}

#[test]
fn a_refusal_says_why() {
    let server = Server::start();
    assert_eq!(server.send("POST", "/webhook", &[], "{}").status, 400);
    assert!(
        server.logged("POST /webhook 400").contains("`image`: an image name is missing or empty")
    );
}

#[test]
fn json_is_for_machines() {
    let server = Server::with(Inbox::new(), &["--log-format", "json"]);
    // The fixture looks for text in the message, which is there in both formats.
    assert_eq!(server.ask("GET", "/api/tags").status, 200);
    assert_eq!(server.ask("PATCH", "/api/updates/a").status, 404);
    server.logged("PATCH");
    for line in server.log() {
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        DateTime::parse_from_rfc3339(line["time"].as_str().unwrap()).unwrap();
        assert_eq!(line["level"], "info");
        if line["method"] == "GET" {
            assert_eq!((&line["path"], &line["status"]), (&"/api/tags".into(), &200.into()));
            assert!(line["ms"].is_f64() && line["client"].is_string(), "{line}");
            assert!(line.get("error").is_none());
        } else if line["method"] == "PATCH" {
            assert!(line["error"].as_str().unwrap().contains("there is no update of"), "{line}");
        } else {
            assert!(line["message"].as_str().unwrap().contains("listens on"), "{line}");
        }
    }
    assert_eq!(server.log().len(), 3);
}

#[test]
fn quiet_leaves_what_is_wrong() {
    let inbox = Inbox::new();
    let socket = inbox.path("inbox.sock");
    let mut command = Server::command(&inbox);
    command.args(["-q", "--listen"]).arg(format!("unix:{}", socket.display()));
    let mut server = Server::spawn_quiet(inbox, command);
    let ask = |path: &str| ask_unix(&socket, &format!("GET {path} HTTP/1.1\r\n\r\n"));
    assert!(ask("/api/tags").starts_with("HTTP/1.1 200"));
    assert!(ask("/nothing").starts_with("HTTP/1.1 404"));
    server.break_database();
    assert!(ask("/healthz").starts_with("HTTP/1.1 503"));
    server.mend_database();
    server.stop();
    server.logged("GET /healthz 503");
    let log = server.log();
    assert_eq!(log.len(), 1, "{log:#?}");
}

#[test]
fn verbose_logs_clients_without_a_request() {
    let server = Server::with(Inbox::new(), &["-v"]);
    drop(server.connect());
    server.logged("asked for nothing");
    let server = Server::start();
    drop(server.connect());
    assert_eq!(server.ask("GET", "/api/tags").status, 200);
    server.logged("/api/tags");
    assert!(!server.log().iter().any(|line| line.contains("asked for nothing")));
}

#[test]
fn no_request_forges_a_line() {
    for format in ["text", "json"] {
        let server = Server::with(Inbox::new(), &["--log-format", format]);
        let name = "a\n2026-01-01T00:00:00Z forged\r\u{1b}[2J\u{202e}";
        // The reason of a refusal quotes the field's name.
        let body = serde_json::json!({"image": 5, name: name}).to_string();
        assert_eq!(server.send("POST", "/webhook", &[], body).status, 400);
        assert_eq!(server.ask("PATCH", "/api/updates/a%0aforged%1b%5B2J%e2%80%ae").status, 404);
        server.raw("GET /\x1b[2J\u{202e} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        server.raw("GET /\u{202e}\u{9b}2J HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(server.ask("GET", "/api/tags").status, 200);
        server.logged("/api/tags");
        let log = server.log();
        assert_eq!(log.len(), 7, "{log:#?}");
        assert!(log.iter().any(|line| line.contains("refused body: ")), "{log:#?}");
        let unsafe_ = |c: char| c.is_control() || c == '\u{202e}';
        assert!(!log.iter().any(|line| line.contains(unsafe_)), "{log:#?}");
        assert!(!log.iter().any(|line| line.starts_with("2026-01-01")), "{log:#?}");
    }
}

#[test]
fn a_long_path_is_cut() {
    let server = Server::start();
    assert_eq!(server.ask("GET", &format!("/{}", "x".repeat(20_000))).status, 404);
    assert!(server.logged("GET /xxx").len() < 1_000);
}

#[test]
fn a_closed_log_does_not_stop_the_server() {
    let inbox = Inbox::new();
    let socket = inbox.path("inbox.sock");
    let (read, write) = std::io::pipe().unwrap();
    drop(read);
    let mut command = Server::command(&inbox);
    command.arg("--listen").arg(format!("unix:{}", socket.display())).stderr(write);
    let mut server = command.spawn().unwrap();
    let body = event("a:1");
    let length = body.len();
    let answer = ask_unix(
        &socket,
        &format!("POST /webhook HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}"),
    );
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}
