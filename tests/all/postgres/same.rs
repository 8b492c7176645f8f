//! Both engines give the same answers.

use serde_json::{Value, json};

use crate::common::postgres::Database;
use crate::common::{Inbox, fixture};

/// What the program prints on both engines, after the same commands.
struct Both {
    inbox: Inbox,
    database: Database,
}

impl Both {
    fn new() -> Option<Self> {
        Some(Self { inbox: Inbox::new(), database: Database::new()? })
    }

    /// Runs a command on both, compares what it says, and returns that.
    fn run(&self, arguments: &[&str], input: &str) -> String {
        let [sqlite, postgres] = [None, Some(self.database.url())].map(|url| {
            let mut command = self.inbox.diunbox(arguments.iter().copied());
            if let Some(url) = url {
                command.env("DIUNBOX_DB", url);
            }
            let output = command.write_stdin(input).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            (output.status.code(), without_clock(&text), error)
        });
        assert_eq!(sqlite, postgres, "{arguments:?}");
        sqlite.1
    }
}

/// JSON without the seconds in which it was made.
fn without_clock(text: &str) -> String {
    fn clear(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for key in [
                    "received_at",
                    "last_event",
                    "since",
                    "first_seen",
                    "last_seen",
                    "at",
                    "added",
                    "as_of",
                    "runs_since",
                    "last_reconcile",
                ] {
                    map.remove(key);
                }
                map.values_mut().for_each(clear);
            }
            Value::Array(list) => list.iter_mut().for_each(clear),
            _ => {}
        }
    }
    if let Ok(mut value) = serde_json::from_str::<Value>(text) {
        clear(&mut value);
        return serde_json::to_string_pretty(&value).unwrap();
    }
    // Names are in the order of times.
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn every_fixture_gives_the_same_json() {
    let Some(both) = Both::new() else { return };
    for name in [
        "docker-eight-containers.ndjson",
        "docker-and-swarm.ndjson",
        "watch-repo.ndjson",
        "kubernetes.json",
        "nomad.json",
        "swarm.json",
        "containerd.json",
        "dockerfile.json",
        "file-provider.json",
        "nasty.ndjson",
        "field/odd.ndjson",
        "field/unnormalised.ndjson",
        "field/tag-at-digest.ndjson",
        "field/whitespace-image.ndjson",
    ] {
        let input = std::fs::read(fixture(name)).unwrap();
        both.run(&["ingest"], &String::from_utf8_lossy(&input));
        both.run(&["list", "--all", "--format", "json", "--sort", "image"], "");
    }
    let names = both.run(&["list", "-q", "--all", "--sort", "image"], "");
    for name in names.lines() {
        both.run(&["show", name, "--format", "json"], "");
    }
    for arguments in [
        &["status"][..],
        &["list", "--sort", "host", "--sort", "image"],
        &["list", "-q", "--sort", "created", "-n", "5"],
        &["list", "-q", "--image", "*nginx*", "-n", "1"],
        &["list", "-q", "--search", "API", "--sort", "image"],
        &["list", "-q", "--host", "edge-1", "--provider", "docker", "--sort", "image"],
        &["tag", "create", "web"],
        &["tag", "assign", "web", "*"],
        &["ack", "--all", "--host", "edge-1", "--note", "a 'note'"],
        &["ignore", "add", "*/shop:*"],
        &["list", "--all", "--format", "json", "--sort", "image"],
        &["undo"],
        &["snooze", "--all", "--until", "2100-01-01"],
        &["history", "--format", "json"],
        &["reopen", "--all", "--snoozed"],
        &["list", "--all", "--format", "json", "--sort", "tag"],
        &["tag", "list", "--format", "json"],
        &["hosts", "--format", "json"],
    ] {
        both.run(arguments, "");
    }
    // What no decision looks at is still there.
    for name in names.lines() {
        both.run(&["show", name, "--format", "json"], "");
    }
}

