//! Diun's heartbeats.

use serde_json::{Value, json};

use crate::common::Inbox;
use crate::common::server::{Server, event};

/// What Diun posts after a scan.
const SCANNED: &str = "3 tag(s) have been scanned:\n* 0 new tag(s) found\n* 0 tag(s) updated\n\
    * 2 tag(s) unchanged\n* 0 tag(s) skipped\n* 1 tag(s) with error";

/// A server with a token, and the name for the heartbeats of a host.
fn server() -> (Server, String) {
    let inbox = Inbox::new();
    let output = inbox.diunbox(["hosts", "--ping", "nas.lan"]).assert().success();
    let name = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let mut command = Server::command(&inbox);
    command.args(["--listen", "127.0.0.1:0"]).env("DIUNBOX_TOKEN", "a-token-that-is-long");
    (Server::spawn(inbox, command), name.trim().to_owned())
}

fn hosts(server: &Server) -> Value {
    let headers = [("authorization", "a-token-that-is-long")];
    server.send("GET", "/api/hosts", &headers, "").json()
}

#[test]
fn a_heartbeat_needs_its_secret_and_no_token() {
    let (server, name) = server();
    assert_eq!(hosts(&server)[0]["last_scan"], Value::Null);
    for (path, body) in [(format!("/ping/{name}/start"), ""), (format!("/ping/{name}"), SCANNED)] {
        assert_eq!(server.send("POST", &path, &[], body).status, 204, "{path}");
    }
    let host = &hosts(&server)[0];
    assert_eq!(
        (&host["host"], &host["scanned"], &host["failed"]),
        (&json!("nas.lan"), &json!(3), &json!(1))
    );
    assert!(host["last_scan"].as_str().unwrap().ends_with('Z'));
    assert_eq!(host["scan_failed"], false);
    assert_eq!(server.send("POST", &format!("/ping/{name}/fail"), &[], "").status, 204);
    assert_eq!(hosts(&server)[0]["scan_failed"], true);
    let headers = [("authorization", "a-token-that-is-long")];
    let summary = server.send("GET", "/api/summary", &headers, "").json();
    assert_eq!(
        (&summary["hosts_in_trouble"], &summary["images_not_checked"]),
        (&json!(1), &json!(1))
    );
    let metrics = server.send("GET", "/metrics", &headers, "").body;
    assert!(metrics.contains("diunbox_host_images_not_checked{host=\"nas.lan\"} 1\n"), "{metrics}");
    assert!(metrics.contains("diunbox_host_scan_overdue{host=\"nas.lan\"} 1\n"), "{metrics}");
    assert!(!metrics.contains("diunbox_host_last_event_timestamp_seconds{"), "{metrics}");
}

#[test]
fn an_unknown_name_changes_nothing() {
    let (server, name) = server();
    let secret = name.rsplit('.').next().unwrap().to_owned();
    let other = format!("other.{secret}");
    for name in ["nas.lan", "nas.lan.", "nas.lan.0000", "x", "", ".", &secret, &other] {
        let answer = server.send("POST", &format!("/ping/{name}"), &[], SCANNED);
        assert!([401, 404].contains(&answer.status), "{name}: {}", answer.status);
    }
    assert_eq!(server.send("POST", &format!("/ping/{name}/stop"), &[], "").status, 404);
    assert_eq!(server.ask("GET", &format!("/ping/{name}")).status, 405);
    assert_eq!(hosts(&server)[0]["scanned"], Value::Null);
    // It is refused before its body is read.
    let claim = "POST /ping/x.y HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n";
    assert!(server.raw(claim).starts_with("HTTP/1.1 404 "));
    // The name opens nothing else.
    let headers = [("authorization", name.as_str())];
    assert_eq!(server.send("GET", "/api/hosts", &headers, "").status, 401);
}

#[test]
fn the_secret_reaches_no_log() {
    let (mut server, name) = server();
    let secret = name.rsplit('.').next().unwrap().to_owned();
    assert_eq!(server.send("POST", &format!("/ping/{name}/start"), &[], "").status, 204);
    assert_eq!(server.send("POST", &format!("/ping/{name}/x"), &[], "").status, 404);
    server.stop();
    let log = server.log().join("\n");
    assert!(log.contains("POST /ping/nas.lan.…/start 204") && !log.contains(&secret), "{log}");
}

#[test]
fn a_host_is_known_by_events_or_by_heartbeats() {
    let server = Server::start();
    assert_eq!(server.send("POST", "/webhook", &[], event("a:1")).status, 204);
    let output = server.inbox.output(["hosts", "--ping", "nas"]);
    assert_eq!(server.inbox.output(["hosts", "--ping", "nas"]), output, "the name stays");
    let table = server.inbox.output(["hosts"]);
    let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(
        rows[0],
        ["HOST", "PENDING", "LAST", "EVENT", "LAST", "RECONCILE", "LAST", "SCAN", "SCAN"]
    );
    assert_eq!(rows[1], ["edge-1", "1", "now", "-", "-", "-"]);
    assert_eq!(rows[2], ["nas", "0", "-", "-", "-", "-"]);
    assert_eq!(server.send("POST", &format!("/ping/{}/fail", output.trim()), &[], "").status, 204);
    assert!(server.inbox.output(["hosts"]).contains("the last scan failed"));
    assert!(server.inbox.output(["status"]).ends_with("; look at Diun on nas\n"));
    assert_eq!(server.inbox.json(["status"])["hosts_in_trouble"], 1);
    let ended = format!("/ping/{}", output.trim());
    assert_eq!(server.send("POST", &ended, &[], SCANNED).status, 204);
    assert!(server.inbox.output(["hosts"]).ends_with("  1 image not checked\n"));
    assert_eq!(server.inbox.json(["hosts"])[1]["host"], "nas");
    for host in ["", "a b", "a/b"] {
        server.inbox.diunbox(["hosts", "--ping", host]).assert().code(2);
    }
}
