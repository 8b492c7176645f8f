//! Decisions over HTTP.

use serde_json::{Value, json};

use crate::common::answer::Answer;
use crate::common::server::{Server, event};

const A: &str = "docker.io/library/a:1";
const B: &str = "docker.io/library/b:1";

fn server() -> Server {
    let server = Server::start();
    for (image, host) in [("a:1", "edge-1"), ("b:1", "edge-2")] {
        let event = event(image).replace("edge-1", host);
        assert_eq!(server.send("POST", "/webhook", &[], event).status, 204);
    }
    server
}

fn post(server: &Server, path: &str, body: &Value) -> Answer {
    server.send("POST", path, &[], body.to_string())
}

fn state(server: &Server, image: &str) -> Value {
    server.ask("GET", &format!("/api/updates/{image}")).json()["state"].clone()
}

#[test]
fn an_action_is_for_images_or_for_what_a_query_selects() {
    let server = server();
    let action = json!({"action": "acknowledge", "images": ["a:1", "none:1"], "note": "by hand"});
    let answer = post(&server, "/api/actions", &action);
    let missing =
        json!([{"image": "docker.io/library/none:1", "reason": "there is no update of it"}]);
    assert_eq!(answer.json(), json!({"id": 1, "images": [A], "left": missing}));
    let shown = server.ask("GET", "/api/updates/a:1").json();
    assert_eq!(
        (&shown["note"], &shown["history"][0]["origin"]),
        (&json!("by hand"), &json!("http"))
    );

    let action = json!({"action": "snooze", "query": {"host": ["edge-2", "x"]}, "for": "7d"});
    assert_eq!(post(&server, "/api/actions", &action).json()["images"], json!([B]));
    assert_eq!(state(&server, "b:1"), "snoozed");
    let action = json!({"action": "reopen", "query": {"state": "snoozed"}});
    assert_eq!(post(&server, "/api/actions", &action).json()["images"], json!([B]));
    let seen = json!({"image": "b:1", "digest": "sha256:other"});
    let action = json!({"action": "acknowledge", "images": [seen]});
    assert_eq!(post(&server, "/api/actions", &action).json()["images"], json!([]));
    let until = json!({"action": "snooze", "images": ["b:1"], "until": "2999-12-24T09:00:00Z"});
    assert_eq!(post(&server, "/api/actions", &until).status, 200);
    assert_eq!(server.ask("GET", "/api/summary").json()["snoozed"], 1);
    let item = server.ask("GET", "/api/inbox?state=snoozed").json()["updates"][0].clone();
    assert_eq!(item["snoozed_until"], "2999-12-24T09:00:00Z");
    let page = server.ask("GET", "/?state=snoozed").body;
    assert!(page.contains(", until 2999-12-24 09:00:00 UTC"), "{page}");
}

#[test]
fn an_invalid_action_changes_nothing() {
    let server = server();
    for body in [
        json!({"action": "acknowledge"}),
        json!({"action": "acknowledge", "images": [], "query": {}}),
        json!({"action": "acknowledge", "images": []}),
        json!({"action": "acknowledge", "images": ["a:*"]}),
        json!({"action": "acknowledge", "images": ["a:1"], "for": "7d"}),
        json!({"action": "delete", "images": ["a:1"]}),
        json!({"action": "acknowledge", "image": "a:1"}),
        json!({"action": "acknowledge", "query": {"tag": "none"}}),
        json!({"action": "acknowledge", "query": {"hosts": "edge-1"}}),
        json!({"action": "acknowledge", "query": {"limit": 1}}),
        json!({"action": "acknowledge", "query": {"host": {}}}),
        json!({"action": "snooze", "images": ["a:1"]}),
        json!({"action": "snooze", "images": ["a:1"], "until": "2020-01-01"}),
        json!({"action": "snooze", "images": ["a:1"], "for": "7d", "hosts": ["edge-1"]}),
        json!({"action": "reopen", "query": {}}),
        json!([]),
    ] {
        let answer = post(&server, "/api/actions", &body);
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
    }
    assert_eq!(server.ask("GET", "/api/summary").json()["pending"], 2);
    assert_eq!(server.ask("GET", "/api/history").json(), json!({"actions": [], "next": null}));
}

