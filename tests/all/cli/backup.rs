//! A copy of the database, while others may write to it.

use std::fs;
use std::path::Path;

use predicates::prelude::*;
use predicates::str::contains;
use rusqlite::Connection;

use crate::common::{Inbox, event};

const API: &str = "ghcr.io/acme/api:2.0";

fn inbox() -> Inbox {
    let inbox = Inbox::new();
    inbox.take(&[event(API), event("docker.io/library/nginx:1.27")]);
    inbox
}

/// The names in the inbox's folder that are not the database's.
fn others(inbox: &Inbox) -> Vec<String> {
    let names = fs::read_dir(inbox.path(".")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with("diunbox.db")).collect();
    names.sort();
    names
}

fn check(copy: &Path, updates: i64) {
    let connection = Connection::open(copy).unwrap();
    let ask = |sql| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(ask("PRAGMA integrity_check"), "ok");
    assert_eq!(ask("SELECT count(*) || '' FROM updates"), updates.to_string());
}

#[test]
fn a_copy_is_whole_and_the_program_reads_it() {
    let inbox = inbox();
    let assert = inbox.diunbox(["backup"]).arg(inbox.path("copy.db")).assert().success();
    assert.stdout("").stderr(contains("wrote ").and(contains("copy.db (")));
    assert_eq!(others(&inbox), ["copy.db"]);
    check(&inbox.path("copy.db"), 2);
    let copy = inbox.path("copy.db");
    let list =
        |database: &Path| inbox.output(["list", "-f", "json", "--db", database.to_str().unwrap()]);
    assert_eq!(list(&copy), list(&inbox.database()));
}

#[test]
fn a_copy_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let inbox = inbox();
    inbox.diunbox(["backup", "-q"]).arg(inbox.path("copy.db")).assert().success().stderr("");
    let mode = fs::metadata(inbox.path("copy.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_is_there_is_replaced_only_with_force() {
    let inbox = inbox();
    let copy = inbox.path("copy.db");
    fs::write(&copy, "precious").unwrap();
    let assert = inbox.diunbox(["backup"]).arg(&copy).assert().code(2).stdout("");
    assert.stderr(contains("copy.db already exists: choose another name, or use --force"));
    assert_eq!(fs::read(&copy).unwrap(), b"precious");
    assert_eq!(others(&inbox), ["copy.db"]);
    inbox.diunbox(["backup", "--force"]).arg(&copy).assert().success();
    assert_eq!(others(&inbox), ["copy.db"]);
    check(&copy, 2);
}

#[test]
fn standard_output_takes_it_too() {
    let inbox = inbox();
    let assert = inbox.diunbox(["backup", "-"]).assert().success().stderr("");
    fs::write(inbox.path("copy.db"), &assert.get_output().stdout).unwrap();
    check(&inbox.path("copy.db"), 2);
}

#[test]
fn the_database_is_never_its_own_backup() {
    let inbox = inbox();
    for arguments in [&["backup"][..], &["backup", "--force"]] {
        let assert = inbox.diunbox(arguments.iter().copied()).arg(inbox.database()).assert();
        assert.code(2).stderr(contains("cannot be its own backup"));
    }
    // Nor are the files beside it, whether or not they exist, and by whatever name.
    std::os::unix::fs::symlink(inbox.path("."), inbox.path("link")).unwrap();
    for name in ["diunbox.db-wal", "diunbox.db-shm", "diunbox.db-journal", "link/diunbox.db-wal"] {
        let assert = inbox.diunbox(["backup", "--force"]).arg(inbox.path(name)).assert();
        assert.code(2).stderr(contains("cannot be its own backup"));
        assert!(!inbox.path(name).exists(), "{name}");
    }
    check(&inbox.database(), 2);
}

#[test]
fn nothing_is_left_behind_when_it_fails() {
    let inbox = inbox();
    let assert = inbox.diunbox(["backup"]).arg(inbox.path("no/such/copy.db")).assert().code(2);
    assert.stderr(contains("cannot create a file in"));
    // A folder cannot be replaced by a file.
    fs::create_dir(inbox.path("folder")).unwrap();
    let assert = inbox.diunbox(["backup", "--force"]).arg(inbox.path("folder")).assert().code(2);
    assert.stderr(contains("is not a regular file"));
    assert_eq!(others(&inbox), ["folder"]);
    // A file that is not a database cannot be backed up.
    fs::write(inbox.path("text.db"), "this is not a database").unwrap();
    let mut backup = inbox.diunbox(["backup", "--db"]);
    backup.arg(inbox.path("text.db")).arg(inbox.path("copy.db"));
    backup.assert().code(2).stderr(contains("is not an SQLite database"));
    assert_eq!(others(&inbox), ["folder", "text.db"]);
}

#[test]
fn a_copy_taken_while_events_come_in_is_whole() {
    let inbox = inbox();
    let database = inbox.database();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let connection = Connection::open(&database).unwrap();
            connection.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
            let sql = "INSERT INTO updates (image, received_at) VALUES (?1, datetime('now'))";
            let mut rows = 0;
            while !inbox.path("copy-4.db").exists() {
                rows += 1;
                connection.execute(sql, [format!("image-{rows}")]).unwrap();
            }
        });
        for index in 0..5 {
            let copy = inbox.path(&format!("copy-{index}.db"));
            inbox.diunbox(["backup"]).arg(&copy).assert().success();
            let connection = Connection::open(&copy).unwrap();
            let check = |sql| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
            assert_eq!(check("PRAGMA integrity_check"), "ok");
            // One moment's state: no row is there without all that were written before it.
            let gaps = "SELECT (count(*) - 2 = max(CAST(substr(image, 7) AS INTEGER))) || ''
                FROM updates";
            assert_eq!(check(gaps), "1");
        }
        writer.join().unwrap();
    });
}
