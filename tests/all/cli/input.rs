//! The forms of input, and the messages about broken events.

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::{Value, json};

use crate::common::{Inbox, event, events, fixture, without_nul};

const PAIR: [&str; 2] = ["docker.io/library/nginx:1.27", "ghcr.io/acme/api:2.0"];

fn pair() -> (Value, Value) {
    (event(PAIR[0]), event(PAIR[1]))
}

#[test]
fn every_form_of_input_gives_the_same_updates() {
    let (a, b) = pair();
    let (pretty_a, pretty_b) = (format!("{a:#}"), format!("{b:#}"));
    for (form, input) in [
        ("one a line", format!("{a}\n{b}\n")),
        ("no last line end", format!("{a}\n{b}")),
        ("CRLF", format!("{a}\r\n{b}\r\n")),
        ("byte order mark", format!("\u{feff}{a}\n{b}\n")),
        ("blank lines", format!("\n\n{a}\n  \n\t\n{b}\n\n")),
        ("array", json!([a, b]).to_string()),
        ("pretty array", format!("{:#}\n", json!([a, b]))),
        ("array with byte order mark and CRLF", format!("\u{feff}[\r\n{a},\r\n{b}\r\n]\r\n")),
        ("pretty objects", format!("{pretty_a}\n{pretty_b}\n")),
        ("pretty objects, CRLF", format!("{pretty_a}\n{pretty_b}\n").replace('\n', "\r\n")),
        ("back to back", format!("{pretty_a}{b}")),
    ] {
        let inbox = Inbox::new();
        let piped = inbox.diunbox(["ingest"]).write_stdin(input.as_str()).assert().success();
        piped.stdout("").stderr("diunbox: stored 2 events\n");
        let listed = inbox.json(["list", "--sort", "image"]);
        assert_eq!(listed[0]["event"], a, "{form}");
        assert_eq!(listed[1]["event"], b, "{form}");

        let inbox = Inbox::new();
        let file = inbox.path("events");
        std::fs::write(&file, input).unwrap();
        inbox.diunbox(["ingest"]).arg(&file).assert().success();
        assert_eq!(inbox.lines(["list", "-q", "--sort", "image"]), PAIR, "{form}");
    }
}

#[test]
fn an_object_alone_and_nothing_at_all_are_input_too() {
    let inbox = Inbox::new();
    inbox.diunbox(["ingest", "-"]).write_stdin(event(PAIR[0]).to_string()).assert().success();
    assert_eq!(inbox.lines(["list", "-q"]), PAIR[..1]);
    for nothing in ["", "\n", "[]", "\u{feff}"] {
        let ingest = inbox.diunbox(["ingest"]).write_stdin(nothing).assert();
        ingest.success().stderr("diunbox: stored 0 events\n");
    }
}

#[test]
fn each_providers_event_comes_out_as_it_went_in() {
    for name in [
        "docker-eight-containers.ndjson",
        "swarm.json",
        "kubernetes.json",
        "nomad.json",
        "containerd.json",
        "file-provider.json",
        "dockerfile.json",
        "notif-test.json",
        "nasty.ndjson",
    ] {
        let inbox = Inbox::with(name);
        for mut event in events(name) {
            if name.starts_with("docker-eight") && event["metadata"]["ctn_names"] != "api-7" {
                continue;
            }
            if event["metadata"].is_null() {
                event["metadata"] = json!({});
            }
            without_nul(&mut event);
            let image = event["image"].as_str().unwrap();
            let listed = inbox.json(["list"]);
            let listed =
                listed.as_array().unwrap().iter().find(|one| one["event"]["image"] == image);
            assert_eq!(listed.unwrap()["event"], event, "{name}");
        }
    }
}

#[test]
fn a_bad_event_is_reported_with_file_line_and_reason_and_hides_no_other() {
    let inbox = Inbox::new();
    let (a, b) = pair();
    let file = inbox.path("events.ndjson");
    let cut = &a.to_string()[..100];
    let lines = [
        &a.to_string(),
        r#"{"image":"x","metadata":{"ctn_id":5}}"#,
        cut,
        r#"{"hostname":"edge-1"}"#,
        "hello",
        r#"{"image":"x","created":"soon"}"#,
        &b.to_string(),
        cut,
    ];
    std::fs::write(&file, lines.join("\n")).unwrap();
    let assert = inbox.diunbox(["ingest"]).arg(&file).assert().code(2).stdout("");
    let stderr = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    let place = |line| format!("diunbox: {}:{line}: ", file.display());
    for (line, reason) in [
        (3, "broken JSON"),
        (4, "`image`: an image name is missing or empty"),
        (5, "not a JSON object"),
        (6, "`created`: dropped \"soon\", which is not as Diun sends it"),
        (8, "broken JSON (the input ends within the object)"),
    ] {
        assert!(stderr.contains(&format!("{}{reason}", place(line))), "{line}: {stderr}");
    }
    assert!(stderr.ends_with("diunbox: stored 4 events, 4 bad\n"), "{stderr}");
    assert_eq!(stderr.lines().count(), 6, "{stderr}");
    let listed = inbox.lines(["list", "-q", "--sort", "image"]);
    assert_eq!(listed, [PAIR[0], "docker.io/library/x:latest", PAIR[1]]);
    assert_eq!(inbox.json(["show", "x"])["event"]["created"], Value::Null);
}