#[test]
fn what_has_changed_since_the_list_is_left() {
    let server = server();
    let as_of = server.ask("GET", "/api/inbox").json()["as_of"].clone();
    assert_eq!(server.send("POST", "/webhook", &[], event("c:1")).status, 204);
    let action = json!({"action": "acknowledge", "query": {"as_of": as_of}});
    let receipt = post(&server, "/api/actions", &action).json();
    assert_eq!(receipt["images"].as_array().unwrap().len(), 2);
    assert_eq!(receipt["left"][0]["image"], "docker.io/library/c:1");
}

#[test]
fn actions_are_taken_back_and_have_a_history() {
    let server = server();
    assert_eq!(server.ask("POST", "/api/actions/undo").status, 404);
    for image in ["a:1", "b:1"] {
        assert_eq!(server.ask("PATCH", &format!("/api/updates/{image}")).status, 204);
    }
    let note = json!({"note": "not\0 yet"});
    assert_eq!(post(&server, "/api/actions/undo", &note).json()["images"], json!([B]));
    assert_eq!(post(&server, "/api/actions/undo", &json!({"id": 1})).json()["images"], json!([A]));
    assert_eq!(post(&server, "/api/actions/undo", &json!({"id": 1})).status, 409);
    assert_eq!(post(&server, "/api/actions/undo", &json!({"id": 99})).status, 404);
    assert_eq!(post(&server, "/api/actions/undo", &json!({"number": 1})).status, 400);
    let page = server.ask("GET", "/api/history?limit=3").json();
    let ids = |page: &Value| {
        let actions = page["actions"].as_array().unwrap().iter();
        actions.map(|action| action["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((ids(&page), &page["next"]), (vec![4, 3, 2], &json!(2)));
    assert_eq!(page["actions"][1]["note"], "not yet");
    assert_eq!(ids(&server.ask("GET", "/api/history?before=2").json()), [1]);
    assert_eq!(ids(&server.ask("GET", "/api/history?image=a:1").json()), [4, 1]);
    for query in ["limit=0", "limit=x", "before=x", "image=", "page=1"] {
        assert_eq!(server.ask("GET", &format!("/api/history?{query}")).status, 400, "{query}");
    }
}

#[test]
fn patterns_are_added_listed_and_removed() {
    let server = server();
    let pattern = json!({"pattern": "b:*", "note": "not mine"});
    let answer = post(&server, "/api/ignores", &pattern);
    assert_eq!((answer.status, &answer.json()["images"]), (201, &json!([B])));
    assert_eq!(post(&server, "/api/ignores", &pattern).status, 200);
    assert_eq!(post(&server, "/api/ignores", &json!({"pattern": "a[b"})).status, 400);
    assert_eq!(state(&server, "b:1"), "ignored");
    let listed = server.ask("GET", "/api/ignores").json();
    assert_eq!((&listed[0]["pattern"], &listed[0]["note"]), (&json!("b:*"), &json!("not mine")));
    assert_eq!(server.ask("PATCH", "/api/updates/b:1").status, 409);
    let body = json!({"pattern": "b:*"}).to_string();
    assert_eq!(server.send("DELETE", "/api/ignores", &[], &body).json()["images"], json!([B]));
    assert_eq!(server.send("DELETE", "/api/ignores", &[], &body).status, 404);
    assert_eq!(server.ask("GET", "/api/ignores?x=1").status, 400);
}

#[test]
fn what_runs_is_taken_over_http() {
    let server = Server::start();
    let fixture = |name: &str| {
        std::fs::read_to_string(crate::common::fixture(&format!("running/{name}"))).unwrap()
    };
    let web = "registry.local:5000/acme/web:1";
    let digest = "sha256:d5ba5898c6ddb505f0c8b4c30575def79af3fd823d4c24f71ca519fd49239ccf";
    let event = json!({"image": web, "digest": digest, "hostname": "nas", "provider": "docker",
        "metadata": {"ctn_names": "web-1"}});
    assert_eq!(post(&server, "/webhook", &event).status, 204);
    let send = |path: &str, name: &str| server.send("POST", path, &[], fixture(name));
    let dry = send("/api/running?host=nas&dry_run=true", "docker-both-recreated.json");
    assert_eq!((dry.status, &dry.json()["closed"]), (200, &json!([web])));
    assert_eq!(state(&server, web), "pending");
    // What hundreds of pods print is larger than any event may be.
    let long = fixture("docker-both-recreated.json") + &" ".repeat(2 << 20);
    let path = "/api/running?host=nas&dry_run=true";
    assert_eq!(server.send("POST", path, &[], &long).status, 200);
    let report = send("/api/running?host=nas", "docker-both-recreated.json").json();
    assert_eq!(
        (&report["closed"], &report["places"][1]["verdict"]),
        (&json!([web]), &json!("done"))
    );
    assert_eq!(state(&server, web), "acknowledged");
    // Over HTTP, too, only its number takes it back.
    assert_eq!(server.ask("POST", "/api/actions/undo").status, 404);
    assert_eq!(
        post(&server, "/api/actions/undo", &json!({"id": 1})).json()["images"],
        json!([web])
    );
    for (path, name) in [
        ("/api/running?host=other", "docker-both-recreated.json"),
        ("/api/running", "docker-both-recreated.json"),
        ("/api/running?host=nas&complete=1", "docker-both-recreated.json"),
        ("/api/running?hosts=nas", "docker-both-recreated.json"),
        ("/api/running?host=nas", "swarm-tasks.ndjson"),
    ] {
        let answer = send(path, name);
        assert_eq!(answer.status, 400, "{path} {name}: {}", answer.body);
    }
    assert_eq!(state(&server, web), "pending");
}

#[test]
fn the_bulk_actions_of_diundashboard_count() {
    let server = server();
    assert_eq!(post(&server, "/api/tags", &json!({"name": "web"})).status, 201);
    let assignment = json!({"image": "a:1", "tag_id": 1}).to_string();
    assert_eq!(server.send("PUT", "/api/tag-assignments", &[], assignment).status, 204);
    let by_tag = "/api/updates/acknowledge-by-tag";
    assert_eq!(post(&server, by_tag, &json!({"tag_id": 1})).json(), json!({"count": 1}));
    assert_eq!(post(&server, by_tag, &json!({"tag_id": 9})).status, 404);
    let all = "/api/updates/acknowledge-all";
    assert_eq!(server.ask("POST", all).json(), json!({"count": 1}));
    assert_eq!(server.ask("POST", all).json(), json!({"count": 0}));
    assert_eq!(server.ask("GET", "/api/summary").json()["acknowledged"], 2);
}

#[test]
fn the_inbox_has_what_changed_and_how_many_are_folded() {
    let server = Server::start();
    for tag in ["1.0.1", "1.0.2"] {
        let event = event(&format!("shop:{tag}"));
        assert_eq!(server.send("POST", "/webhook", &[], event).status, 204);
    }
    let item = &server.ask("GET", "/api/inbox").json()["updates"][0];
    assert_eq!((&item["name"], &item["older"]), (&json!("shop:1.0.2"), &json!(1)));
    assert_eq!((&item["change"], &item["previous"]), (&json!("new"), &Value::Null));
    let metrics = server.ask("GET", "/metrics").body;
    assert!(metrics.contains("diunbox_updates{state=\"superseded\"} 1\n"), "{metrics}");
}
