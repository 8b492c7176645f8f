//! Reopening, snoozing, ignoring, undo, and folded versions.

use predicates::str::contains;
use serde_json::{Value, json};

use crate::common::{Inbox, event, event_with};

const NGINX: &str = "docker.io/library/nginx:1.27";
const REDIS: &str = "docker.io/library/redis:7";

fn two() -> Inbox {
    let inbox = Inbox::new();
    inbox.take(&[event(NGINX), event_with(REDIS, &json!({"hostname": "edge-2"}))]);
    inbox
}

fn pending(inbox: &Inbox) -> Vec<String> {
    inbox.lines(["list", "-q", "--sort", "image"])
}

#[test]
fn of_a_watched_repository_each_line_has_one_row() {
    let inbox = Inbox::with("watch-repo.ndjson");
    let mut rows = inbox.lines(["list", "--sort", "image"]);
    rows.remove(0);
    let names: Vec<String> = rows
        .iter()
        .map(|row| row.split("  ").next().unwrap().rsplit('/').next().unwrap().to_owned())
        .collect();
    let expected = [
        "shop:1.0.10 +2 older",
        "shop:1.1.0",
        "shop:1.1.0-alpine",
        "shop:2.0.0-rc.1",
        "shop:latest",
        "shop:nightly-20261124",
    ];
    assert_eq!(names, expected);
    assert_eq!(inbox.lines(["list", "--superseded", "-q"]).len(), 2);
    let shown = inbox.json(["show", "registry.local:5000/acme/shop:1.0.10"]);
    let older =
        json!(["registry.local:5000/acme/shop:1.0.2", "registry.local:5000/acme/shop:1.0.1"]);
    assert_eq!((&shown["supersedes"], &shown["change"]), (&older, &json!("new")));
    assert_eq!(inbox.lines(["ack", "*shop:1.0.10"]).len(), 3);
}

#[test]
fn what_was_acknowledged_can_be_reopened() {
    let inbox = two();
    inbox.output(["ack", "nginx:1.27", "redis:7"]);
    assert_eq!(inbox.lines(["reopen", "nginx:1.27"]), [NGINX]);
    assert_eq!(pending(&inbox), [NGINX]);
    let assert = inbox.diunbox(["unack", "nginx:1.27"]).assert().code(1).stdout("");
    assert.stderr("diunbox: left \"nginx:1.27\" alone: it is pending already\n");
    // Everything at once is more likely a slip.
    let assert = inbox.diunbox(["reopen", "--all"]).assert().code(2);
    assert.stderr(contains("reopening needs a filter"));
    assert_eq!(inbox.lines(["reopen", "--all", "--host", "edge-2"]), [REDIS]);
    inbox.output(["ack", "--all"]);
    assert_eq!(inbox.lines(["reopen", "--all", "--acknowledged"]).len(), 2);
    // A pattern finds what can be reopened, and says nothing of the rest.
    inbox.output(["ack", "nginx:1.27"]);
    inbox.diunbox(["reopen", "*"]).assert().success().stdout(format!("{NGINX}\n")).stderr("");
}

#[test]
fn a_snooze_must_end_in_the_future() {
    let inbox = two();
    assert_eq!(inbox.lines(["snooze", "redis:7", "--for", "7d", "--note", "holiday"]), [REDIS]);
    assert_eq!(pending(&inbox), [NGINX]);
    assert_eq!(inbox.lines(["list", "--snoozed", "-q"]), [REDIS]);
    let shown = inbox.json(["show", "redis:7"]);
    assert_eq!((&shown["state"], &shown["note"]), (&json!("snoozed"), &json!("holiday")));
    assert!(inbox.output(["status"]).contains(", 1 snoozed"));
    inbox.output(["snooze", "nginx:1.27", "--until", "2999-12-24T09:00"]);
    assert!(pending(&inbox).is_empty());
    let until = &inbox.json(["show", "nginx:1.27"])["snoozed_until"];
    assert_eq!(until, "2999-12-24T09:00:00Z", "the tests' environment has no time zone");
    for arguments in [
        &["snooze", "redis:7", "--until", "2020-01-01"][..],
        &["snooze", "redis:7", "--until", "tomorrow"],
        &["snooze", "redis:7", "--for", "7"],
        &["snooze", "redis:7"],
        &["snooze", "redis:7", "--for", "7d", "--until", "2999-01-01"],
        &["snooze", "redis:7", "--for", "7d", "--host", "edge-1"],
    ] {
        inbox.diunbox(arguments.iter().copied()).assert().code(2).stdout("");
    }
    assert_eq!(inbox.lines(["reopen", "--all", "--snoozed"]).len(), 2);
}

#[test]
fn the_end_of_a_snooze_is_shown() {
    let inbox = two();
    inbox.output(["snooze", "redis:7", "--for", "15d"]);
    let shown = inbox.output(["show", "redis:7"]);
    let state = shown.lines().find(|line| line.starts_with("State")).unwrap();
    let is_told = state.contains("snoozed until ") && state.ends_with(" UTC (in 2 weeks)");
    assert!(is_told, "{state}");
    let listed = inbox.lines(["list", "--snoozed"]);
    assert!(listed[0].contains("UNTIL") && listed[1].contains("  in 2 weeks  "), "{listed:?}");
    for states in [&["list"][..], &["list", "--all"]] {
        assert!(!inbox.output(states.iter().copied()).contains("UNTIL"), "{states:?}");
    }
}

