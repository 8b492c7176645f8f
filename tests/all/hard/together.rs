//! Many programs on one database.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;

use rusqlite::Connection;
use serde_json::json;

use crate::common::server::{Server, event as event_of, send};
use crate::common::{Inbox, event_with, program};

const INGESTS: usize = 10;
const EVENTS: usize = 400;
const IMAGES: usize = 25;
const SENT: usize = 60;

/// Every event is of one of few images, so that all write to the same rows.
fn event(from: usize, index: usize) -> serde_json::Value {
    let changes = json!({"hostname": format!("host-{from}"), "metadata": {"ctn_names": "web"}});
    event_with(&format!("ghcr.io/acme/{}:1", index % IMAGES), &changes)
}

#[test]
fn two_servers_and_ten_ingests_and_every_event_is_accounted_for() {
    let mut one = Server::start();
    let mut command = Server::program(&one.inbox, program());
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    let mut two = Server::spawn(Inbox::new(), command);
    let urls = [&one, &two].map(|server| format!("{}/webhook", server.address()));

    thread::scope(|scope| {
        let inbox = &one.inbox;
        for from in 0..INGESTS {
            let lines: Vec<String> =
                (0..EVENTS).map(|index| event(from, index).to_string()).collect();
            let path = inbox.path(&format!("{from}.ndjson"));
            fs::write(&path, lines.join("\n")).unwrap();
            scope.spawn(move || {
                let assert = inbox.diunbox(["ingest"]).arg(path).assert().success();
                assert.stderr(format!("diunbox: stored {EVENTS} events\n"));
            });
        }
        for (from, url) in urls.iter().enumerate().flat_map(|(n, url)| [(n, url), (n + 2, url)]) {
            scope.spawn(move || {
                for index in 0..SENT {
                    let body = event(INGESTS + from, index).to_string();
                    assert_eq!(send(url, "POST", &[], body.as_bytes()).status, 204);
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..20 {
                inbox.diunbox(["ack", "--all", "-q"]).assert().success().stderr("");
                inbox.diunbox(["list", "--all"]).assert().success().stderr("");
            }
        });
    });

    let connection = Connection::open(one.inbox.database()).unwrap();
    let number = |sql: &str| -> usize { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(number("SELECT sum(times) FROM places"), INGESTS * EVENTS + 4 * SENT);
    assert_eq!(number("SELECT count(*) FROM places"), (INGESTS + 4) * IMAGES);
    assert_eq!(number("SELECT count(*) FROM updates"), IMAGES);
    let by_host = "SELECT count(*) FROM (SELECT 1 FROM places GROUP BY hostname
        HAVING sum(times) NOT IN (400, 60))";
    assert_eq!(number(by_host), 0);
    for server in [&mut one, &mut two] {
        server.stop();
        let log = server.log().join("\n");
        assert!(!log.contains(" 503 ") && !log.contains("locked"), "{log}");
    }
    let check: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn programs_that_make_or_migrate_the_same_database_at_once() {
    let baseline = include_str!("../../../migrations/sqlite/01-baseline/up.sql");
    for old in [false, true] {
        for _ in 0..5 {
            let inbox = Inbox::new();
            if old {
                inbox.sql(baseline);
            }
            let children: Vec<_> = (0..8)
                .map(|index| {
                    let mut command = Command::new(program());
                    command.args(["tag", "create", &format!("tag-{index}")]);
                    command.env_clear().env("DIUNBOX_DB", inbox.database());
                    command.stderr(Stdio::piped()).spawn().unwrap()
                })
                .collect();
            for child in children {
                let output = child.wait_with_output().unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            }
            assert_eq!(inbox.lines(["tag", "list", "-q"]).len(), 8);
        }
    }
}

/// Each decision of two terminals and a server is taken as a whole or not at all.
#[test]
fn two_terminals_and_a_server_that_decide_about_the_same_images() {
    let server = Server::start();
    let inbox = &server.inbox;
    let events: Vec<_> =
        (0..8).map(|n| event_with(&format!("app:1.0.{n}"), &json!({"hostname": "h"}))).collect();
    inbox.take(&events);
    let actions = format!("{}/api/actions", server.address());
    thread::scope(|scope| {
        for terminal in ["1", "2"] {
            scope.spawn(move || {
                for turn in 0..15 {
                    let arguments = match turn % 5 {
                        0 => vec!["ack", "--all", "--note", terminal],
                        1 => vec!["undo"],
                        2 => vec!["snooze", "app:1.0.7", "--for", "1h"],
                        3 => vec!["reopen", "app:*"],
                        _ => vec!["ack", "app:1.0.3"],
                    };
                    let output = inbox.diunbox(arguments).output().unwrap();
                    let text = String::from_utf8_lossy(&output.stderr);
                    assert!(output.status.code().unwrap() < 2 || text.contains("undone"), "{text}");
                }
            });
        }
        scope.spawn(|| {
            for turn in 0..30 {
                let name = ["acknowledge", "reopen"][turn % 2];
                let images: Vec<String> = (0..8).map(|n| format!("app:1.0.{n}")).collect();
                let body = json!({"action": name, "images": images}).to_string();
                assert_eq!(send(&actions, "POST", &[], body.as_bytes()).status, 200);
            }
        });
    });
    let count = |state: &str| inbox.lines(["list", "-q", state]).len();
    let states = ["--acknowledged", "--snoozed", "--superseded", "--ignored"].map(count);
    let pending = inbox.lines(["list", "-q"]).len();
    assert_eq!(states.iter().sum::<usize>() + pending, 8, "{states:?}");
    let connection = Connection::open(inbox.database()).unwrap();
    let number = |sql: &str| -> usize { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    // No action without images, and no images without their action.
    assert_eq!(
        number("SELECT count(*) FROM actions WHERE id NOT IN (SELECT action FROM action_images)"),
        0
    );
    assert_eq!(
        number("SELECT count(*) FROM action_images WHERE action NOT IN (SELECT id FROM actions)"),
        0
    );
    // An acknowledged digest goes with the time, and every place of an open one is needed or done.
    let torn = "SELECT count(*) FROM updates WHERE (acknowledged_at IS NULL) = (acknowledged_by IS NOT NULL)";
    assert_eq!(number(torn), 0);
}

/// A log of many MiB, which another program keeps from being tidied away.
#[test]
fn a_huge_log_is_read() {
    let inbox = Inbox::new();
    inbox.take(&[event(0, 0)]);
    let reader = Connection::open(inbox.database()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM updates").unwrap();
    let note = json!({"metadata": {"note": "x".repeat(100_000)}});
    let lines: Vec<String> =
        (0..200).map(|index| event_with(&format!("a:{index}"), &note).to_string()).collect();
    inbox.diunbox(["ingest", "-q"]).write_stdin(lines.join("\n")).assert().success();
    let log = fs::metadata(inbox.path("diunbox.db-wal")).unwrap().len();
    assert!(log > 18 << 20, "{log}");
    assert_eq!(inbox.lines(["list", "-q"]).len(), 201);
    inbox.diunbox(["ack", "a:1"]).assert().success();
    let server = Server::with(inbox, &[]);
    assert_eq!(server.send("POST", "/webhook", &[], event_of("b:1")).status, 204);
    reader.execute_batch("ROLLBACK").unwrap();
    assert_eq!(server.ask("GET", "/api/summary").json()["pending"], 201);
}
