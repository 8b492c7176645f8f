//! Ingesting events from files, a pipe that stays open, and the script notifier.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::json;

use crate::common::{Inbox, event, event_with, eventually, fixture, program};

#[test]
fn files_and_a_pipe_are_taken_in_order() {
    let inbox = Inbox::new();
    let assert = inbox
        .diunbox(["ingest"])
        .arg(fixture("swarm.json"))
        .arg("-")
        .arg(fixture("docker-eight-containers.ndjson"))
        .write_stdin(event("ghcr.io/acme/web:1").to_string())
        .assert();
    assert.success().stdout("").stderr("diunbox: stored 10 events\n");
    let images = inbox.lines(["list", "-q", "--sort", "image"]);
    assert_eq!(
        images,
        [
            "docker.io/library/traefik:v3.1",
            "ghcr.io/acme/web:1",
            "registry.local:5000/acme/api:2.0"
        ]
    );
}

#[test]
fn an_event_shows_while_its_pipe_is_still_open() {
    let inbox = Inbox::new();
    let mut ingest = Command::new(program())
        .args(["ingest", "--quiet"])
        .env("DIUNBOX_DB", inbox.database())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = ingest.stdin.take().unwrap();
    for image in ["ghcr.io/acme/first:1", "ghcr.io/acme/second:1"] {
        writeln!(pipe, "{}", event(image)).unwrap();
        eventually("the event is listed", || {
            let list = inbox.diunbox(["list", "-q"]).output().unwrap();
            String::from_utf8(list.stdout).unwrap().lines().any(|line| line == image)
        });
        assert!(ingest.try_wait().unwrap().is_none(), "it ended before its input did");
    }
    drop(pipe);
    assert!(ingest.wait().unwrap().success());
}

/// The most memory that a process has had so far, in KiB.
#[cfg(target_os = "linux")]
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn memory_stays_bounded_within_one_array() {
    const EVENTS: usize = 64;
    let inbox = Inbox::new();
    let note = "x".repeat(1 << 20);
    let large = event_with("ghcr.io/acme/large:1", &json!({"metadata": {"note": note}}));
    let mut ingest = Command::new(program())
        .args(["ingest", "--quiet"])
        .env("DIUNBOX_DB", inbox.database())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = ingest.stdin.take().unwrap();
    write!(pipe, "[{large}").unwrap();
    for _ in 1..EVENTS {
        write!(pipe, ",{large}").unwrap();
    }
    // Almost all of it has been read by now, as a pipe holds little.
    let peak = peak(ingest.id());
    writeln!(pipe, "]").unwrap();
    drop(pipe);
    assert!(ingest.wait().unwrap().success());
    assert!(peak < 48 * 1024, "{peak} KiB for {EVENTS} MiB of events");
    assert_eq!(inbox.json(["show", "ghcr.io/acme/large:1"])["where"][0]["times"], EVENTS);
}

#[test]
fn a_later_event_makes_an_update_pending_again_and_keeps_its_tag() {
    let inbox = Inbox::new();
    let image = "ghcr.io/acme/api:2.0";
    inbox.take(&[event(image)]);
    inbox.output(["tag", "create", "web"]);
    inbox.output(["tag", "assign", "web", image]);
    inbox.output(["ack", image]);
    assert!(inbox.lines(["list", "-q"]).is_empty());
    inbox.take(&[event_with(image, &json!({"digest": "sha256:02", "status": "update"}))]);
    let update = &inbox.json(["list"])[0];
    assert_eq!(update["event"]["digest"], "sha256:02");
    assert_eq!(update["acknowledged"], false);
    assert_eq!(update["tag"]["name"], "web");
}

#[test]
fn the_script_notifiers_environment_is_an_event() {
    let inbox = Inbox::new();
    let environment = fs::read_to_string(fixture("script-notifier.env")).unwrap();
    let variables = environment.lines().filter_map(|line| line.split_once('='));
    let assert = inbox.diunbox(["ingest", "--from-env"]).envs(variables).assert().success();
    assert.stdout("").stderr("diunbox: stored 1 event\n");
    let event = &inbox.json(["list"])[0]["event"];
    assert_eq!(event["image"], "registry.local:5000/acme/api:2.0");
    assert_eq!(event["hostname"], "edge-1");
    assert_eq!(event["created"], "2026-11-23T21:45:52.442751Z");
    assert_eq!(event["metadata"], json!({"team": "core"}));
}