#[test]
fn a_pattern_says_how_many_images_it_hides() {
    let inbox = two();
    assert_eq!(inbox.output(["ignore", "add", "redis*"]), "redis*: hides 1 image\n");
    let again = inbox.diunbox(["ignore", "add", "redis*"]).assert().success().stdout("");
    again.stderr("diunbox: redis* is ignored already\n");
    assert_eq!(pending(&inbox), [NGINX]);
    assert_eq!(inbox.lines(["list", "--ignored", "-q"]), [REDIS]);
    assert_eq!(inbox.lines(["ignore", "list", "-q"]), ["redis*"]);
    assert!(
        inbox.output(["ignore", "list"]).starts_with("PATTERN  IMAGES  ADDED  NOTE\nredis*   1")
    );
    assert_eq!(inbox.json(["ignore", "list"])[0]["images"], 1);
    let left = inbox.diunbox(["ack", "redis:7"]).assert().code(1).stdout("");
    left.stderr("diunbox: left \"redis:7\" alone: ignored by redis*\n");
    assert_eq!(inbox.output(["ignore", "remove", "redis*"]), "redis*: hid 1 image\n");
    let missing = inbox.diunbox(["ignore", "remove", "redis*"]).assert().code(1);
    missing.stderr("diunbox: no pattern redis*: `diunbox ignore list` lists them\n");
    inbox.diunbox(["ignore", "add", "a[b"]).assert().code(2);
    inbox.diunbox(["ignore", "add", ""]).assert().code(2);
    // What is hidden cannot be acknowledged by a pattern, and no wider one would help.
    inbox.output(["ignore", "add", "*"]);
    let none = inbox.diunbox(["ack", "*"]).assert().code(1);
    none.stderr("diunbox: no image matches \"*\"\n");
    inbox.output(["ignore", "remove", "*"]);
    assert_eq!(inbox.json(["ignore", "list"]), json!([]));
}

#[test]
fn the_last_action_is_taken_back_and_the_history_tells() {
    let inbox = two();
    inbox.output(["ack", "--all", "--note", "all done"]);
    assert_eq!(inbox.lines(["undo"]), [NGINX, REDIS]);
    assert_eq!(pending(&inbox), [NGINX, REDIS]);
    let nothing = inbox.diunbox(["undo"]).assert().code(1).stdout("");
    nothing.stderr("diunbox: nothing to undo: no action of yours from the command line is left\n");
    inbox.diunbox(["undo", "1"]).assert().code(2).stderr(contains("undone already, by action 2"));
    inbox.diunbox(["undo", "9"]).assert().code(1).stderr(contains("no action 9"));
    assert_eq!(inbox.lines(["undo", "2"]).len(), 2);
    assert!(pending(&inbox).is_empty());
    let history = inbox.json(["history"]);
    let entry = |index: usize| {
        let entry = &history[index];
        (entry["id"].clone(), entry["action"].clone(), entry["undoes"].clone())
    };
    assert_eq!(entry(0), (json!(3), json!("undo"), json!(2)));
    assert_eq!(entry(2), (json!(1), json!("acknowledge"), Value::Null));
    assert_eq!((&history[2]["note"], &history[2]["count"]), (&json!("all done"), &json!(2)));
    assert_eq!(inbox.lines(["history", "-n", "1", "redis:7"]).len(), 2);
    assert_eq!(inbox.json(["show", "redis:7"])["history"].as_array().unwrap().len(), 3);
    let table = inbox.output(["history"]);
    assert!(table.contains("undo of 2") && table.contains("nginx:1.27 +1"), "{table}");
}

#[test]
fn tagging_several_images_is_one_action() {
    let inbox = two();
    inbox.output(["tag", "create", "web"]);
    inbox.output(["tag", "assign", "web", "nginx:1.27", "redis:7", "--note", "the front"]);
    assert_eq!(inbox.json(["history"])[0]["note"], "the front");
    assert_eq!(inbox.lines(["undo"]), [NGINX, REDIS]);
    assert_eq!(inbox.lines(["list", "--untagged", "-q"]).len(), 2);
}

#[test]
fn updates_are_counted_by_what_they_have_in_common() {
    let inbox = Inbox::new();
    let other = event_with("docker.io/library/nginx:1.26", &json!({"hostname": "edge-2"}));
    inbox.take(&[event(NGINX), other, event_with(REDIS, &json!({"hostname": "edge-2"}))]);
    let rows = |by| {
        let lines = inbox.lines(["list", "--by", by]);
        lines
            .iter()
            .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    assert_eq!(rows("host"), ["HOST UPDATES", "edge-2 2", "edge-1 1"]);
    assert_eq!(rows("repository"), ["REPOSITORY UPDATES", "nginx 2", "redis 1"]);
    assert_eq!(rows("tag"), ["TAG UPDATES", "- 3"]);
    let groups = inbox.json(["list", "--by", "repository", "--host", "edge-2"]);
    assert_eq!(
        (&groups[1]["group"], &groups[1]["images"]),
        (&json!("docker.io/library/redis"), &json!([REDIS]))
    );
    assert_eq!(inbox.lines(["list", "--by", "host", "-q"]), ["edge-2", "edge-1"]);
    inbox.diunbox(["list", "--by", "host", "--exit-code"]).assert().code(1);
}

#[test]
fn an_action_without_effect_is_reported() {
    let inbox = two();
    inbox.output(["ack", "--all"]);
    let assert = inbox.diunbox(["ack", "--all"]).assert().success().stdout("");
    assert.stderr("diunbox: nothing to acknowledge\n");
    inbox.diunbox(["-q", "ack", "--all"]).assert().success().stderr("");
    for arguments in [&["undo"][..], &["reopen", "x"], &["snooze", "x", "--for", "1d"]] {
        Inbox::new().diunbox(arguments.iter().copied()).assert().code(1).stdout("");
    }
    for arguments in [&["history"][..], &["ignore", "list"]] {
        Inbox::new().diunbox(arguments.iter().copied()).assert().success().stdout("");
    }
}