#[test]
fn hostile_fields_give_the_same_answers() {
    let Some(both) = Both::new() else { return };
    let large = "x".repeat(1024 * 1024 - 20);
    let long = "é".repeat(600);
    let events = [
        r#"{"image": "a:1", "hostname": "h\u0000st", "digest": "d\u0000", "metadata": {"k": "v\u0000w", "ctn_names": "c\u0000"}}"#.to_owned(),
        format!(r#"{{"image": "b:1", "hostname": "{long}", "provider": "{long}", "metadata": {{"ctn_names": "{long}"}}}}"#),
        format!(r#"{{"image": "c:1", "provider": "docker", "metadata": {{"ctn_names": "{long}", "large": "{large}"}}}}"#),
        format!(r#"{{"image": "r/{}:{}", "digest": "sha256:1"}}"#, "n".repeat(800), "1.2.3".repeat(25)),
        r#"{"image": "d:1", "hostname": "'; DROP TABLE updates; --", "status": "\\x00\\"}"#.to_owned(),
        r#"{"image": "e:1", "hostname": "\ud83d\ude00 \u202e", "created": "2020-02-30T00:00:00Z"}"#.to_owned(),
    ];
    for event in &events {
        both.run(&["ingest"], event);
    }
    both.run(&["list", "--all", "--format", "json", "--sort", "image"], "");
    both.run(&["list", "--host", "'; DROP TABLE updates; --", "-q"], "");
    both.run(&["list", "--search", "%_", "-q"], "");
    // No engine can compress this, or has it in an index.
    let words = (0..5_000_u32).map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761)));
    let noise = words.collect::<Vec<_>>().concat();
    let container = |name: &str, image: &str| {
        json!({
            "Id": "b".repeat(64), "Name": format!("/{name}"), "Image": format!("sha256:{image}"),
            "State": {"Status": "running"}, "Created": "2026-11-23T21:45:52.442751Z",
            "Config": {"Image": "f:1", "Labels": {"org.opencontainers.image.version": "1\u{0}.2"}},
        })
    };
    let image = |id: &str, digest: &str| {
        let digests = [format!("f@sha256:{digest}")];
        json!({"Id": format!("sha256:{id}"), "RepoTags": ["f:1"], "RepoDigests": digests})
    };
    let running = json!([
        container("one", "2"),
        container(&noise, "2"),
        container("n\u{0}ul", "3"),
        container("three", "4"),
        image("2", "2"),
        image("3", "3\u{0}"),
        image("4", &noise),
    ]);
    both.run(&["ingest"], r#"{"image": "f:1", "hostname": "h", "provider": "docker", "digest": "sha256:1", "metadata": {"ctn_names": "one"}}"#);
    for host in ["h", noise.as_str()] {
        let report =
            both.run(&["reconcile", "--host", host, "--format", "json"], &running.to_string());
        assert_eq!(report.contains("three"), host == "h", "{report}");
        both.run(&["show", "f:1", "--format", "json"], "");
        both.run(&["hosts", "--format", "json"], "");
    }
    both.run(&["tag", "create", &noise], "");
    both.run(&["ignore", "add", &format!("*{noise}")], "");
    both.run(&["ack", "f:1", "--note", &noise], "");
    both.run(&["history", "--format", "json"], "");
}

#[test]
fn an_inbox_goes_over_and_back() {
    let Some(database) = Database::new() else { return };
    let inbox = Inbox::with("watch-repo.ndjson");
    inbox.diunbox(["ingest"]).arg(fixture("docker-eight-containers.ndjson")).assert().success();
    for arguments in [
        &["tag", "create", "web"][..],
        &["tag", "assign", "web", "*/api:*"],
        &["ack", "--all", "--tag", "web", "--note", "done"],
        &["ignore", "add", "*nightly*"],
        &["snooze", "*alpine*", "--until", "2100-01-01"],
        &["undo"],
    ] {
        inbox.diunbox(arguments.iter().copied()).assert().success();
    }
    let on = |location: &str, arguments: &[&str]| {
        let mut command = inbox.diunbox(arguments.iter().copied());
        let output = command.env("DIUNBOX_DB", location).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let [text, notes] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (text, notes)
    };
    let everything = |location: &str| {
        let list = on(location, &["list", "--all", "--format", "json", "--sort", "image"]).0;
        // What an action about a tag changed is not taken over.
        let history = on(location, &["history", "--format", "json"]).0;
        let history: Vec<Value> = serde_json::from_str(&history).unwrap();
        let kinds = history.iter().map(|entry| entry["kind"].to_string());
        let history = kinds.collect::<Vec<_>>().join(" ");
        let ignores = on(location, &["ignore", "list", "--format", "json"]).0;
        [list, history, ignores]
    };
    let path = |name: &str| inbox.path(name).to_str().unwrap().to_owned();
    let (ours, url) = (inbox.database().to_str().unwrap().to_owned(), database.url());
    on(&url, &["import", &ours]);
    assert_eq!(everything(&url), everything(&ours));
    let again = on(&url, &["import", &ours]).1;
    assert!(again.contains("added 0 updates and 0 actions, changed 0 updates"), "{again}");
    on(&path("back.db"), &["import", &url]);
    assert_eq!(everything(&path("back.db")), everything(&ours));
    on(&url, &["backup", &path("copy.db")]);
    assert_eq!(everything(&path("copy.db")), everything(&ours));
}
