//! A database that is replaced, moved or deleted while `serve` runs: a backup that is restored, say.
//!
//! SQLite's log has the database's name and would be taken for the new file's.

use std::fs;
use std::os::unix::fs::symlink;

use rusqlite::Connection;
use serde_json::json;

use crate::common::{Inbox, event, event_with};
use crate::server::Server;

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

#[test]
fn what_takes_its_place_is_used_and_stays_whole() {
    for by_question in [false, true] {
        let mut server = server();
        fs::rename(server.inbox.path("other.db"), server.inbox.database()).unwrap();
        if by_question {
            assert_eq!(pending(&server), 50);
        }
        assert_eq!(post(&server, "after:1"), 204);
        assert_eq!(pending(&server), 51);
        assert_eq!(is_whole(&server.inbox, "diunbox.db"), 51);
        server.stop();
        assert_eq!(is_whole(&server.inbox, "diunbox.db"), 51);
    }
}

#[test]
fn what_is_moved_away_is_complete_where_it_went() {
    let mut server = server();
    fs::rename(server.inbox.database(), server.inbox.path("kept.db")).unwrap();
    fs::rename(server.inbox.path("other.db"), server.inbox.database()).unwrap();
    assert_eq!(post(&server, "after:1"), 204);
    assert_eq!(is_whole(&server.inbox, "kept.db"), 120);
    server.stop();
    assert_eq!(is_whole(&server.inbox, "diunbox.db"), 51);
}

#[test]
fn a_database_that_moved_with_its_log_keeps_it() {
    let mut server = server();
    fs::create_dir(server.inbox.path("kept")).unwrap();
    for end in ["", "-wal", "-shm"] {
        let name = format!("diunbox.db{end}");
        fs::rename(server.inbox.path(&name), server.inbox.path(&format!("kept/{name}"))).unwrap();
    }
    assert_eq!(post(&server, "after:1"), 204);
    // Those who read have opened the old file before.
    assert_eq!(pending(&server), 1);
    server.stop();
    assert_eq!(is_whole(&server.inbox, "diunbox.db"), 1);
    assert_eq!(is_whole(&server.inbox, "kept/diunbox.db"), 120);
}

#[test]
fn a_deleted_one_is_made_anew_by_the_next_event() {
    for log_too in [false, true] {
        let mut server = server();
        fs::remove_file(server.inbox.database()).unwrap();
        if log_too {
            fs::remove_file(server.inbox.path("diunbox.db-wal")).unwrap();
            fs::remove_file(server.inbox.path("diunbox.db-shm")).unwrap();
        }
        let answer = server.ask("GET", "/healthz");
        assert_eq!(answer.status, 503, "its operator should know: {}", answer.body);
        assert_eq!(post(&server, "after:1"), 204);
        assert_eq!(server.ask("GET", "/healthz").status, 200);
        assert_eq!(pending(&server), 1);
        server.stop();
        assert_eq!(is_whole(&server.inbox, "diunbox.db"), 1);
    }
}

#[test]
fn what_cannot_be_used_in_its_place_is_left_alone_until_the_old_one_is_back() {
    for newer in [false, true] {
        let mut server = server();
        let other = server.inbox.path("other.db");
        if newer {
            Connection::open(&other).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
        } else {
            fs::write(&other, "no database".repeat(1_000)).unwrap();
        }
        fs::rename(server.inbox.database(), server.inbox.path("kept.db")).unwrap();
        fs::rename(other, server.inbox.database()).unwrap();
        assert_eq!(server.ask("GET", "/api/updates").status, 503);
        assert_eq!(post(&server, "lost:1"), 503);
        fs::rename(server.inbox.path("kept.db"), server.inbox.database()).unwrap();
        assert_eq!(post(&server, "after:1"), 204);
        // Others see it, and nothing of what was there is gone.
        assert_eq!(is_whole(&server.inbox, "diunbox.db"), 121);
        assert_eq!(pending(&server), 121);
        server.stop();
        assert_eq!(is_whole(&server.inbox, "diunbox.db"), 121);
    }
}

#[test]
fn a_link_that_leads_elsewhere_leaves_the_old_file_to_its_other_users() {
    let inbox = Inbox::new();
    fill(&inbox, 10, "one");
    let [one, two] = ["one.db", "two.db"].map(|name| inbox.path(name));
    fs::rename(inbox.database(), &one).unwrap();
    fill(&inbox, 20, "two");
    fs::rename(inbox.database(), &two).unwrap();
    symlink(&one, inbox.database()).unwrap();
    let mut server = Server::with(inbox, &[]);
    assert_eq!(post(&server, "before:1"), 204);
    let users = [&one, &two].map(|path| Connection::open(path).unwrap());
    for user in &users {
        user.execute_batch("INSERT INTO tags (name) VALUES ('used')").unwrap();
    }
    // As new as a file that has just been put there.
    fs::set_permissions(&two, fs::metadata(&two).unwrap().permissions()).unwrap();
    symlink(&two, server.inbox.path("link")).unwrap();
    fs::rename(server.inbox.path("link"), server.inbox.database()).unwrap();
    assert_eq!(post(&server, "after:1"), 204);
    for user in &users {
        user.execute_batch("INSERT INTO tags (name) VALUES ('still')").unwrap();
    }
    for (name, updates) in [("one.db", 11), ("two.db", 21)] {
        assert_eq!(is_whole(&server.inbox, name), updates);
        let tags = Connection::open(server.inbox.path(name)).unwrap();
        let tags = tags.query_row("SELECT count(*) FROM tags", [], |row| row.get(0));
        assert_eq!(tags, Ok(2), "{name}");
        assert!(server.inbox.path(&format!("{name}-wal")).exists());
    }
    server.stop();
    drop(users);
    assert_eq!(is_whole(&server.inbox, "one.db") + is_whole(&server.inbox, "two.db"), 32);
}