/// Diun does not send it again.
#[test]
fn an_event_of_the_environment_that_cannot_be_stored_is_told_as_json() {
    let inbox = Inbox::new();
    fs::create_dir(inbox.database()).unwrap();
    let mut command = inbox.diunbox(["ingest", "--from-env"]);
    let assert = command.env("DIUN_ENTRY_IMAGE", "a:1").assert().code(2);
    let complaints = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    let line = complaints.lines().find(|line| line.starts_with('{')).unwrap();
    fs::remove_dir(inbox.database()).unwrap();
    inbox.diunbox(["ingest"]).write_stdin(line).assert().success();
    assert_eq!(inbox.lines(["list", "-q"]), ["docker.io/library/a:1"]);
}

#[test]
fn an_environment_without_an_event_is_an_error() {
    let inbox = Inbox::new();
    let assert = inbox.diunbox(["ingest", "--from-env"]).assert().code(2);
    assert.stderr(contains("DIUN_ENTRY_IMAGE is not set"));
    assert!(!inbox.database().exists());
    let assert = inbox.diunbox(["ingest", "--from-env", "events.json"]).assert().code(2);
    assert.stderr(contains("cannot be used with"));
}

#[test]
fn a_file_that_cannot_be_read_hides_no_other() {
    let inbox = Inbox::new();
    let assert = inbox
        .diunbox(["ingest"])
        .arg(inbox.path("missing.json"))
        .arg(inbox.path("."))
        .arg(fixture("swarm.json"))
        .assert()
        .code(2);
    let missing = contains("missing.json: cannot be read: No such file");
    assert.stderr(missing.and(contains("cannot be read: Is a directory")));
    assert_eq!(inbox.lines(["list", "-q"]), ["docker.io/library/traefik:v3.1"]);
}

#[test]
fn quiet_says_nothing_but_errors() {
    let inbox = Inbox::new();
    inbox.diunbox(["-q", "ingest"]).arg(fixture("swarm.json")).assert().success().stderr("");
    let assert = inbox.diunbox(["-q", "ingest"]).write_stdin("hello\n").assert().code(2);
    assert.stderr("diunbox: standard input:1: not a JSON object\n");
}

#[test]
fn the_folder_and_the_database_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let inbox = Inbox::new();
    inbox
        .diunbox(["ingest"])
        .env_remove("DIUNBOX_DB")
        .env("XDG_DATA_HOME", inbox.path("data"))
        .env("HOME", inbox.path("."))
        .arg(fixture("swarm.json"))
        .assert()
        .success();
    let mode = |name: &str| fs::metadata(inbox.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("data/diunbox"), 0o700);
    assert_eq!(mode("data/diunbox/diunbox.db"), 0o600);
}

#[test]
fn db_goes_before_the_environment() {
    let inbox = Inbox::new();
    let other = inbox.path("other.db");
    inbox.diunbox(["ingest", "--db"]).arg(&other).arg(fixture("swarm.json")).assert().success();
    assert!(other.exists() && !inbox.database().exists());
    let assert = inbox.diunbox(["list"]).env("DIUNBOX_DB", "").assert().code(2);
    assert.stderr("diunbox: the database has no name: set --db or DIUNBOX_DB to a path\n");
}

#[test]
fn what_list_prints_is_taken_with_its_time() {
    let inbox = Inbox::new();
    let image = "ghcr.io/acme/api:2.0";
    inbox.take_aged(&event(image), 72);
    for format in ["json", "ndjson"] {
        let printed = inbox.output(["list", "--format", format]);
        let copy = Inbox::new();
        copy.diunbox(["ingest", "-q"]).write_stdin(printed.as_str()).assert().success().stderr("");
        assert_eq!(copy.json(["list"]), inbox.json(["list"]), "{format}");
        // A newer event is not replaced by it.
        copy.take(&[event_with(image, &json!({"digest": "sha256:02"}))]);
        copy.diunbox(["ingest"]).write_stdin(printed).assert().success();
        assert_eq!(copy.json(["list"])[0]["event"]["digest"], "sha256:02");
    }
}
