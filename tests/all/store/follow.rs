//! `Follow`, on which live updates and `watch` are built.

use diunbox::store::follow::Follow;
use diunbox::store::{SqliteStore, Store};

use super::fixture::{at, report, short, snooze};
use crate::common::Inbox;

#[test]
fn what_a_failed_read_had_found_is_read_again() {
    let inbox = Inbox::new();
    let store = SqliteStore::open(&inbox.database()).unwrap();
    report(&store, 0, &["web:1 d1 nas/web"]);
    snooze(&store, &["web:1"], 200);
    let after = store.last_change().unwrap();
    let mut follow = Follow::new(&store, after, at(100)).unwrap();
    report(&store, 110, &["db:1 d1 nas/db"]);
    // The end of the snooze is read first, then the change.
    inbox.sql("UPDATE updates SET since = 'x' WHERE image LIKE '%db:1'");
    assert!(follow.next(&store, at(300)).is_err());
    inbox.sql("UPDATE updates SET since = 0 WHERE image LIKE '%db:1'");
    let updates = follow.next(&store, at(301)).unwrap();
    let images: Vec<String> = updates.into_iter().map(|update| update.event.image).collect();
    assert_eq!(short(&images), ["web:1", "db:1"]);
    assert!(follow.next(&store, at(302)).unwrap().is_empty());
    assert!(follow.next_end.is_none());
}
