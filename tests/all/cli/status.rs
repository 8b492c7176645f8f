//! `status`: the counts in one line.

use serde_json::{Value, json};

use crate::common::{Inbox, event};

const NGINX: &str = "docker.io/library/nginx:1.27";

fn two() -> Inbox {
    let inbox = Inbox::new();
    inbox.take_aged(&event(NGINX), 72);
    inbox.take(&[event("ghcr.io/acme/api:2.0")]);
    inbox
}

#[test]
fn a_line_for_a_prompt() {
    let inbox = two();
    assert_eq!(inbox.output(["status"]), "2 pending (oldest 3 days ago), 0 acknowledged\n");
    inbox.output(["ack", "--all"]);
    assert_eq!(inbox.output(["status"]), "0 pending, 2 acknowledged\n");
    assert_eq!(inbox.output(["status", "--quiet"]), "");
    assert!(inbox.output(["status", "--quiet", "--format", "json"]).contains("\"total\":2"));
}

#[test]
fn flat_json_for_a_dashboard() {
    let inbox = two();
    inbox.output(["ack", "ghcr.io/acme/api:2.0"]);
    let mut status = inbox.json(["status"]);
    let age = status.as_object_mut().unwrap().remove("oldest_pending_age_seconds").unwrap();
    let three_days = 3 * 24 * 60 * 60;
    assert!((three_days..three_days + 3_600).contains(&age.as_u64().unwrap()), "{age}");
    let received = &inbox.json(["list"])[0]["received_at"];
    let expected = json!({
        "pending": 1, "snoozed": 0, "superseded": 0, "acknowledged": 1, "ignored": 0, "total": 2,
        "oldest_pending": received, "newest_pending": received,
        "hosts_in_trouble": 0, "images_not_checked": 0, "refused_requests": 0, "refused": [],
    });
    assert_eq!(status, expected);
    inbox.output(["ack", "--all"]);
    assert_eq!(inbox.json(["status"])["oldest_pending"], Value::Null);
}

#[test]
fn exit_code_says_whether_something_is_pending() {
    let inbox = two();
    inbox.diunbox(["status", "--exit-code"]).assert().code(1);
    inbox.diunbox(["status", "-q", "--exit-code"]).assert().code(1).stdout("").stderr("");
    inbox.output(["ack", "--all"]);
    inbox.diunbox(["status", "--exit-code"]).assert().code(0);
}
