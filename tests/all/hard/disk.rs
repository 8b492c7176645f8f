//! A full disk, simulated by a limit on the size of files, which can be removed while the program runs.

use std::fs;
use std::process::{Command, Output};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;

use crate::common::server::{Server, eventually};
use crate::common::{Inbox, event, event_with, program};

/// The program, with no file larger than so many KiB.
fn limited(inbox: &Inbox, kib: usize, arguments: &[&str]) -> Command {
    let mut command = Command::new("bash");
    let script = format!("trap '' XFSZ; ulimit -S -f {kib}; exec \"$0\" \"$@\"");
    command.args(["-c", &script]).arg(program()).args(arguments);
    command.env_clear().env("DIUNBOX_DB", inbox.database());
    command
}

fn says_full(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let advice = stderr.contains("no space left on device") && stderr.contains("free some space");
    assert!(advice, "{stderr}");
}

fn large(image: &str) -> serde_json::Value {
    event_with(image, &json!({"metadata": {"note": "x".repeat(20_000)}}))
}

fn give_room(pid: Pid) {
    let limit = rustix::process::getrlimit(Resource::Fsize);
    prlimit(Some(pid), Resource::Fsize, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

#[test]
fn a_bulk_ingest_keeps_its_whole_batches_and_can_be_repeated() {
    let inbox = Inbox::new();
    let lines: Vec<String> =
        (0..800).map(|index| large(&format!("a/{index:04}:1")).to_string()).collect();
    fs::write(inbox.path("events"), lines.join("\n")).unwrap();
    let events = inbox.path("events");
    let output =
        limited(&inbox, 8 * 1_024, &["ingest", events.to_str().unwrap()]).output().unwrap();
    says_full(&output);
    let stderr = String::from_utf8(output.stderr).unwrap();
    let stored = inbox.lines(["list", "-q", "--sort", "image"]);
    assert!(stored.len() < 800);
    assert!(stderr.contains(&format!("stored {} events", stored.len())), "{stderr}");
    let first: Vec<String> =
        (0..stored.len()).map(|index| format!("docker.io/a/{index:04}:1")).collect();
    assert!(stored.iter().zip(first).all(|(found, name)| name.ends_with(found.as_str())));
    inbox.diunbox(["ingest"]).arg(events).assert().success();
    assert_eq!(inbox.lines(["list", "-q"]).len(), 800);
}

#[test]
fn serve_logs_what_it_cannot_store_and_goes_on_once_there_is_room() {
    let inbox = Inbox::new();
    let command = limited(&inbox, 512, &["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::spawn(inbox, command);
    let mut sent = 0;
    let mut post = || {
        sent += 1;
        let event = large(&format!("a/{sent}:1")).to_string();
        server.send("POST", "/webhook", &[], event)
    };
    let mut refused = 0;
    while refused < 3 {
        let answer = post();
        if answer.status != 204 {
            assert_eq!(answer.status, 503);
            assert!(answer.error().contains("no space left on device"), "{}", answer.error());
            assert!(answer.header("retry-after").parse::<u32>().is_ok());
            refused += 1;
        }
    }
    assert_eq!(server.ask("GET", "/api/updates").status, 200, "reading goes on");
    give_room(server.pid());
    assert_eq!(post().status, 204);

    let is_event = |line: &String| line.starts_with("{\"event\"");
    eventually("all are in the log", || {
        server.log().iter().filter(|line| is_event(line)).count() >= 3
    });
    let lost: Vec<String> = server.log().into_iter().filter(is_event).collect();
    assert_eq!(lost.len(), 3);
    server.inbox.diunbox(["ingest"]).write_stdin(lost.join("\n")).assert().success();
    assert_eq!(server.ask("GET", "/api/summary").json()["pending"], sent);
}

#[test]
fn a_migration_leaves_the_database_as_it_was() {
    let inbox = Inbox::new();
    let baseline = include_str!("../../../migrations/sqlite/01-baseline/up.sql");
    inbox.sql(&format!(
        "{baseline} INSERT INTO updates (image, received_at) VALUES ('a:1', '2026-11-20 08:00:00')"
    ));
    for kib in [1, 4, 8, 33, 40, 48] {
        let before = fs::read(inbox.database()).unwrap();
        let output = limited(&inbox, kib, &["list"]).output().unwrap();
        if output.status.success() {
            break;
        }
        says_full(&output);
        let rows = inbox.path("diunbox.db");
        assert_eq!(fs::read(rows).unwrap().len(), before.len());
        let connection = rusqlite::Connection::open(inbox.database()).unwrap();
        let version: i64 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, 0, "{kib} KiB");
    }
    assert_eq!(inbox.lines(["list", "-q"]), ["docker.io/library/a:1"]);
}

#[test]
fn a_backup_leaves_nothing_half_done() {
    let inbox = Inbox::new();
    let events: Vec<_> = (0..50).map(|index| large(&format!("a/{index}:1"))).collect();
    inbox.take(&events);
    inbox.take(&[event("b:1")]);
    let backup = inbox.path("backup.db");
    let before = fs::read_dir(inbox.path(".")).unwrap().count();
    for arguments in [&["backup"][..], &["backup", "--force"]] {
        let mut command = limited(&inbox, 256, arguments);
        says_full(&command.arg(&backup).output().unwrap());
        assert_eq!(fs::read_dir(inbox.path(".")).unwrap().count(), before, "something is left");
    }
    // One that is there already stays as it is.
    inbox.diunbox(["backup"]).arg(&backup).assert().success();
    let good = fs::read(&backup).unwrap();
    let mut command = limited(&inbox, 256, &["backup", "--force"]);
    says_full(&command.arg(&backup).output().unwrap());
    assert!(fs::read(&backup).unwrap() == good);
}
