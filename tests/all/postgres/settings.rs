//! Settings of an administrator that must not weaken what diunbox promises.

use std::thread;

use chrono::Utc;
use diunbox::event::Event;
use diunbox::store::Store;

use super::failover::diunbox_at;
use crate::common::cluster::Cluster;
use crate::common::server::{event, eventually};

fn store_event(store: &dyn Store, image: &str, host: &str) {
    let event = event(image).replace("edge-1", host);
    let event = Event::from_json(event.as_bytes()).unwrap();
    store.upsert_event(&event, Utc::now()).unwrap();
}

#[test]
fn writers_take_turns_whatever_the_default_isolation_is() {
    let settings = ["default_transaction_isolation = 'repeatable read'"];
    let Some(cluster) = Cluster::start(&settings) else { return };
    drop(diunbox_at(&cluster.url()));
    thread::scope(|scope| {
        for writer in 0..8 {
            let cluster = &cluster;
            scope.spawn(move || {
                let store = diunbox_at(&cluster.url());
                for number in 0..20 {
                    store_event(&*store, &format!("own/{writer}-{number}:1"), &writer.to_string());
                }
            });
        }
    });
    assert_eq!(cluster.sql("SELECT count(*), count(DISTINCT changed) FROM updates"), "160|160\n");
}

#[test]
fn events_outlive_a_crash_of_a_server_that_commits_asynchronously() {
    let settings = ["synchronous_commit = off", "wal_writer_delay = 10s"];
    let Some(cluster) = Cluster::start(&settings) else { return };
    let store = diunbox_at(&cluster.url());
    for image in ["a:1", "b:1", "c:1"] {
        store_event(&*store, image, "h");
    }
    cluster.kill();
    cluster.again();
    assert_eq!(cluster.sql("SELECT count(*) FROM updates"), "3\n");
}

#[test]
fn a_commit_that_was_not_replicated_is_not_a_success() {
    // The server tells that by a warning.
    let Some(cluster) = Cluster::start(&["client_min_messages = error"]) else { return };
    let store = diunbox_at(&cluster.url());
    cluster.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
    cluster.sql("SELECT pg_reload_conf()");
    let waits =
        || cluster.sql("SELECT pid, xact_start FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    thread::scope(|scope| {
        let stored = scope.spawn(|| store_event(&*store, "a:1", "h"));
        eventually("it waits for a standby", || !waits().is_empty());
        let first = waits();
        cluster.sql(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
        );
        eventually("it waits again", || {
            stored.is_finished() || !waits().is_empty() && waits() != first
        });
        assert!(!stored.is_finished());
        cluster.sql("ALTER SYSTEM RESET synchronous_standby_names");
        cluster.sql("SELECT pg_reload_conf()");
        stored.join().unwrap();
    });
    assert_eq!(cluster.sql("SELECT times FROM places"), "1\n");
}
