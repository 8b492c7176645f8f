//! The requests of dashboards and scripts.

use serde_json::json;

use crate::common::Inbox;
use crate::common::server::{Server, event};

/// A server that has taken these images in.
pub(super) fn server_with(images: &[&str]) -> Server {
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
    let short = |image: &String| diunbox::image::short_name(image).to_owned();
    answer.json().as_object().unwrap().keys().map(short).collect()
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
        ("?state=acknowledged", vec!["b:1"]),
        ("?state=pending", vec!["a:1", "c:1"]),
        ("?state=pending,acknowledged", vec!["a:1", "b:1", "c:1"]),
        ("?tag=web+%26%20co", vec!["c:1"]),
        ("?untagged=true", vec!["a:1", "b:1"]),
        ("?host=edge-1", vec!["a:1", "b:1"]),
        ("?host=edge%202&state=pending", vec!["c:1"]),
        ("?host=edge-1&state=pending", vec!["a:1"]),
        ("?image=a:*&image=c:*", vec!["a:1", "c:1"]),
        ("?search=WEB-1&status=update&since=1h", vec!["a:1", "b:1", "c:1"]),
        ("?before=1h", vec![]),
    ] {
        assert_eq!(images(&server, &format!("/api/updates{query}")), expected, "{query}");
    }
    for query in [
        "state=maybe",
        "tag=none",
        "untagged=1",
        "since=7",
        "image=%5B",
        "acknowledged=true",
        "x=y",
        "limit=1",
        "after=x",
        "sort=image",
        "hosts=a",
    ] {
        let answer = server.ask("GET", &format!("/api/updates?{query}"));
        assert_eq!(answer.status, 400, "{query}: {}", answer.body);
    }
}

#[test]
fn an_image_is_the_rest_of_the_path_encoded_or_not() {
    let image = "host:5000/x/y+z:1.0@sha256:abc";
    let server = server_with(&[image]);
    for path in [
        "host:5000/x/y+z:1.0@sha256:abc",
        "host%3A5000%2Fx%2Fy%2Bz%3A1.0%40sha256%3Aabc",
        "host:5000%2fx/y+z:1.0@sha256:abc/",
    ] {
        let path = format!("/api/updates/{path}");
        let update = server.ask("GET", &path);
        assert_eq!(update.status, 200, "{path}");
        assert_eq!(update.json()["where"][0]["workload"], "web-1");
        assert_eq!(server.ask("PATCH", &path).status, 204, "{path}");
        assert_eq!(server.ask("GET", &path).json()["acknowledged"], true, "{path}");
        let again = event(image).replace("sha256:host", &format!("sha256:{}", path.len()));
        assert_eq!(server.send("POST", "/webhook", &[], again).status, 204);
    }
    for method in ["GET", "PATCH"] {
        let answer = server.ask(method, "/api/updates/host:5000/x/y:1.0");
        assert_eq!(answer.status, 404, "{method}");
        assert!(answer.error().contains("host:5000/x/y:1.0"));
    }
    assert_eq!(server.ask("GET", "/api/updates/%ff").status, 400);
}

