//! Refused webhook requests are counted and shown, because Diun does not repeat them.

use std::fs;

use serde_json::json;

use crate::common::Inbox;
use crate::common::server::{Server, event, eventually};

const TOKEN: (&str, &str) = ("Authorization", "a-token-that-is-long");

fn start(inbox: Inbox) -> Server {
    let file = inbox.path("token");
    fs::write(&file, format!("{}\nhomepage:read another-that-is-long\n", TOKEN.1)).unwrap();
    Server::with(inbox, &["--token-file", file.to_str().unwrap()])
}

/// How often each reason was counted, by name.
fn counts(inbox: &Inbox) -> Vec<(String, u64)> {
    let status = inbox.json(["status"]);
    let refused = status["refused"].as_array().unwrap().iter();
    let mut counts: Vec<_> = refused
        .map(|one| (one["reason"].as_str().unwrap().to_owned(), one["count"].as_u64().unwrap()))
        .collect();
    counts.sort();
    counts
}

#[test]
fn refused_events_are_counted_by_reason() {
    let mut server = start(Inbox::new());
    let send = |headers: &[(&str, &str)], body: &str| {
        server.send("POST", "/webhook", headers, body).status
    };
    assert_eq!(send(&[], &event("a:1")), 401);
    assert_eq!(send(&[("Authorization", "wrong")], &event("a:1")), 401);
    assert_eq!(send(&[("Authorization", "another-that-is-long")], &event("a:1")), 403);
    assert_eq!(send(&[TOKEN], "no event"), 400);
    assert_eq!(send(&[TOKEN], ""), 400);
    assert_eq!(send(&[TOKEN], &"x".repeat(2 << 20)), 413);
    // These are not refused events.
    assert_eq!(send(&[TOKEN], &event("a:1")), 204);
    assert_eq!(server.send("GET", "/webhook", &[TOKEN], "").status, 405);
    assert_eq!(server.ask("GET", "/api/summary").status, 401);
    // What was counted is stored at the latest when the server stops.
    server.stop();
    let expected = [("event", 2), ("forbidden", 1), ("size", 1), ("token", 2)];
    let expected = expected.map(|(reason, count)| (reason.to_owned(), count));
    assert_eq!(counts(&server.inbox), expected);
    assert_eq!(server.inbox.json(["status"])["refused_requests"], 6);
    let status = server.inbox.output(["status"]);
    assert!(status.contains("; 6 webhook requests refused, last now ("), "{status}");
    assert!(status.contains("2 without a valid token"), "{status}");
    let hosts = server.inbox.diunbox(["hosts"]).output().unwrap();
    let note = String::from_utf8(hosts.stderr).unwrap();
    assert!(note.starts_with("diunbox: 6 webhook requests refused"), "{note}");
    // Another server of the inbox goes on counting.
    let inbox = std::mem::replace(&mut server.inbox, Inbox::new());
    let server = start(inbox);
    assert_eq!(server.send("PUT", "/webhook/", &[], event("a:1")).status, 401);
    eventually("it is counted", || counts(&server.inbox)[3].1 == 3);
    let metrics = server.send("GET", "/metrics", &[TOKEN], "").body;
    assert!(metrics.contains("diunbox_webhook_refused_total{reason=\"token\"} 3\n"), "{metrics}");
    let last = "diunbox_webhook_refused_last_timestamp_seconds{reason=\"size\"} ";
    assert!(metrics.contains(last), "{metrics}");
    let summary = server.send("GET", "/api/summary", &[TOKEN], "").json();
    assert_eq!(summary["refused"][0]["reason"], json!("token"));
}
