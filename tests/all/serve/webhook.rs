//! Events in all the forms in which Diun and others send them.

use std::fs;

use crate::common::fixture;
use crate::common::server::{Server, event};

#[test]
fn an_event_comes_by_get_post_or_put() {
    let server = Server::start();
    for method in ["GET", "POST", "PUT"] {
        let image = format!("ghcr.io/acme/{}:1", method.to_lowercase());
        let body = event(&image);
        let length = body.len();
        let answer = server.raw(format!(
            "{method} /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
        assert!(answer.starts_with("HTTP/1.1 204 No Content\r\n"), "{method}: {answer}");
        let update = server.ask("GET", &format!("/api/updates/{image}"));
        assert_eq!(update.json()["event"]["image"], image);
    }
}

#[test]
fn a_captured_request_of_diun_is_taken() {
    let server = Server::start();
    let head = fs::read_to_string(fixture("webhook-request.http")).unwrap();
    let body = fs::read_to_string(fixture("file-provider.json")).unwrap();
    let mut request = Vec::new();
    for line in head.lines().filter(|line| !line.is_empty()) {
        match line.split_once(": ") {
            Some(("Content-Length", _)) => request.push(format!("Content-Length: {}", body.len())),
            // Without a token only names of this machine will do.
            Some(("Host", _)) => request.push("Host: localhost:3486".to_owned()),
            _ => request.push(line.to_owned()),
        }
    }
    let answer = server.raw(format!("{}\r\n\r\n{body}", request.join("\r\n")));
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert_eq!(server.ask("GET", "/api/summary").json()["pending"], 1);
}

#[test]
fn every_captured_event_is_taken() {
    let server = Server::start();
    for event in fs::read_to_string(fixture("docker-eight-containers.ndjson")).unwrap().lines() {
        assert_eq!(server.send("POST", "/webhook", &[], event).status, 204);
    }
    let test = fs::read(fixture("notif-test.json")).unwrap();
    assert_eq!(server.send("POST", "/webhook", &[], test).status, 204);
    let updates = server.ask("GET", "/api/updates").json();
    let workloads: Vec<_> =
        updates.as_object().unwrap().values().map(|update| update["places"].clone()).collect();
    assert_eq!(workloads.len(), 2, "{updates}");
    assert!(workloads.contains(&8.into()), "{updates}");
}

#[test]
fn the_body_may_be_chunked_and_of_any_type() {
    let server = Server::start();
    let body = event("ghcr.io/acme/chunked:1");
    let (start, end) = body.split_at(100);
    let answer = server.raw(format!(
        "POST /webhook HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: text/plain\r\n\r\n{:x}\r\n{start}\r\n{:X}\r\n{end}\r\n0\r\n\r\n",
        start.len(),
        end.len(),
    ));
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    for content_type in ["application/json; charset=utf-8", "application/x-www-form-urlencoded"] {
        let headers = [("Content-Type", content_type)];
        assert_eq!(server.send("POST", "/webhook", &headers, event("a:1")).status, 204);
    }
    assert_eq!(server.ask("GET", "/api/summary").json()["pending"], 2);
}

#[test]
fn what_is_not_an_event_is_refused_with_a_reason() {
    let server = Server::start();
    for (body, reason) in [
        ("", "the body is empty"),
        ("hello", "not a JSON event"),
        ("[]", "not a JSON event"),
        ("{\"image\": \"a\"", "EOF"),
        ("{}", "`image`: an image name is missing or empty"),
        ("{\"image\": 5}", "`image`: it is not a text"),
        ("{\"image\": \"a b\"}", "is not an image name"),
        ("{\"image\": \"a\"} {\"image\": \"b\"}", "trailing characters"),
    ] {
        let answer = server.send("POST", "/webhook", &[], body);
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.error().contains(reason), "{body}: {}", answer.error());
        assert_eq!(answer.header("content-type"), "application/json");
    }
    assert_eq!(server.ask("GET", "/api/updates").json(), serde_json::json!({}));
}

#[test]
fn a_browser_on_the_webhook_is_told_how_to_configure_diun() {
    let server = Server::start();
    let answer = server.ask("GET", "/webhook");
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, POST, PUT"));
    assert!(answer.error().contains("notif.webhook.endpoint"), "{}", answer.error());
}

#[test]
fn an_acknowledged_update_is_pending_again_and_keeps_its_tag() {
    let server = Server::start();
    let image = "ghcr.io/acme/api:2.0";
    let path = format!("/api/updates/{image}");
    assert_eq!(server.send("POST", "/webhook", &[], event(image)).status, 204);
    assert_eq!(server.send("POST", "/api/tags", &[], r#"{"name": "web"}"#).status, 201);
    let assignment = serde_json::json!({"image": image, "tag_id": 1}).to_string();
    assert_eq!(server.send("PUT", "/api/tag-assignments", &[], assignment).status, 204);
    assert_eq!(server.ask("PATCH", &path).status, 204);
    assert_eq!(server.ask("GET", &path).json()["acknowledged"], true);
    // The same digest again is not news, another one is.
    assert_eq!(server.send("POST", "/webhook", &[], event(image)).status, 204);
    assert_eq!(server.ask("GET", &path).json()["acknowledged"], true);
    let newer = event(image).replace("sha256:", "sha256:0");
    assert_eq!(server.send("POST", "/webhook", &[], newer).status, 204);
    let update = server.ask("GET", &path).json();
    assert_eq!((&update["acknowledged"], &update["tag"]["name"]), (&false.into(), &"web".into()));
}
