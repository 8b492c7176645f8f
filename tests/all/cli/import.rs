//! Importing another inbox.

use chrono::Utc;
use diunbox::inbox::query::Query;
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::{Value, json};

use crate::common::{Inbox, event_with};

const SHARED: &str = "docker.io/library/shared:1";
const ACKED: &str = "docker.io/library/acked:1";
const MINE: &str = "docker.io/library/mine:1";
const THEIRS: &str = "docker.io/library/theirs:1";

fn report(inbox: &Inbox, image: &str, digest: &str, host: &str, hours: i64) {
    let digest = format!("sha256:{digest}");
    inbox.take_aged(&event_with(image, &json!({"digest": digest, "hostname": host})), hours);
}

fn import(inbox: &Inbox, other: &Inbox) -> String {
    let output = inbox.diunbox(["import"]).arg(other.database()).assert().success();
    String::from_utf8(output.get_output().stderr.clone()).unwrap()
}

/// Two inboxes that know some images both.
fn two() -> (Inbox, Inbox) {
    let (ours, theirs) = (Inbox::new(), Inbox::new());
    report(&ours, MINE, "1", "nas", 5);
    report(&ours, SHARED, "1", "nas", 5);
    report(&ours, ACKED, "1", "nas", 5);
    report(&theirs, THEIRS, "1", "edge", 5);
    report(&theirs, SHARED, "2", "edge", 3);
    report(&theirs, ACKED, "1", "edge", 3);
    theirs.output(["ack", ACKED, "--note", "done there"]);
    theirs.output(["tag", "create", "other", "web"]);
    theirs.output(["tag", "assign", "web", THEIRS]);
    ours.output(["tag", "create", "web"]);
    theirs.output(["ignore", "add", "*/theirs:*"]);
    (ours, theirs)
}

fn state(inbox: &Inbox, image: &str) -> Value {
    inbox.json(["show", image])["state"].clone()
}

#[test]
fn the_newer_event_and_the_decision_win() {
    let (ours, theirs) = two();
    let before = std::fs::read(theirs.database()).unwrap();
    assert_eq!(
        import(&ours, &theirs),
        "diunbox: added 1 update and 3 actions, changed 2 updates\n"
    );
    assert_eq!(std::fs::read(theirs.database()).unwrap(), before, "the other stays as it is");
    let shared = ours.json(["show", SHARED]);
    assert_eq!((&shared["event"]["digest"], &shared["places"]), (&json!("sha256:2"), &json!(2)));
    assert_eq!(shared["digests"][0]["digest"], "sha256:1");
    let acked = ours.json(["show", ACKED]);
    assert_eq!((&acked["state"], &acked["note"]), (&json!("acknowledged"), &json!("done there")));
    assert_eq!(acked["history"][0]["action"], "acknowledge");
    assert_eq!(state(&ours, MINE), "pending");
    assert_eq!(state(&ours, THEIRS), "ignored");
    assert_eq!(ours.lines(["list", "--all", "-q", "--tag", "web"]), [THEIRS]);
    // Again, nothing changes.
    let all = ours.json(["list", "--all"]);
    let history = ours.json(["history"]);
    assert_eq!(
        import(&ours, &theirs),
        "diunbox: added 0 updates and 0 actions, changed 0 updates\n"
    );
    assert_eq!((ours.json(["list", "--all"]), ours.json(["history"])), (all, history));
    // The other way round, both hold the same.
    import(&theirs, &ours);
    let of = |inbox: &Inbox| {
        let updates = inbox.json(["list", "--all", "--sort", "image"]);
        let one = |update: &Value| {
            ["event", "received_at", "since", "state", "places", "needed", "note"]
                .map(|key| update[key].clone())
        };
        updates.as_array().unwrap().iter().map(one).collect::<Vec<_>>()
    };
    assert_eq!(of(&theirs), of(&ours));
}

