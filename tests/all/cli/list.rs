//! Lists: filters, orders and formats.

use predicates::str::contains;
use serde_json::{Value, json};

use crate::common::{Inbox, event, event_with};

const NGINX: &str = "docker.io/library/nginx:1.27";
const REDIS: &str = "docker.io/library/redis:7";
const API: &str = "ghcr.io/acme/api:2.0";
const LOKI: &str = "docker.io/grafana/loki:3.0";

/// Received in this order, a day apart, the last one an hour ago.
fn four() -> Inbox {
    let inbox = Inbox::new();
    for (image, changes, hours) in [
        (NGINX, json!({"hostname": "edge-2", "created": "2026-01-03T00:00:00Z"}), 72),
        (REDIS, json!({"hostname": "edge-1", "created": null, "provider": "file"}), 48),
        // Later than nginx's, though its text sorts before it.
        (API, json!({"hostname": "edge-3", "created": "2026-01-02T23:30:00-01:00"}), 24),
        (LOKI, json!({"hostname": "edge-1", "created": "2026-01-01T00:00:00.5Z"}), 1),
    ] {
        inbox.take_aged(&event_with(image, &changes), hours);
    }
    for name in ["web", "database"] {
        inbox.output(["tag", "create", name]);
    }
    inbox.output(["tag", "assign", "web", "nginx:1.27"]);
    inbox.output(["tag", "assign", "database", "redis:7"]);
    inbox
}

fn names(inbox: &Inbox, arguments: &str) -> Vec<String> {
    inbox.lines(["list", "-q"].into_iter().chain(arguments.split_whitespace()))
}

#[test]
fn sorted_by_each_key_and_turned_round() {
    let inbox = four();
    for (arguments, expected) in [
        ("", [LOKI, API, REDIS, NGINX]),
        ("--sort received", [LOKI, API, REDIS, NGINX]),
        ("--sort created", [API, NGINX, LOKI, REDIS]),
        ("--sort image", [LOKI, NGINX, REDIS, API]),
        ("--sort tag", [REDIS, NGINX, LOKI, API]),
        ("--sort host", [LOKI, REDIS, NGINX, API]),
        ("--sort since --reverse", [NGINX, REDIS, API, LOKI]),
        // Those without the value come last in either order.
        ("--sort created --reverse", [LOKI, NGINX, API, REDIS]),
    ] {
        assert_eq!(names(&inbox, arguments), expected, "{arguments}");
    }
    assert_eq!(names(&inbox, "--limit 1"), [LOKI]);
    assert_eq!(names(&inbox, "-r -n 2"), [NGINX, REDIS]);
    assert_eq!(names(&inbox, "--limit 0").len(), 0);
}

#[test]
fn filters_restrict_and_go_together() {
    let inbox = four();
    for (arguments, expected) in [
        ("--tag web", vec![NGINX]),
        ("--tag web --tag database", vec![NGINX, REDIS]),
        ("--untagged", vec![LOKI, API]),
        ("--host edge-1", vec![LOKI, REDIS]),
        ("--host edge-2 --host edge-3", vec![NGINX, API]),
        ("--host edge", vec![]),
        ("--provider file", vec![REDIS]),
        ("--provider docker --host edge-1", vec![LOKI]),
        ("--image nginx:*", vec![NGINX]),
        ("--image docker.io/*", vec![LOKI, NGINX, REDIS]),
        ("--image *loki* --image ghcr.io/acme/ap?:[12].0", vec![LOKI, API]),
        ("--since 25h", vec![LOKI, API]),
        ("--since 60h --tag database", vec![REDIS]),
        ("--since 4w", vec![LOKI, NGINX, REDIS, API]),
        ("--before 25h", vec![NGINX, REDIS]),
        ("--before 25h --since 60h", vec![REDIS]),
        ("--status update --search EDGE-1", vec![LOKI, REDIS]),
        ("--status new", vec![]),
    ] {
        assert_eq!(names(&inbox, &format!("{arguments} --sort image")), expected, "{arguments}");
    }
}

#[test]
fn pending_acknowledged_or_all() {
    let inbox = four();
    inbox.output(["ack", "nginx:1.27", "redis:7"]);
    assert_eq!(names(&inbox, "--sort image"), [LOKI, API]);
    assert_eq!(names(&inbox, "--sort image --acknowledged"), [NGINX, REDIS]);
    assert_eq!(names(&inbox, "--sort image --all"), [LOKI, NGINX, REDIS, API]);
    assert_eq!(inbox.json(["list", "--acknowledged"])[0]["acknowledged"], true);
    assert!(inbox.output(["list", "--all"]).starts_with("IMAGE"));
    inbox.diunbox(["list", "--all", "--acknowledged"]).assert().code(2);
}

#[test]
fn a_table_has_short_names_relative_times_and_whole_values() {
    let inbox = four();
    assert_eq!(
        inbox.output(["list"]),
        "\
IMAGE                 STATUS  WHERE         SINCE       TAG
grafana/loki:3.0      update  edge-1/loki   1 hour ago  -
ghcr.io/acme/api:2.0  update  edge-3/api    1 day ago   -
redis:7               update  edge-1        2 days ago  database
nginx:1.27            update  edge-2/nginx  3 days ago  web
"
    );
}

