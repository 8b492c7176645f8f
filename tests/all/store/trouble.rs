//! Unusable databases: each kind has an error that says what to do, and the database is not changed.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use chrono::Utc;
use diunbox::event::Event;
use diunbox::image::ImageName;
use diunbox::inbox::query::Query;
use diunbox::inbox::received::Received;
use diunbox::store::{ErrorKind, SqliteStore, Store};
use rusqlite::Connection;
use serde_json::json;

use crate::common::{Inbox, event, event_with, program};

fn filled(images: usize) -> Inbox {
    let inbox = Inbox::new();
    let store = SqliteStore::open(&inbox.database()).unwrap();
    let event = |index| Event {
        image: format!("ghcr.io/acme/{index}:1"),
        mime_type: "x".repeat(200),
        ..Event::default()
    };
    let events: Vec<Received> =
        (0..images).map(event).map(|event| Received::now(event, Utc::now())).collect();
    store.upsert_all(&events).unwrap();
    store.flush().unwrap();
    inbox
}

/// Opening fails, says `advice`, and leaves the file as it is.
fn fails(path: &Path, kind: ErrorKind, advice: &str) {
    let before = fs::read(path).ok();
    let error = SqliteStore::open(path).unwrap_err();
    assert_eq!(error.kind, kind, "{error:?}");
    let message = error.to_string();
    assert!(message.contains(advice) && message.contains(path.to_str().unwrap()), "{message}");
    assert!(fs::read(path).ok() == before, "{} was changed", path.display());
}

#[test]
fn a_newer_database() {
    let inbox = filled(1);
    inbox.sql("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)");
    fails(&inbox.database(), ErrorKind::Unusable, "update diunbox");
    inbox.diunbox(["list"]).assert().code(2).stdout("");
    inbox.sql("PRAGMA user_version = -1; PRAGMA wal_checkpoint(TRUNCATE)");
    fails(&inbox.database(), ErrorKind::Unusable, "another program");
}