#[test]
fn an_older_event_changes_nothing_but_adds_its_place() {
    let (ours, theirs) = (Inbox::new(), Inbox::new());
    report(&ours, SHARED, "2", "nas", 1);
    ours.output(["ack", SHARED]);
    report(&theirs, SHARED, "1", "edge", 5);
    import(&ours, &theirs);
    let shared = ours.json(["show", SHARED]);
    assert_eq!(
        (&shared["event"]["digest"], &shared["state"]),
        (&json!("sha256:2"), &json!("acknowledged"))
    );
    assert_eq!(
        (&shared["places"], &shared["digests"][0]["digest"]),
        (&json!(2), &json!("sha256:1"))
    );
}

#[test]
fn versions_fold_and_the_last_action_is_still_undone_first() {
    let (ours, theirs) = (Inbox::new(), Inbox::new());
    report(&ours, "shop:1.0.1", "1", "nas", 5);
    report(&theirs, "shop:1.0.2", "1", "nas", 3);
    report(&theirs, ACKED, "1", "nas", 3);
    theirs.output(["ack", ACKED]);
    report(&ours, MINE, "1", "nas", 3);
    ours.output(["ack", MINE]);
    import(&ours, &theirs);
    assert_eq!(state(&ours, "shop:1.0.1"), "superseded");
    assert_eq!(ours.lines(["undo"]), [MINE]);
}

#[test]
fn a_database_of_diundashboard_can_be_imported() {
    let ours = Inbox::new();
    report(&ours, MINE, "1", "nas", 1);
    let file = ours.path("diun.db");
    let other = rusqlite::Connection::open(&file).unwrap();
    other.execute_batch(include_str!("../../../migrations/sqlite/01-baseline/up.sql")).unwrap();
    other
        .execute_batch(
            "INSERT INTO updates (image, hostname, provider, digest, received_at, acknowledged_at)
            VALUES ('nginx:1.27', 'edge', 'docker', 'sha256:1', '2026-11-01T00:00:00Z', NULL)",
        )
        .unwrap();
    drop(other);
    let before = std::fs::read(&file).unwrap();
    ours.diunbox(["import"]).arg(&file).assert().success();
    assert_eq!(ours.json(["show", "nginx:1.27"])["hosts"], json!(["edge"]));
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn what_the_patterns_of_the_other_ignore_is_a_change() {
    let (ours, theirs) = two();
    let older = "docker.io/library/theirs:0";
    report(&ours, older, "1", "nas", 5);
    let last = || {
        diunbox::store::open(&ours.database().as_path().into(), diunbox::store::PATIENCE)
            .unwrap()
            .last_change()
            .unwrap()
    };
    let before = last();
    import(&ours, &theirs);
    assert_eq!(state(&ours, older), "ignored");
    let store =
        diunbox::store::open(&ours.database().as_path().into(), diunbox::store::PATIENCE).unwrap();
    let query = Query { changed_after: Some(before), ..Query::all(Utc::now()) };
    let mut changed: Vec<String> =
        store.select(&query).unwrap().into_iter().map(|update| update.event.image).collect();
    changed.sort();
    assert_eq!(changed, [ACKED, SHARED, older, THEIRS]);
    // A second import changes nothing.
    let after = last();
    import(&ours, &theirs);
    assert_eq!(last(), after);
}

#[test]
fn what_is_not_an_inbox_is_refused() {
    let ours = Inbox::new();
    report(&ours, MINE, "1", "nas", 1);
    let file = ours.path("other.db");
    ours.diunbox(["import"])
        .arg(&file)
        .assert()
        .code(2)
        .stderr(contains(format!("{} is not a file", file.display())));
    std::fs::write(&file, "not a database, but text that is long enough to be read as one")
        .unwrap();
    let refused = ours.diunbox(["import"]).arg(&file).assert().code(2);
    refused.stderr(contains(file.to_str().unwrap()));
    std::fs::remove_file(&file).unwrap();
    let other = rusqlite::Connection::open(&file).unwrap();
    other
        .execute_batch("CREATE TABLE t (a); PRAGMA user_version = 7; PRAGMA application_id = 5")
        .unwrap();
    let refused = ours.diunbox(["import"]).arg(&file).assert().code(2);
    refused.stderr(contains("another program").and(contains(file.to_str().unwrap())));
    assert_eq!(ours.lines(["list", "-q"]), [MINE]);
}