#[test]
fn names_that_are_not_ascii_go_both_ways() {
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
fn tags_are_created_assigned_and_deleted() {
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
    assert_eq!(send("PUT", assignments, r#"{"image": "not-yet", "tag_id": 1}"#).status, 204);
    assert_eq!(send("PUT", assignments, r#"{"image": "a:1", "tag_id": 9}"#).status, 404);
    for bad in ["", "a b", "a*"] {
        let body = json!({"image": bad, "tag_id": 1}).to_string();
        assert_eq!(send("PUT", assignments, &body).status, 400, "{bad:?}");
    }
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
            // Diun waits 10 s.
            assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
        }
        for reader in readers {
            assert!(reader.join().unwrap() >= 10_000);
        }
    });
}

#[test]
fn the_inbox_comes_in_order_and_in_pages() {
    let server = Server::start();
    for n in 0..7 {
        let event = event(&format!("ghcr.io/acme/{n}:1"));
        assert_eq!(server.send("POST", "/webhook", &[], event).status, 204);
    }
    assert_eq!(server.ask("PATCH", "/api/updates/ghcr.io/acme/6:1").status, 204);
    for (sort, first) in [("since", "ghcr.io/acme/5:1"), ("image", "ghcr.io/acme/0:1")] {
        let mut path = format!("/api/inbox?limit=4&sort={sort}");
        let mut found = Vec::new();
        loop {
            let page = server.ask("GET", &path).json();
            let pending = if found.is_empty() { json!(6) } else { json!(null) };
            assert_eq!(page["pending"], pending, "only the first page counts");
            let updates = page["updates"].as_array().unwrap();
            found.extend(updates.iter().map(|update| update["image"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/api/inbox?limit=4&sort={sort}&after={next}");
        }
        assert_eq!((found.len(), found[0].as_str()), (6, first));
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 6);
    }
    let item = server.ask("GET", "/api/inbox?image=*/5:1").json()["updates"][0].clone();
    let fields: Vec<&String> = item.as_object().unwrap().keys().collect();
    let expected = [
        "change",
        "digest",
        "hosts",
        "image",
        "name",
        "needed",
        "note",
        "older",
        "places",
        "previous",
        "received_at",
        "since",
        "state",
        "status",
        "tag",
        "where",
    ];
    assert_eq!(fields, expected);
    assert_eq!((&item["where"], &item["hosts"]), (&json!("edge-1/web-1"), &json!(["edge-1"])));
    let all = server.ask("GET", "/api/inbox?state=all&reverse=true&limit=1").json();
    assert_eq!(all["updates"][0]["image"], "ghcr.io/acme/0:1");
    for query in ["limit=0", "limit=501", "limit=x", "sort=host", "after=5", "colour=red"] {
        assert_eq!(server.ask("GET", &format!("/api/inbox?{query}")).status, 400, "{query}");
    }
}

#[test]
fn a_link_is_a_web_page_or_missing() {
    let server = Server::start();
    for (image, link, expected) in [
        ("a:1", "https://hub.docker.com/_/a", json!("https://hub.docker.com/_/a")),
        ("b:1", "javascript:alert(1)", json!(null)),
        ("c:1", "https://a\u{1b}b", json!(null)),
    ] {
        let mut event: serde_json::Value = serde_json::from_str(&event(image)).unwrap();
        event["hub_link"] = json!(link);
        assert_eq!(server.send("POST", "/webhook", &[], event.to_string()).status, 204);
        let page = server.ask("GET", &format!("/api/inbox?image={image}")).json();
        assert_eq!(page["updates"][0]["link"], expected, "{link}");
    }
}

#[test]
fn patch_acknowledges_what_the_client_knows() {
    let server = server_with(&["a:1"]);
    let patch = |headers: &[(&str, &str)], body: &str| {
        server.send("PATCH", "/api/updates/a:1", headers, body).status
    };
    let state = || server.ask("GET", "/api/updates/a:1").json()["state"].clone();
    assert_eq!(patch(&[("If-Match", "\"sha256:older\"")], ""), 412);
    assert_eq!(state(), "pending");
    assert_eq!(patch(&[("If-Match", "\"sha256:a:1\"")], ""), 204);
    assert_eq!(state(), "acknowledged");
    assert_eq!(patch(&[], r#"{"acknowledged": false}"#), 204);
    assert_eq!(patch(&[], r#"{"acknowledged": false}"#), 204);
    assert_eq!(state(), "pending");
    for body in ["[]", "{", "null", r#"{"acknowledged": 1}"#, r#"{"acknowleged": false}"#, "x"] {
        assert_eq!(patch(&[], body), 400, "{body}");
    }
    assert_eq!(state(), "pending");
    for body in ["{}", r#"{"acknowledged": true}"#, " \n"] {
        assert_eq!(patch(&[], body), 204, "{body:?}");
        assert_eq!(state(), "acknowledged");
        assert_eq!(patch(&[], r#"{"acknowledged": false}"#), 204);
    }
    assert_eq!(server.ask("PATCH", "/api/updates/b:1").status, 404);
}
