//! Database files that are removed or replaced while `serve` runs. Writes to them would be lost, so no event is
//! answered with 204, and the server ends with an error.

use std::fs;

use rusqlite::Connection;
use serde_json::json;

use crate::common::server::Server;
use crate::common::{Inbox, event, event_with};

fn fill(inbox: &Inbox, count: usize, note: &str) {
    let changes = json!({"metadata": {"note": note.repeat(500)}});
    let events: Vec<_> =
        (0..count).map(|index| event_with(&format!("{note}/x:{index}"), &changes)).collect();
    inbox.take(&events);
}

fn post(server: &Server, image: &str) -> u16 {
    server.send("POST", "/webhook", &[], event(image).to_string()).status
}

fn pending(server: &Server) -> i64 {
    server.ask("GET", "/api/summary").json()["pending"].as_i64().unwrap()
}

fn is_whole(inbox: &Inbox, name: &str) -> i64 {
    let connection = Connection::open(inbox.path(name)).unwrap();
    let check: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok", "{name}");
    connection.query_row("SELECT count(*) FROM updates", [], |row| row.get(0)).unwrap()
}

/// A server whose last events are in the log alone, and another database beside it.
fn server() -> Server {
    let other = Inbox::new();
    fill(&other, 50, "other");
    let inbox = Inbox::new();
    fill(&inbox, 100, "own");
    fs::copy(other.database(), inbox.path("other.db")).unwrap();
    let server = Server::with(inbox, &[]);
    for index in 0..20 {
        assert_eq!(post(&server, &format!("new:{index}")), 204);
    }
    assert_eq!(pending(&server), 120);
    assert!(fs::metadata(server.inbox.path("diunbox.db-wal")).unwrap().len() > 0);
    server
}

/// The server answers 503, logs the event and ends with 2. Returns the event's line.
fn gives_up(server: &mut Server) -> String {
    let answer = server.send("POST", "/webhook", &[], event("lost:1").to_string());
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.error().contains("was removed or replaced"), "{}", answer.error());
    assert_eq!(answer.header("retry-after"), "");
    assert_eq!(server.wait().code(), Some(2));
    server.logged("start diunbox again");
    server.logged("{\"event\":")
}

#[test]
fn another_database_in_its_place() {
    let mut server = server();
    fs::rename(server.inbox.path("other.db"), server.inbox.database()).unwrap();
    gives_up(&mut server);
}

#[test]
fn a_database_that_was_moved_away() {
    let mut server = server();
    fs::rename(server.inbox.database(), server.inbox.path("kept.db")).unwrap();
    let line = gives_up(&mut server);
    // With its log beside it, it has everything that was answered, and takes what was not.
    for end in ["-wal", "-shm"] {
        let name = server.inbox.path(&format!("diunbox.db{end}"));
        if name.exists() {
            fs::rename(name, server.inbox.path(&format!("kept.db{end}"))).unwrap();
        }
    }
    fs::rename(server.inbox.path("kept.db"), server.inbox.database()).unwrap();
    for end in ["-wal", "-shm"] {
        let name = server.inbox.path(&format!("kept.db{end}"));
        if name.exists() {
            fs::rename(name, server.inbox.path(&format!("diunbox.db{end}"))).unwrap();
        }
    }
    server.inbox.diunbox(["ingest"]).write_stdin(line).assert().success();
    assert_eq!(is_whole(&server.inbox, "diunbox.db"), 121);
}

#[test]
fn a_removed_wal() {
    let mut server = server();
    fs::remove_file(server.inbox.path("diunbox.db-wal")).unwrap();
    assert_eq!(server.ask("GET", "/healthz").status, 503);
    assert_eq!(server.wait().code(), Some(2));
    server.logged("was removed or replaced");
}

#[test]
fn both_removed() {
    let mut server = server();
    for end in ["", "-wal", "-shm"] {
        fs::remove_file(server.inbox.path(&format!("diunbox.db{end}"))).unwrap();
    }
    gives_up(&mut server);
}
