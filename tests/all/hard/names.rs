//! Expensive names and patterns.

use std::fs;

use crate::common::{Inbox, event};

#[test]
fn patterns_with_many_stars_take_neither_time_nor_stack() {
    let inbox = Inbox::new();
    let long = format!("docker.io/{}:1", "a".repeat(1_000));
    inbox.take(&[event(&long), event("ghcr.io/acme/api:2.0")]);
    for pattern in ["*a".repeat(60_000), "?*".repeat(60_000), "[a-z]*".repeat(20_000)] {
        for arguments in [["list", "-q", "--image"].as_slice(), &["show"], &["ack"]] {
            let assert = inbox.diunbox(arguments.iter().copied()).arg(&pattern).assert();
            let output = assert.code(2).stdout("").get_output().clone();
            assert!(String::from_utf8(output.stderr).unwrap().contains("1024 bytes at most"));
        }
    }
    for (pattern, matches) in [
        ("*a".repeat(511) + "*", 1),
        ("*a*a*a*a*a*a*a*a*a*a*a*b".to_owned(), 0),
        ("*".repeat(9_999), 2),
    ] {
        assert_eq!(inbox.lines(["list", "-q", "--image", &pattern]).len(), matches, "{pattern}");
    }
}

#[test]
fn names_of_any_length_are_answered() {
    let inbox = Inbox::new();
    let long = format!("ghcr.io/{}:1", "a".repeat(1_010));
    inbox.take(&[event(&long)]);
    for wrong in ["b".repeat(1_000), "b".repeat(100_000)] {
        inbox.diunbox(["show", &wrong]).assert().code(1);
        inbox.diunbox(["ack", "-"]).write_stdin(wrong).assert().code(1);
    }
    inbox.diunbox(["ack", "-"]).write_stdin(long).assert().success();
    assert!(inbox.lines(["list", "-q"]).is_empty());
}

#[test]
fn many_names_of_which_most_are_not_there() {
    let inbox = Inbox::new();
    let name = |index: usize| format!("ghcr.io/acme/app-{index}:1");
    let events: Vec<_> = (0..2_000).map(|index| event(&name(index))).collect();
    inbox.take(&events);
    let names: Vec<String> = (0..100_000).map(name).collect();
    fs::write(inbox.path("names"), names.join("\n")).unwrap();
    let input = fs::read(inbox.path("names")).unwrap();
    let output =
        inbox.diunbox(["ack", "-"]).write_stdin(input).assert().code(1).get_output().clone();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2_000);
    assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 98_000);
    assert!(inbox.lines(["list", "-q"]).is_empty());
}
