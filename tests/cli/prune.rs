//! Forgetting what is old, and never what is pending.

use predicates::str::contains;
use serde_json::json;

use crate::common::{Inbox, event, event_with};

const NGINX: &str = "docker.io/library/nginx:1.27";
const REDIS: &str = "docker.io/library/redis:7";
const API: &str = "ghcr.io/acme/api:2.0";

/// nginx was acknowledged 40 days ago, redis now, and api is pending. Each has a
/// report of an earlier digest, and two of its current one.
fn three() -> Inbox {
    let inbox = Inbox::new();
    for image in [NGINX, REDIS, API] {
        let earlier = event_with(image, &json!({"digest": "sha256:00"}));
        let elsewhere = event_with(image, &json!({"hostname": "edge-2"}));
        inbox.take(&[earlier, elsewhere, event(image)]);
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

fn reports(inbox: &Inbox, image: &str) -> usize {
    inbox.json(["show", image])["reports"].as_array().unwrap().len()
}

#[test]
fn updates_acknowledged_long_ago_go_with_their_reports() {
    let inbox = three();
    let prune = ["prune", "--acknowledged-before", "41d"];
    assert!(inbox.output(prune).starts_with("forgot 0 acknowledged updates and 0 reports"));
    let prune = ["prune", "--acknowledged-before", "30d"];
    let said = inbox.output(prune);
    assert!(said.starts_with("forgot 1 acknowledged update and 3 reports, "), "{said}");
    assert!(said.ends_with(" KiB freed\n"), "{said}");
    assert_eq!(all(&inbox), [REDIS, API]);
    inbox.take(&[event(NGINX)]);
    assert_eq!(reports(&inbox, NGINX), 1);
}

#[test]
fn old_reports_go_but_the_newest_and_those_of_a_pending_updates_current_digest() {
    let inbox = three();
    let nothing = inbox.output(["prune", "--reports-before", "1h"]);
    assert!(nothing.starts_with("forgot 0 acknowledged updates and 0 reports"), "{nothing}");
    let said = inbox.output(["prune", "--reports-before", "0s"]);
    assert!(said.starts_with("forgot 0 acknowledged updates and 5 reports"), "{said}");
    assert_eq!(all(&inbox), [NGINX, REDIS, API]);
    assert_eq!([NGINX, REDIS, API].map(|image| reports(&inbox, image)), [1, 1, 2]);
    let update = inbox.json(["show", API]);
    assert_eq!(update["reports"][0]["current"], true);
    assert_eq!(update["workloads"], 2);
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let inbox = three();
    let arguments = ["prune", "--acknowledged-before", "30d", "--reports-before", "0s"];
    let said = inbox.output(arguments.into_iter().chain(["--dry-run"]));
    assert_eq!(said, "would forget 1 acknowledged update and 6 reports\n");
    assert_eq!(all(&inbox), [NGINX, REDIS, API]);
    assert_eq!([NGINX, REDIS, API].map(|image| reports(&inbox, image)), [3, 3, 3]);
    let did = inbox.output(arguments);
    assert!(did.starts_with("forgot 1 acknowledged update and 6 reports"), "{did}");
    assert_eq!(inbox.output(arguments.into_iter().chain(["--quiet"])), "");
}

#[test]
fn what_is_pending_stays_however_old_it_is() {
    let inbox = three();
    inbox.output(["prune", "--acknowledged-before", "0s", "--reports-before", "0s"]);
    assert_eq!(inbox.lines(["list", "-q"]), [API]);
    assert_eq!(reports(&inbox, API), 2);
}

#[test]
fn tags_stay() {
    let inbox = three();
    inbox.output(["tag", "create", "web"]);
    inbox.output(["tag", "assign", "web", NGINX]);
    inbox.output(["prune", "--acknowledged-before", "30d"]);
    inbox.take(&[event(NGINX)]);
    assert_eq!(inbox.lines(["list", "-q", "--tag", "web"]), [NGINX]);
}

#[test]
fn space_is_given_back() {
    let inbox = Inbox::new();
    let note = "x".repeat(1 << 20);
    inbox.take(&[event(API), event_with(NGINX, &json!({"metadata": {"note": note}}))]);
    inbox.output(["ack", NGINX]);
    inbox.sql("UPDATE updates SET acknowledged_at = datetime('now', '-1 day')");
    inbox.sql("UPDATE updates SET acknowledged_at = NULL WHERE image LIKE 'ghcr.io/%'");
    let size = || inbox.database().metadata().unwrap().len();
    inbox.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let before = size();
    inbox.output(["prune", "--acknowledged-before", "1h"]);
    assert!(before > 1 << 20 && size() < before / 4, "{before} became {}", size());
}

#[test]
fn what_to_forget_must_be_said() {
    let inbox = three();
    inbox.diunbox(["prune"]).assert().code(2).stderr(contains("--acknowledged-before"));
    inbox.diunbox(["prune", "--dry-run"]).assert().code(2);
    inbox.diunbox(["prune", "--reports-before", "soon"]).assert().code(2);
    assert_eq!(all(&inbox).len(), 3);
}
