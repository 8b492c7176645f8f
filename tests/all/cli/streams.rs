//! Standard output and standard error: results, messages, colours, and a closed pipe.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use predicates::prelude::*;
use predicates::str::contains;

use crate::common::{Inbox, event, event_with, program};
use serde_json::json;

#[test]
fn a_closed_pipe_is_not_an_error() {
    let inbox = Inbox::new();
    let updates: Vec<_> =
        (0..3_000).map(|index| event(&format!("ghcr.io/{}/x:{index}", "a".repeat(100)))).collect();
    inbox.take(&updates);
    for arguments in [
        &["list"][..],
        &["list", "-q"],
        &["list", "-0"],
        &["list", "-f", "json"],
        &["list", "-f", "ndjson"],
        &["backup", "-"],
        &["ack", "--all"],
    ] {
        let mut child = Command::new(program())
            .args(arguments)
            .env("DIUNBOX_DB", inbox.database())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0];
        BufReader::new(child.stdout.take().unwrap()).read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
    assert!(inbox.lines(["list", "-q"]).is_empty(), "what was asked for is done all the same");
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let inbox = Inbox::new();
    inbox.take(&[event("ghcr.io/acme/api:2.0")]);
    for arguments in [&["list"][..], &["status"], &["show", "*"], &["backup", "-"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(program())
            .args(arguments)
            .env("DIUNBOX_DB", inbox.database())
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.starts_with("diunbox: cannot write to standard output: "), "{stderr}");
    }
}

#[test]
fn colour_in_a_pipe_only_when_asked_for_and_links_never() {
    let inbox = Inbox::new();
    let link = json!({"hub_link": "https://hub.docker.com/_/nginx"});
    inbox.take(&[event_with("docker.io/library/nginx:1.27", &link)]);
    let escape = contains('\u{1b}');
    for arguments in [&["list"][..], &["show", "nginx:1.27"], &["list", "--color=never"]] {
        let assert = inbox.diunbox(arguments.iter().copied()).assert().success();
        assert.stdout(escape.clone().not());
    }
    let assert = inbox.diunbox(["list", "--color", "always"]).env("NO_COLOR", "1").assert();
    let bold = contains("\u{1b}[1mIMAGE");
    // A link garbles what is not a terminal, such as the page of `watch --color`.
    assert.success().stdout(bold.and(contains("\u{1b}]8").not()));
    inbox.diunbox(["list", "--color", "often"]).assert().code(2);
}

#[test]
fn json_never_has_colour() {
    let inbox = Inbox::with("nasty.ndjson");
    for arguments in [["list", "-f", "json"], ["list", "-f", "ndjson"]] {
        let assert = inbox.diunbox(arguments).args(["--color", "always"]).assert().success();
        assert.stdout(contains('\u{1b}').not());
    }
}

#[test]
fn help_and_version_go_to_standard_output_and_usage_errors_do_not() {
    let inbox = Inbox::new();
    let assert = inbox.diunbox(["--help"]).assert().success().stderr("");
    assert.stdout(contains("Exit status:").and(contains("List the pending updates")));
    inbox.diunbox(["--version"]).assert().success().stdout(contains("diunbox "));
    for command in [
        "ingest",
        "list",
        "show",
        "ack",
        "tag",
        "status",
        "prune",
        "backup",
        "serve",
        "completions",
        "man",
    ] {
        let assert = inbox.diunbox([command, "--help"]).assert().success();
        assert.stdout(contains(format!("Usage: diunbox {command}")));
    }
    for slip in [&[][..], &["lst"], &["list", "--al"], &["show", "a", "b"]] {
        inbox.diunbox(slip.iter().copied()).assert().code(2).stdout("").stderr(contains("Usage"));
    }
    inbox.diunbox(["lst"]).assert().stderr(contains("list"));
}

#[test]
fn a_line_of_standard_error_is_one_message() {
    let inbox = Inbox::new();
    inbox.take(&[event("ghcr.io/acme/api:2.0")]);
    let output = inbox.diunbox(["ack", "a\nb\u{1b}c", "ghcr.io/acme/apl:2.0"]).output().unwrap();
    let lines: Vec<String> =
        BufReader::new(output.stderr.as_slice()).lines().map(Result::unwrap).collect();
    assert_eq!(
        lines,
        [
            r#"diunbox: "a\nb\u{1b}c" is not an image name: it holds white space, control characters or one of * ? [ ]"#,
            r#"diunbox: no image "ghcr.io/acme/apl:2.0"; did you mean "ghcr.io/acme/api:2.0"?"#
        ]
    );
}