#[test]
fn a_bad_event_from_a_pipe_is_named_after_it() {
    let inbox = Inbox::new();
    let input = b"{\"image\":\"\xff\"}\n{\"image\":7}\n";
    let assert = inbox.diunbox(["ingest"]).write_stdin(input.as_slice()).assert().code(2);
    assert.stderr(contains("standard input:1: ").and(contains("standard input:2: `image`: ")));
}

#[test]
fn a_bad_event_cannot_reach_the_terminal() {
    let inbox = Inbox::new();
    let input = "{\"image\":\"a\",\"created\":\"\\u001b[2J\\u202e\"}\n\u{1b}[2J\n";
    let assert = inbox.diunbox(["ingest"]).write_stdin(input).assert().code(2);
    assert.stderr(contains('\u{1b}').or(contains('\u{202e}')).not());
}

#[test]
fn strict_stores_nothing_unless_everything_is_good() {
    let inbox = Inbox::new();
    let (a, b) = pair();
    let bad = format!("{a}\n{{\"image\":1}}\n{b}\n");
    let assert = inbox.diunbox(["ingest", "--strict"]).write_stdin(bad).assert().code(2);
    assert.stderr(contains("standard input:2: `image`").and(contains("stored nothing")));
    inbox.diunbox(["list", "--format", "json"]).assert().success().stdout("[]\n");

    let assert = inbox
        .diunbox(["ingest", "--strict"])
        .arg(fixture("swarm.json"))
        .arg(inbox.path("missing.json"))
        .assert();
    assert.code(2).stderr(contains("missing.json: cannot be read"));
    inbox.diunbox(["list", "-q"]).assert().success().stdout("");

    let good = format!("[{a},{b}]");
    let assert = inbox.diunbox(["ingest", "--strict"]).write_stdin(good).assert().success();
    assert.stderr("diunbox: stored 2 events\n");
    assert_eq!(inbox.lines(["list", "-q", "--sort", "image"]), PAIR);
}

#[test]
fn a_field_of_a_mebibyte_is_cut_and_harms_no_table() {
    let inbox = Inbox::new();
    let huge = "x".repeat((1 << 20) - 1_000);
    let mut events = vec![event(&format!("ghcr.io/{}:1", "x".repeat(1_000)))];
    for (index, field) in
        ["hostname", "status", "hub_link", "digest", "metadata"].iter().enumerate()
    {
        let mut large = event(&format!("ghcr.io/acme/large:{index}"));
        large[*field] =
            if *field == "metadata" { json!({"ctn_names": huge}) } else { huge.clone().into() };
        events.push(large);
    }
    inbox.take(&events);
    let listed = inbox.json(["list"]);
    for event in &events {
        let is_event = |update: &&Value| update["event"]["image"] == event["image"];
        let update = listed.as_array().unwrap().iter().find(is_event);
        let update = &update.unwrap()["event"];
        for (field, most) in
            [("hostname", 256), ("status", 256), ("hub_link", 2_048), ("digest", 256)]
        {
            let text = event[field].as_str().unwrap();
            assert!(update[field] == text[..text.len().min(most)], "{field} came out otherwise");
        }
        assert!(update["metadata"] == event["metadata"], "the metadata came out otherwise");
    }
    let table = inbox.output(["list"]);
    assert_eq!(table.lines().count(), 1 + events.len());
    assert!(table.len() < 30_000, "{}", table.len());
}

#[test]
fn inputs_from_the_field_are_taken() {
    for (name, stored, bad) in [
        ("odd.ndjson", 26, 2),
        ("unnormalised.ndjson", 5, 0),
        ("tag-at-digest.ndjson", 3, 0),
        ("whitespace-image.ndjson", 3, 0),
        ("diun-container-id-hostname.ndjson", 3, 0),
    ] {
        let inbox = Inbox::new();
        let output =
            inbox.diunbox(["ingest"]).arg(fixture("field").join(name)).output().unwrap().stderr;
        let stderr = String::from_utf8(output).unwrap();
        let plural = if stored == 1 { "" } else { "s" };
        let bad = if bad == 0 { String::new() } else { format!(", {bad} bad") };
        assert!(
            stderr.ends_with(&format!("stored {stored} event{plural}{bad}\n")),
            "{name}: {stderr}"
        );
    }
}