#[test]
fn json_has_an_array_and_ndjson_a_line_for_each_update() {
    let inbox = four();
    let array = inbox.json(["list"]);
    let lines: Vec<Value> = inbox
        .lines(["list", "--format", "ndjson"])
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(array, Value::Array(lines));
    let nginx = &array[3];
    let expected =
        event_with(NGINX, &json!({"hostname": "edge-2", "created": "2026-01-03T00:00:00Z"}));
    assert_eq!(nginx["event"], expected);
    let fields: Vec<&String> = nginx.as_object().unwrap().keys().collect();
    let expected = [
        "acknowledged",
        "change",
        "event",
        "hosts",
        "links",
        "needed",
        "note",
        "places",
        "previous",
        "received_at",
        "since",
        "snoozed_until",
        "state",
        "supersedes",
        "tag",
    ];
    assert_eq!(fields, expected);
    assert_eq!((&nginx["state"], &nginx["needed"]), (&json!("pending"), &json!(1)));
    assert_eq!(nginx["acknowledged"], false);
    assert_eq!(nginx["tag"], json!({"id": 1, "name": "web"}));
    assert_eq!(nginx["places"], 1);
    assert_eq!(nginx["hosts"], json!(["edge-2"]));
    assert!(nginx["received_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(array[2]["tag"]["name"], "database");
    assert_eq!(array[2]["event"]["created"], Value::Null);
    assert_eq!(array[1]["tag"], Value::Null);
}

#[test]
fn names_alone_a_line_or_a_nul_each() {
    let inbox = four();
    assert_eq!(inbox.output(["list", "-q", "-n2"]), format!("{LOKI}\n{API}\n"));
    assert_eq!(inbox.output(["list", "-0", "-n2"]), format!("{LOKI}\0{API}\0"));
    inbox.diunbox(["list", "-0", "--format", "json"]).assert().code(2);
}

#[test]
fn exit_code_says_whether_something_is_listed() {
    let inbox = four();
    inbox.diunbox(["list", "--exit-code"]).assert().code(1).stdout(contains("nginx:1.27"));
    inbox.diunbox(["list", "--exit-code", "--host", "nowhere"]).assert().code(0).stdout("");
    inbox.diunbox(["list", "--acknowledged", "--exit-code"]).assert().code(0);
}

#[test]
fn an_empty_list_says_why() {
    let inbox = four();
    let arguments = ["list", "--host", "edge-l", "--provider", "dcoker", "--host", "edge-1"];
    let assert = inbox.diunbox(arguments).assert().success().stdout("");
    assert.stderr(
        "diunbox: no pending update matches the filters\n\
        diunbox: no event has named the host \"edge-l\"; did you mean one of \"edge-1\", \"edge-2\", \"edge-3\"?\n\
        diunbox: no event has named the provider \"dcoker\"; did you mean \"docker\"?\n",
    );
    inbox.output(["ack", "--all"]);
    let assert = inbox.diunbox(["list"]).assert().success().stdout("");
    assert.stderr("diunbox: nothing is pending\n");
    inbox.diunbox(["list", "-q"]).assert().success().stdout("").stderr("");
    inbox.diunbox(["list", "-f", "json"]).assert().success().stdout("[]\n").stderr("");
    inbox.diunbox(["list", "-f", "ndjson"]).assert().success().stdout("").stderr("");
}

#[test]
fn an_invalid_filter_is_an_error() {
    let inbox = four();
    let assert = inbox.diunbox(["list", "--tag", "wbe"]).assert().code(2).stdout("");
    assert.stderr("diunbox: no tag \"wbe\"; did you mean \"web\"?\n");
    let assert = inbox.diunbox(["list", "--image", "a[b"]).assert().code(2);
    assert.stderr(contains("\"a[b\" is not a pattern"));
    for arguments in [
        &["--since", "soon"][..],
        &["--limit", "-1"],
        &["--sort", "size"],
        &["--format", "xml"],
        &["--tag", "web", "--untagged"],
        &["nginx"],
    ] {
        inbox.diunbox(["list"]).args(arguments).assert().code(2).stdout("");
    }
}

#[test]
fn without_a_database_it_says_what_to_do_next_and_creates_none() {
    let inbox = Inbox::new();
    for (arguments, code, stdout) in [
        (&["list"][..], 0, ""),
        (&["list", "-f", "json"], 0, "[]\n"),
        (&["list", "--exit-code"], 0, ""),
        (&["show", "nginx"], 1, ""),
        (&["ack", "nginx"], 1, ""),
        (&["ack", "--all"], 0, ""),
        (&["tag", "list"], 0, ""),
        (&["tag", "delete", "web"], 1, ""),
        (&["status"], 0, "0 pending, 0 acknowledged\n"),
        (&["prune", "--older-than", "1d"], 0, ""),
        (&["backup", "-"], 1, ""),
    ] {
        let assert = inbox.diunbox(arguments.iter().copied()).assert().code(code).stdout(stdout);
        assert.stderr(contains("no database at ").count(1));
        assert!(!inbox.database().exists(), "{arguments:?}");
    }
    inbox.take(&[event(API)]);
    assert_eq!(inbox.lines(["list", "-q"]), [API]);
}