#[test]
fn a_file_that_is_not_sqlite() {
    let inbox = Inbox::new();
    let path = inbox.path("notes.txt");
    fs::write(&path, "buy milk\n".repeat(1_000)).unwrap();
    fails(&path, ErrorKind::Unusable, "point --db at another file");
    fs::write(&path, "short").unwrap();
    fails(&path, ErrorKind::Unusable, "point --db at another file");
    assert_eq!(fs::read_dir(inbox.path(".")).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_database_of_another_program() {
    for sql in [
        "CREATE TABLE bookmarks (url TEXT)",
        "CREATE TABLE updates (id INTEGER); CREATE TABLE tags (id INTEGER)",
        "CREATE TABLE bookmarks (url TEXT); PRAGMA user_version = 2",
    ] {
        let inbox = Inbox::new();
        inbox.sql(sql);
        fails(&inbox.database(), ErrorKind::Unusable, "point --db at another file");
    }
}

#[test]
fn a_damaged_database() {
    let inbox = filled(2_000);
    let path = inbox.database();
    let mut bytes = fs::read(&path).unwrap();
    let page = 4_096;
    for start in (page * 40..bytes.len() - page).step_by(page) {
        bytes[start..start + 64].fill(0xA5);
    }
    fs::write(&path, &bytes).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let error = store.get_updates(Utc::now()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unusable);
    assert!(error.to_string().contains("restore a backup"), "{error}");
    drop(store);
    assert!(fs::read(&path).unwrap() == bytes, "it was changed");

    let inbox = filled(1);
    let mut bytes = fs::read(inbox.database()).unwrap();
    bytes[100..200].fill(0xA5);
    fs::write(inbox.database(), &bytes).unwrap();
    fails(&inbox.database(), ErrorKind::Unusable, "restore a backup");
}

#[test]
fn a_path_that_cannot_hold_a_database() {
    let inbox = filled(1);
    fs::create_dir(inbox.path("folder.db")).unwrap();
    fails(&inbox.path("folder.db"), ErrorKind::Denied, "not a regular file");
    fails(&inbox.path("diunbox.db/below.db"), ErrorKind::Denied, "belongs to user");
    inbox.diunbox(["list", "--db", "/dev/null/x"]).assert().code(0);
    inbox.diunbox(["ingest", "--db", "/dev/null/x"]).write_stdin("").assert().code(2);
}

/// Root may write anywhere, so the program runs as another user there.
#[test]
fn a_database_of_another_user() {
    const NOBODY: u32 = 65_534;
    let inbox = filled(1);
    let is_root = rustix::process::geteuid().is_root();
    let copy = inbox.path("program");
    fs::copy(program(), &copy).unwrap();
    let mode = |name: &str, mode| {
        fs::set_permissions(inbox.path(name), Permissions::from_mode(mode)).unwrap();
    };
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&copy);
        command.args(arguments).env_clear().env("DIUNBOX_DB", inbox.database());
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let before = fs::read(inbox.database()).unwrap();
    mode("diunbox.db", 0o444);
    mode(".", 0o555);
    // It can be read, as a database on a read-only mount can.
    for arguments in
        [&["list"][..], &["show", "ghcr.io/acme/0:1"], &["status"], &["tag", "list", "-q"]]
    {
        assert_eq!(run(arguments), (Some(0), String::new()), "{arguments:?}");
    }
    for arguments in [&["ack", "--all"][..], &["tag", "create", "x"]] {
        let (code, stderr) = run(arguments);
        assert_eq!(code, Some(2), "{arguments:?} {stderr}");
        assert!(
            stderr.contains("is read-only: ") && stderr.contains("belongs to user 0"),
            "{stderr}"
        );
    }
    mode("diunbox.db", 0o000);
    let (code, stderr) = run(&["list"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("cannot be opened") && stderr.contains("belongs to user"), "{stderr}");
    mode(".", 0o755);
    mode("diunbox.db", 0o644);
    assert_eq!(fs::read(inbox.database()).unwrap(), before);
    if is_root {
        chown(inbox.path("."), Some(NOBODY), Some(NOBODY)).unwrap();
        chown(inbox.database(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    assert_eq!(run(&["ack", "--all"]), (Some(0), String::new()));
}

#[test]
fn a_locked_database() {
    let inbox = filled(1);
    let store = SqliteStore::open_patiently(&inbox.database(), Duration::from_millis(200)).unwrap();
    let other = Connection::open(inbox.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Reading goes on, writing waits and then says who is in the way.
    assert_eq!(store.select(&Query::pending(Utc::now())).unwrap().len(), 1);
    let image = ImageName::new("ghcr.io/acme/0:1").unwrap();
    let error = store.acknowledge_update(&image, Utc::now()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.to_string().contains("try again when that one is done"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    assert!(store.acknowledge_update(&image, Utc::now()).unwrap());
}

#[test]
fn a_lock_that_is_soon_gone_is_waited_for() {
    let inbox = filled(1);
    let store = SqliteStore::open(&inbox.database()).unwrap();
    let other = Connection::open(inbox.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let event = Event { image: "a".into(), ..Event::default() };
        let waiting = scope.spawn(|| store.upsert(Received::now(event, Utc::now())));
        assert_eq!(store.select(&Query::pending(Utc::now())).unwrap().len(), 1);
        other.execute_batch("COMMIT").unwrap();
        waiting.join().unwrap().unwrap();
    });
    assert_eq!(store.select(&Query::pending(Utc::now())).unwrap().len(), 2);
}

/// A limit on the size of files is what a full disk is to a program.
#[test]
fn a_full_disk() {
    let inbox = Inbox::new();
    inbox.take(&[event("ghcr.io/acme/api:2.0")]);
    let large = json!({"metadata": {"note": "x".repeat((1 << 20) - 1_000)}});
    let events = format!("{}\n", event_with("ghcr.io/acme/large:1", &large));
    fs::write(inbox.path("large.json"), events).unwrap();
    let output = Command::new("bash")
        .args(["-c", "trap '' XFSZ; ulimit -f 256; exec \"$0\" ingest \"$1\""])
        .arg(program())
        .arg(inbox.path("large.json"))
        .env("DIUNBOX_DB", inbox.database())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("no space left on device") && stderr.contains("free some space"),
        "{stderr}"
    );
    assert_eq!(inbox.lines(["list", "-q"]), ["ghcr.io/acme/api:2.0"]);
    inbox.diunbox(["ingest"]).arg(inbox.path("large.json")).assert().success();
    assert_eq!(inbox.lines(["list", "-q"]).len(), 2);
}
