//! What dashboards and scripts ask for.

use serde_json::json;

use crate::common::Inbox;
use crate::server::{Server, event, notification};

/// A server that has taken these images in.
fn server_with(images: &[&str]) -> Server {
    let server = Server::start();
    for image in images {
        assert_eq!(server.send("POST", "/webhook", &[], event(image)).status, 204);
    }
    server
}

/// The images that a request for updates gives.
fn images(server: &Server, path: &str) -> Vec<String> {
    let answer = server.ask("GET", path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json().as_object().unwrap().keys().cloned().collect()
}

#[test]
fn updates_are_a_map_by_image_with_filters() {
    let server = server_with(&["a:1", "b:1"]);
    let other = event("c:1").replace("edge-1", "edge 2");
    assert_eq!(server.send("POST", "/webhook", &[], other).status, 204);
    assert_eq!(server.ask("PATCH", "/api/updates/b:1").status, 204);
    assert_eq!(server.send("POST", "/api/tags", &[], r#"{"name": "web & co"}"#).status, 201);
    let assignment = r#"{"image": "c:1", "tag_id": 1}"#;
    assert_eq!(server.send("PUT", "/api/tag-assignments", &[], assignment).status, 204);

    for (query, expected) in [
        ("", vec!["a:1", "b:1", "c:1"]),
        ("?acknowledged=true", vec!["b:1"]),
        ("?acknowledged=false", vec!["a:1", "c:1"]),
        ("?tag=web+%26%20co", vec!["c:1"]),
        ("?tag=none", vec![]),
        ("?host=edge-1", vec!["a:1", "b:1"]),
        ("?host=edge%202&acknowledged=false", vec!["c:1"]),
        ("?host=edge-1&acknowledged=0", vec!["a:1"]),
    ] {
        assert_eq!(images(&server, &format!("/api/updates{query}")), expected, "{query}");
    }
    let answer = server.ask("GET", "/api/updates?acknowledged=maybe");
    assert_eq!((answer.status, answer.error().contains("acknowledged")), (400, true));
}

#[test]
fn an_image_is_the_rest_of_the_path_encoded_or_not() {
    let image = "host:5000/x/y+z:1.0@sha256:abc";
    let server = server_with(&[image]);
    for path in [
        "host:5000/x/y+z:1.0@sha256:abc",
        "host%3A5000%2Fx%2Fy%2Bz%3A1.0%40sha256%3Aabc",
        "host:5000%2fx/y+z:1.0@sha256:abc?x=y",
    ] {
        let path = format!("/api/updates/{path}");
        let update = server.ask("GET", &path);
        assert_eq!(update.status, 200, "{path}");
        assert_eq!(update.json()["reports"][0]["workload"], "web-1");
        assert_eq!(server.ask("PATCH", &path).status, 204, "{path}");
        assert_eq!(server.ask("GET", &path).json()["acknowledged"], true, "{path}");
        assert_eq!(server.send("POST", "/webhook", &[], event(image)).status, 204);
    }
    for method in ["GET", "PATCH"] {
        let answer = server.ask(method, "/api/updates/host:5000/x/y:1.0");
        assert_eq!(answer.status, 404, "{method}");
        assert!(answer.error().contains("host:5000/x/y:1.0"));
    }
    assert_eq!(server.ask("GET", "/api/updates/%ff").status, 400);
}

#[test]
fn names_that_are_no_ascii_go_both_ways() {
    let image = "registry.local/käse/\u{1f9c0}:\"1'";
    let server = server_with(&[image]);
    let answer = server.raw(format!(
        "GET /api/updates/{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        image.replace('"', "%22")
    ));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = server.ask("PATCH", "/api/updates/registry.local/k%C3%A4se/%F0%9F%A7%80:%221'");
    assert_eq!(answer.status, 204);
}

#[test]
fn an_update_is_the_same_as_on_the_command_line() {
    let server = server_with(&["docker.io/library/nginx:1.27"]);
    let listed = server.inbox.output(["list", "--format", "ndjson"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let map = server.ask("GET", "/api/updates").json();
    assert_eq!(map["docker.io/library/nginx:1.27"], listed);
    let shown = server.inbox.output(["show", "nginx:1.27", "--format", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let one = server.ask("GET", "/api/updates/docker.io/library/nginx:1.27").json();
    assert_eq!([one].as_slice(), shown.as_array().map_or([shown.clone()].as_slice(), |all| all));
    let counted = server.inbox.output(["status", "--format", "json"]);
    let counted: serde_json::Value = serde_json::from_str(&counted).unwrap();
    assert_eq!(server.ask("GET", "/api/summary").json(), counted);
}

#[test]
fn the_command_line_and_the_server_share_the_database() {
    let server = server_with(&["docker.io/library/nginx:1.27"]);
    assert_eq!(server.inbox.output(["list", "-q"]), "docker.io/library/nginx:1.27\n");
    server.inbox.diunbox(["ack", "nginx:1.27"]).assert().success();
    let update = server.ask("GET", "/api/updates/docker.io/library/nginx:1.27").json();
    assert_eq!(update["acknowledged"], true);
    assert_eq!(
        server.send("POST", "/webhook", &[], event("docker.io/library/redis:7")).status,
        204
    );
    assert_eq!(server.inbox.output(["list", "-q"]), "docker.io/library/redis:7\n");
}

#[test]
fn tags_are_made_assigned_and_deleted() {
    let server = server_with(&["a:1"]);
    let send = |method, path, body: &str| server.send(method, path, &[], body);

    let made = send("POST", "/api/tags", r#"{"name": " web "}"#);
    assert_eq!((made.status, made.json()), (201, json!({"id": 1, "name": "web"})));
    assert_eq!(send("POST", "/api/tags", r#"{"name": "db"}"#).status, 201);
    assert_eq!(send("POST", "/api/tags", r#"{"name": "web"}"#).status, 409);
    assert_eq!(send("POST", "/api/tags", r#"{"name": "  "}"#).status, 400);
    assert_eq!(send("POST", "/api/tags", r#"{"nam": "x"}"#).status, 400);
    assert_eq!(send("POST", "/api/tags", "").status, 400);
    assert_eq!(send("POST", "/api/tags", r#"["x"]"#).status, 400);
    let tags = server.ask("GET", "/api/tags").json();
    assert_eq!(tags, json!([{"id": 2, "name": "db"}, {"id": 1, "name": "web"}]));

    let assignments = "/api/tag-assignments";
    assert_eq!(send("PUT", assignments, r#"{"image": "a:1", "tag_id": 1}"#).status, 204);
    assert_eq!(send("PUT", assignments, r#"{"image": "not yet", "tag_id": 1}"#).status, 204);
    assert_eq!(send("PUT", assignments, r#"{"image": "a:1", "tag_id": 9}"#).status, 404);
    assert_eq!(send("PUT", assignments, r#"{"image": "", "tag_id": 1}"#).status, 400);
    assert_eq!(send("PUT", assignments, r#"{"image": "a:1", "tag_id": "1"}"#).status, 400);
    let tag = || server.ask("GET", "/api/updates/a:1").json()["tag"].clone();
    assert_eq!(tag(), json!({"id": 1, "name": "web"}));
    let delete = |body: &str| {
        let length = body.len();
        server.raw(format!(
            "DELETE {assignments} HTTP/1.1\r\nHost: localhost\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ))
    };
    for _ in 0..2 {
        assert!(delete(r#"{"image": "a:1"}"#).starts_with("HTTP/1.1 204"));
        assert_eq!(tag(), json!(null));
    }
    assert!(delete(r#"{"image": ""}"#).starts_with("HTTP/1.1 400"));

    assert_eq!(server.ask("DELETE", "/api/tags/1").status, 204);
    assert_eq!(server.ask("DELETE", "/api/tags/1").status, 404);
    assert_eq!(server.ask("DELETE", "/api/tags/web").status, 404);
    assert_eq!(server.ask("GET", "/api/tags").json(), json!([{"id": 2, "name": "db"}]));
}

#[test]
fn the_summary_is_flat() {
    let server = Server::start();
    let empty = server.ask("GET", "/api/summary").json();
    assert_eq!(
        empty,
        json!({"pending": 0, "acknowledged": 0, "total": 0, "oldest_pending": null, "newest_pending": null})
    );
    for image in ["a:1", "b:1", "c:1"] {
        assert_eq!(server.send("POST", "/webhook", &[], event(image)).status, 204);
    }
    assert_eq!(server.ask("PATCH", "/api/updates/c:1").status, 204);
    let summary = server.ask("GET", "/api/summary").json();
    assert_eq!((&summary["pending"], &summary["total"]), (&2.into(), &3.into()));
    let received = server.ask("GET", "/api/updates/a:1").json()["received_at"].clone();
    assert_eq!(summary["oldest_pending"], received);
}

#[test]
fn metrics_count_updates_events_and_requests() {
    let server = server_with(&["a:1", "b:1"]);
    assert_eq!(server.send("POST", "/webhook", &[], "no event").status, 400);
    assert_eq!(server.ask("PATCH", "/api/updates/a:1").status, 204);
    assert_eq!(server.ask("GET", "/nothing").status, 404);
    let answer = server.ask("GET", "/metrics");
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        concat!("diunbox_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        "diunbox_updates{state=\"pending\"} 1",
        "diunbox_updates{state=\"acknowledged\"} 1",
        "diunbox_events_total{result=\"stored\"} 2",
        "diunbox_events_total{result=\"refused\"} 1",
        "diunbox_events_total{result=\"logged\"} 0",
        "diunbox_http_requests_total{code=\"204\"} 3",
        "diunbox_http_requests_total{code=\"400\"} 1",
        "diunbox_http_requests_total{code=\"404\"} 1",
    ] {
        assert!(answer.body.lines().any(|found| found == line), "{line}:\n{}", answer.body);
    }
}

#[test]
fn health_follows_the_database() {
    let server = Server::start();
    assert_eq!(server.ask("GET", "/healthz").status, 200);
    server.break_database();
    assert_eq!(server.ask("GET", "/healthz").status, 503);
    server.mend_database();
    assert_eq!(server.ask("GET", "/healthz").status, 200);
}

#[test]
fn another_method_is_told_which_would_do() {
    let server = Server::start();
    for (path, allowed) in [
        ("/webhook", "GET, POST, PUT"),
        ("/api/updates", "GET, HEAD"),
        ("/api/updates/a:1", "GET, HEAD, PATCH"),
        ("/api/tags", "GET, HEAD, POST"),
        ("/api/tags/1", "DELETE"),
        ("/api/tag-assignments", "PUT, DELETE"),
        ("/api/summary", "GET, HEAD"),
        ("/metrics", "GET, HEAD"),
        ("/healthz", "GET, HEAD"),
    ] {
        for path in [path.to_owned(), format!("{path}/"), format!("{}{path}", server.address())] {
            let answer = server.raw(format!("OPTIONS {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            assert!(answer.starts_with("HTTP/1.1 405 "), "{path}: {answer}");
            assert!(answer.contains(&format!("\r\nAllow: {allowed}\r\n")), "{path}: {answer}");
        }
    }
    for path in ["/", "/api", "/api/updates//", "/Webhook", "/api/tag", "/webhook/a"] {
        let answer = server.ask("GET", path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.error().contains("/webhook"), "{path}");
    }
}

#[test]
fn head_gives_the_headers_alone() {
    let server = server_with(&["a:1"]);
    for path in ["/api/updates", "/api/updates/a:1", "/api/tags", "/api/summary", "/healthz"] {
        let length = server.ask("GET", path).body.len();
        let answer = server.raw(format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        assert!(answer.contains(&format!("Content-Length: {length}\r\n")), "{path}: {answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{path}: {answer}");
    }
    for refused in ["Content-Length: x\r\n", "Host: a\r\nHost: b\r\n", "Origin: http://evil\r\n"] {
        let answer = server.raw(format!("HEAD /api/tags HTTP/1.1\r\n{refused}\r\n"));
        assert!(answer.starts_with("HTTP/1.1 40"), "{refused}: {answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{refused}: {answer}");
    }
}

#[test]
fn every_answer_has_a_date_and_names_the_server() {
    let server = server_with(&["a:1"]);
    for request in [
        notification("b:1"),
        "GET /api/updates HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
    ] {
        let answer = server.raw(&request);
        assert_eq!(answer.matches("\r\nDate: ").count(), 1, "{answer}");
        assert_eq!(answer.matches("\r\nServer: diunbox\r\n").count(), 1, "{answer}");
        assert!(
            !answer.starts_with("HTTP/1.1 204") || !answer.contains("Content-Length"),
            "{answer}"
        );
    }
}

#[test]
fn ten_thousand_updates_do_not_hold_up_the_webhook() {
    let inbox = Inbox::new();
    let events: String =
        (0..10_000).map(|n| event(&format!("ghcr.io/acme/{n}:1")) + "\n").collect();
    inbox.diunbox(["ingest", "-q"]).write_stdin(events).assert().success();
    let server = Server::with(inbox, &[]);
    std::thread::scope(|scope| {
        let readers: Vec<_> =
            (0..4).map(|_| scope.spawn(|| images(&server, "/api/updates").len())).collect();
        while !readers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            let began = std::time::Instant::now();
            assert_eq!(server.send("POST", "/webhook", &[], event("z:1")).status, 204);
            assert!(began.elapsed().as_secs() < 2, "{:?}", began.elapsed());
        }
        for reader in readers {
            assert!(reader.join().unwrap() >= 10_000);
        }
    });
}
