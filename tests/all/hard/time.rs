//! A clock that jumps: times in the future, and invalid times.

use serde_json::json;

use crate::common::{Inbox, event, event_with};

/// The clock was years ahead when these were taken in and acknowledged, and is right again.
fn from_the_future() -> Inbox {
    let inbox = Inbox::new();
    inbox.take(&[event("docker.io/x/a:1"), event("docker.io/x/b:1"), event("docker.io/x/c:1")]);
    inbox.diunbox(["ack", "x/b:1"]).assert().success();
    inbox.sql(
        "UPDATE updates SET received_at = '2099-01-01T00:00:00Z', received = 4070908800000,
            since = 4070908800000;
         UPDATE places SET first_seen = 4070908800000, last_seen = 4070908800000;
         UPDATE updates SET acknowledged_at = '2099-01-01 00:00:00' WHERE image LIKE '%b:1'",
    );
    inbox
}

#[test]
fn updates_of_the_future_show_and_can_be_acknowledged() {
    let inbox = from_the_future();
    assert_eq!(inbox.lines(["list", "-q"]), ["docker.io/x/a:1", "docker.io/x/c:1"]);
    assert_eq!(
        inbox.lines(["list", "-q", "--since", "1h"]),
        ["docker.io/x/a:1", "docker.io/x/c:1"]
    );
    for arguments in [&["list", "--all"][..], &["show", "x/a:1"], &["status"]] {
        let text = inbox.output(arguments.iter().copied());
        assert!(text.contains("now"), "{text}");
    }
    inbox.diunbox(["ack", "x/a:1"]).assert().success();
    assert_eq!(inbox.lines(["list", "-q"]), ["docker.io/x/c:1"]);
}

#[test]
fn an_event_after_the_clock_jump_is_pending() {
    let inbox = from_the_future();
    let newer = |image: &str, host: &str| {
        event_with(image, &json!({"digest": "sha256:02", "hostname": host}))
    };
    inbox.take(&[newer("docker.io/x/b:1", "edge-1"), newer("docker.io/x/c:1", "edge-2")]);
    let shown = inbox.json(["show", "x/b:1"]);
    assert_eq!(shown["acknowledged"], false, "{shown}");
    assert!(!shown["received_at"].as_str().unwrap().starts_with("2099"));
    assert_eq!(shown["where"][0]["times"], 2);
    assert_eq!(inbox.json(["show", "x/c:1"])["places"], 2);
    assert_eq!(inbox.lines(["list", "-q", "--host", "edge-2"]), ["docker.io/x/c:1"]);
}

#[test]
fn nothing_in_the_future_is_pruned() {
    let inbox = from_the_future();
    inbox.diunbox(["prune", "--older-than", "1day"]).assert().success();
    assert_eq!(inbox.lines(["list", "-q", "--all"]).len(), 3);
}

#[test]
fn rows_with_invalid_times_are_listed() {
    let inbox = Inbox::new();
    inbox.take(&[
        event("docker.io/x/a:1"),
        event("docker.io/x/b:1"),
        event("docker.io/x/c:1"),
        event("docker.io/x/d:1"),
    ]);
    inbox.sql(
        "UPDATE updates SET received_at = 'yesterday' WHERE image LIKE '%a:1';
         UPDATE updates SET received_at = x'ff00', created = 9e999 WHERE image LIKE '%b:1';
         UPDATE updates SET acknowledged_at = 'soon' WHERE image LIKE '%c:1';
         UPDATE updates SET since = 9223372036854775807, received = -9223372036854775808
            WHERE image LIKE '%d:1';
         UPDATE places SET first_seen = 9223372036854775807, last_seen = -9223372036854775808
            WHERE image LIKE '%d:1'",
    );
    assert_eq!(inbox.lines(["list", "-q", "--all", "--sort", "image"]).len(), 4);
    for format in ["table", "json", "ndjson"] {
        inbox.diunbox(["list", "--all", "--format", format]).assert().success();
        for image in ["x/a:1", "x/b:1", "x/c:1", "x/d:1"] {
            inbox.diunbox(["show", image, "--format", format]).assert().success();
        }
    }
    inbox.diunbox(["list", "--sort", "created"]).assert().success();
    inbox.diunbox(["status"]).assert().success();
    inbox.take(&[
        event("docker.io/x/a:1"),
        event("docker.io/x/b:1"),
        event("docker.io/x/c:1"),
        event("docker.io/x/d:1"),
    ]);
    inbox.diunbox(["ack", "--all"]).assert().success();
    assert!(inbox.lines(["list", "-q"]).is_empty());
}
