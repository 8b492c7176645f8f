//! Acknowledging updates.

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::json;

use crate::common::{Inbox, event, event_with};

const NGINX: &str = "docker.io/library/nginx:1.27";
const REDIS: &str = "docker.io/library/redis:7";
const API: &str = "ghcr.io/acme/api:2.0";

fn three() -> Inbox {
    let inbox = Inbox::new();
    inbox.take(&[
        event(NGINX),
        event_with(REDIS, &json!({"hostname": "edge-2"})),
        event_with(API, &json!({"hostname": "edge-2"})),
    ]);
    inbox
}

fn pending(inbox: &Inbox) -> Vec<String> {
    inbox.lines(["list", "-q", "--sort", "image"])
}

#[test]
fn prints_what_it_acknowledged() {
    let inbox = three();
    assert_eq!(inbox.output(["ack", "nginx:1.27", NGINX, API]), format!("{NGINX}\n{API}\n"));
    assert_eq!(pending(&inbox), [REDIS]);
    inbox.diunbox(["-q", "ack", "redis:7"]).assert().success().stdout("").stderr("");
    assert!(pending(&inbox).is_empty());
}

#[test]
fn patterns_take_all_that_match() {
    let inbox = three();
    assert_eq!(inbox.lines(["ack", "docker.io/*"]), [NGINX, REDIS]);
    assert_eq!(pending(&inbox), [API]);
}

#[test]
fn an_unknown_name_does_not_stop_the_others() {
    let inbox = three();
    let assert = inbox.diunbox(["ack", "ngnix:1.27", "redis:7"]).assert().code(1);
    assert.stdout(format!("{REDIS}\n")).stderr(contains("did you mean \"nginx:1.27\"?"));
    assert_eq!(pending(&inbox), [NGINX, API]);
}

#[test]
fn names_from_a_pipe_a_line_or_a_nul_each() {
    let inbox = three();
    let assert = inbox.diunbox(["ack", "-"]).write_stdin("nginx:1.27\r\n\n  redis:7  ").assert();
    assert.success().stdout(format!("{NGINX}\n{REDIS}\n"));
    assert_eq!(pending(&inbox), [API]);

    let inbox = three();
    let names = inbox.output(["list", "-0", "--host", "edge-2", "--sort", "image"]);
    let assert = inbox.diunbox(["ack", "-0", "-"]).write_stdin(names.clone()).assert();
    assert.success().stdout(names);
    assert_eq!(pending(&inbox), [NGINX]);

    inbox.diunbox(["ack", "-"]).write_stdin("").assert().success().stdout("");
    let assert = inbox.diunbox(["ack", "-"]).write_stdin(&b"\xff\n"[..]).assert().code(2);
    assert.stderr(contains("cannot read names from standard input"));
    assert_eq!(pending(&inbox), [NGINX]);
}

#[test]
fn all_takes_what_list_would_show() {
    let inbox = three();
    inbox.output(["tag", "create", "web"]);
    inbox.output(["tag", "assign", "web", "redis:7"]);
    let filters: &[&[&str]] = &[
        &["--tag", "web"],
        &["--host", "edge-2", "--untagged"],
        &["--provider", "docker", "--image", "nginx*", "--since", "1h"],
    ];
    for filter in filters {
        let mut listed = inbox.lines(["list", "-q"].iter().chain(*filter).copied());
        let mut acknowledged = inbox.lines(["ack", "--all"].iter().chain(*filter).copied());
        listed.sort();
        acknowledged.sort();
        assert_eq!(acknowledged.len(), 1, "{filter:?}");
        assert_eq!(acknowledged, listed, "{filter:?}");
    }
    assert_eq!(inbox.output(["ack", "--all"]), "");
    inbox.diunbox(["ack", "--all", "--tag", "wbe"]).assert().code(2);
}

#[test]
fn filters_without_all_and_no_names_are_errors() {
    let inbox = three();
    for arguments in [&["--host", "edge-2"][..], &["nginx:1.27", "--tag", "web"], &[], &["-a", "x"]]
    {
        let assert = inbox.diunbox(["ack"]).args(arguments).assert().code(2);
        assert.stderr(contains("filters require --all").or(contains("Usage: ")));
    }
    assert_eq!(pending(&inbox).len(), 3);
}

#[test]
fn a_host_alone_is_acknowledged_for_its_places() {
    let inbox = Inbox::new();
    let at =
        |host: &str, digest: &str| event_with(API, &json!({"hostname": host, "digest": digest}));
    inbox.take(&[at("nas", "d1"), at("edge", "d1"), at("nas", "d2")]);
    assert_eq!(inbox.lines(["list", "-q", "--host", "edge"]), [API]);
    assert_eq!(inbox.lines(["ack", "--host", "nas", API]), [API]);
    assert_eq!(inbox.json(["list"])[0]["hosts"], json!(["edge"]));
    assert_eq!(inbox.lines(["ack", "--all", "--host", "edge"]), [API]);
    assert!(pending(&inbox).is_empty());
}

#[test]
fn what_changed_since_it_was_seen_is_left_and_named() {
    let inbox = three();
    let seen = inbox.output(["list", "--format", "ndjson"]);
    inbox.take(&[event_with(API, &json!({"digest": "sha256:02"}))]);
    let assert = inbox.diunbox(["ack", "-"]).write_stdin(seen).assert().code(1);
    assert
        .stdout(format!("{NGINX}\n{REDIS}\n"))
        .stderr(format!("diunbox: left \"{API}\" alone: its digest is sha256:02 now\n"));
    inbox.diunbox(["ack", &format!("{API}@sha256:01")]).assert().code(1);
    assert_eq!(pending(&inbox), [API]);
    inbox.diunbox(["ack", "--note", "checked", &format!("{API}@sha256:02")]).assert().success();
    assert_eq!(inbox.json(["list", "--acknowledged", "--image", API])[0]["note"], "checked");
    // Swarm's pinned names are names.
    let pinned = "docker.io/library/web:1@sha256:aa";
    inbox.take(&[event(pinned)]);
    assert_eq!(inbox.lines(["ack", "web:1@sha256:aa"]), [pinned]);
}

#[test]
fn names_from_standard_input_are_never_patterns() {
    let inbox = three();
    for input in ["*\n", "docker.io/*", "evil\0*", " *", "[a-z]*\n"] {
        let assert = inbox.diunbox(["ack", "-"]).write_stdin(input).assert().code(1);
        assert.stdout("");
        let assert = inbox.diunbox(["ack", "-0", "-"]).write_stdin(input).assert().code(1);
        assert.stdout("");
    }
    assert_eq!(pending(&inbox).len(), 3);
}
