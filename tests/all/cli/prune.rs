//! Prune removes old acknowledged updates, and never pending ones.

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::json;

use crate::common::{Inbox, event, event_with};

const NGINX: &str = "docker.io/library/nginx:1.27";
const REDIS: &str = "docker.io/library/redis:7";
const API: &str = "ghcr.io/acme/api:2.0";

/// nginx was acknowledged 40 days ago, redis now, and api is pending. Each has an earlier digest, last
/// reported 50 days ago.
fn three() -> Inbox {
    let inbox = Inbox::new();
    for image in [NGINX, REDIS, API] {
        inbox.take_aged(&event_with(image, &json!({"digest": "sha256:00"})), 50 * 24);
        inbox.take(&[event(image)]);
    }
    inbox.output(["ack", NGINX, REDIS]);
    inbox.sql(&format!(
        "UPDATE updates SET acknowledged_at = datetime('now', '-40 days') WHERE image = '{NGINX}'"
    ));
    inbox
}

fn all(inbox: &Inbox) -> Vec<String> {
    inbox.lines(["list", "-q", "--all", "--sort", "image"])
}

#[test]
fn what_is_old_goes_and_what_is_pending_stays() {
    let inbox = three();
    let said = inbox.output(["prune", "--older-than", "60d"]);
    assert_eq!(said, "removed 0 acknowledged updates, 0 digests and 0 actions, 0 KiB freed\n");
    let dry = ["prune", "--older-than", "30d", "--dry-run"];
    let would = "would remove 1 acknowledged update, 2 digests and 0 actions\n";
    assert_eq!(inbox.output(dry), would);
    assert_eq!(all(&inbox), [NGINX, REDIS, API]);
    let said = inbox.output(["prune", "--older-than", "30d"]);
    assert!(said.starts_with("removed 1 acknowledged update, 2 digests and 0 actions, "), "{said}");
    assert_eq!(all(&inbox), [REDIS, API]);
    assert_eq!(inbox.output(["prune", "-q", "--older-than", "0s"]), "");
    assert_eq!(all(&inbox), [API]);
    assert_eq!(inbox.json(["show", API])["places"], 1);
}

#[test]
fn tags_stay() {
    let inbox = three();
    inbox.output(["tag", "create", "web"]);
    inbox.output(["tag", "assign", "web", NGINX]);
    inbox.output(["prune", "--older-than", "30d"]);
    inbox.take(&[event(NGINX)]);
    assert_eq!(inbox.lines(["list", "-q", "--tag", "web"]), [NGINX]);
}

#[test]
fn space_is_given_back() {
    let inbox = Inbox::new();
    let note = "x".repeat((1 << 20) - 1_000);
    inbox.take(&[event(API), event_with(NGINX, &json!({"metadata": {"note": note}}))]);
    inbox.output(["ack", NGINX]);
    inbox.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let size = || inbox.database().metadata().unwrap().len();
    let before = size();
    inbox.output(["prune", "--older-than", "0s"]);
    assert!(before > 1_000_000 && size() < before / 4, "{before} became {}", size());
}

#[test]
fn an_age_must_be_given() {
    let inbox = three();
    inbox.diunbox(["prune"]).assert().code(2).stderr(contains("--older-than"));
    for bad in ["soon", "7", ""] {
        let assert = inbox.diunbox(["prune", "--older-than", bad]).assert().code(2);
        assert.stderr(contains("is not an age").and(contains("7d")));
    }
    assert_eq!(all(&inbox).len(), 3);
}
