//! The contract: filters, orders, pages and counts.

use diunbox::event::Event;
use diunbox::inbox::query::{Cursor, Query, Sort};
use diunbox::inbox::received::Received;
use diunbox::inbox::refused::{self, Refused};
use diunbox::inbox::scan::Scans;
use diunbox::inbox::update::{Host, Update};
use diunbox::store::{Prune, Store};

use super::fixture::{ack, at, event, get, images, inbox, report};

contract! {
    filters_select
    every_order_and_its_reverse
    pages_are_the_whole_in_pieces
    counts_are_by_state
    hosts_have_what_they_need_and_were_last_heard_from
    refused_requests_are_counted_by_reason
    numbers_of_changes_are_never_used_again
}

fn filters_select(store: &dyn Store) {
    inbox(store);
    let set = |pairs: &[(&str, &str)]| {
        images(store, |query| {
            for (name, value) in pairs {
                query.set(name, value).unwrap();
            }
        })
    };
    let all = ["web:1", "web:2", "ghcr.io/acme/api:2", "db:1"];
    let mut pending: Vec<String> = set(&[]);
    pending.sort();
    let mut expected = all.map(str::to_owned);
    expected.sort();
    assert_eq!(pending, expected);
    assert_eq!(
        set(&[("state", "acknowledged")]),
        ["db:1", "old:1", "web:1", "web:2", "ghcr.io/acme/api:2"]
    );
    assert_eq!(set(&[("image", "web:*")]), ["web:1", "web:2"]);
    assert_eq!(set(&[("image", "*/acme/*"), ("image", "db:?")]), ["db:1", "ghcr.io/acme/api:2"]);
    assert_eq!(set(&[("image", "web:[!1]")]), ["web:2"]);
    assert_eq!(set(&[("tag", "data")]), ["db:1"]);
    assert_eq!(set(&[("untagged", "true"), ("image", "*db*")]), [""; 0]);
    assert_eq!(set(&[("state", "all"), ("image", "*/old:*")]), ["old:1"]);
    assert_eq!(set(&[("state", "acknowledged,ignored"), ("status", "update")]), ["web:2"]);
    assert_eq!(set(&[("host", "edge")]), ["web:2", "ghcr.io/acme/api:2"]);
    assert_eq!(set(&[("host", "edge"), ("host", "nas")]).len(), 4);
    assert_eq!(set(&[("host", "edge"), ("provider", "docker")]), ["ghcr.io/acme/api:2"]);
    assert_eq!(set(&[("provider", "swarm"), ("host", "nas")]), [""; 0]);
    assert_eq!(set(&[("status", "update")]), ["web:2"]);
    assert_eq!(set(&[("search", "FRONT")]), ["web:2"]);
    assert_eq!(set(&[("search", "acme")]), ["ghcr.io/acme/api:2"]);
    assert_eq!(set(&[("search", "dat")]), ["db:1"]);
    assert_eq!(set(&[("search", "%")]), [""; 0]);
    assert_eq!(
        set(&[("since", "998s")]),
        ["web:2", "db:1"].map(str::to_owned).into_iter().rev().collect::<Vec<_>>()
    );
    assert_eq!(set(&[("before", "998s")]), ["web:1", "ghcr.io/acme/api:2"]);
    assert_eq!(set(&[("limit", "0")]), [""; 0]);
    for hostile in ["'; DROP TABLE updates; --", "\"", "%_", "\u{0}", "?1"] {
        assert_eq!(set(&[("host", hostile), ("status", hostile), ("search", hostile)]), [""; 0]);
    }
}

fn every_order_and_its_reverse(store: &dyn Store) {
    inbox(store);
    let built = |text, created: &str| Event { created: Some(created.to_owned()), ..event(text) };
    // The later text is the earlier time.
    store.upsert_event(&built("web:1 d1 nas/web", "2026-01-01T03:00:00+05:00"), at(10)).unwrap();
    store.upsert_event(&built("db:1 d3 nas/db", "2026-01-01T00:00:00Z"), at(11)).unwrap();
    for (sort, expected) in [
        ("since", ["web:2", "db:1", "ghcr.io/acme/api:2", "web:1"]),
        ("received", ["db:1", "web:1", "web:2", "ghcr.io/acme/api:2"]),
        ("created", ["db:1", "web:1", "web:2", "ghcr.io/acme/api:2"]),
        ("image", ["db:1", "web:1", "web:2", "ghcr.io/acme/api:2"]),
        ("tag", ["db:1", "web:1", "web:2", "ghcr.io/acme/api:2"]),
        ("host", ["web:2", "ghcr.io/acme/api:2", "db:1", "web:1"]),
    ] {
        assert_eq!(images(store, |query| query.set("sort", sort).unwrap()), expected, "{sort}");
        let reversed = images(store, |query| {
            query.set("sort", sort).unwrap();
            query.reverse = true;
        });
        // Those without the value stay last, and equal ones stay in the order of their names.
        let expected = match sort {
            "since" => ["web:1", "ghcr.io/acme/api:2", "db:1", "web:2"],
            "received" => ["ghcr.io/acme/api:2", "web:2", "web:1", "db:1"],
            "created" => ["web:1", "db:1", "web:2", "ghcr.io/acme/api:2"],
            "image" => ["ghcr.io/acme/api:2", "web:2", "web:1", "db:1"],
            "tag" => ["db:1", "web:1", "web:2", "ghcr.io/acme/api:2"],
            _ => ["db:1", "web:1", "web:2", "ghcr.io/acme/api:2"],
        };
        assert_eq!(reversed, expected, "{sort} reversed");
    }
}

fn pages_are_the_whole_in_pieces(store: &dyn Store) {
    let events: Vec<Received> = (0..50)
        // Many share a time.
        .map(|n| Received::now(event(&format!("web:{n} d1 nas/web")), at(n / 20)))
        .collect();
    store.upsert_all(&events).unwrap();
    for sort in [Sort::Since, Sort::Image] {
        for reverse in [false, true] {
            let order = |query: &mut Query| (query.sort, query.reverse) = (sort, reverse);
            let whole = images(store, order);
            assert_eq!(whole.len(), 50);
            let mut pieces = Vec::new();
            let mut query = Query { sort, reverse, limit: Some(7), ..Query::pending(at(1_000)) };
            loop {
                let page = store.select(&query).unwrap();
                let Some(last) = page.last() else { break };
                let (since, image) = (last.since.timestamp_millis(), last.event.image.clone());
                query.after = Some(Cursor { since, image });
                let short =
                    |update: &Update| diunbox::image::short_name(&update.event.image).to_owned();
                pieces.extend(page.iter().map(short));
            }
            assert_eq!(pieces, whole, "{sort:?} {reverse}");
        }
    }
}

fn counts_are_by_state(store: &dyn Store) {
    assert_eq!(store.count(at(0)).unwrap(), diunbox::inbox::update::Counts::default());
    inbox(store);
    let counts = store.count(at(10)).unwrap();
    assert_eq!((counts.pending, counts.acknowledged), (4, 1));
    assert_eq!((counts.oldest_pending, counts.newest_pending), (Some(at(0)), Some(at(3))));
}

fn hosts_have_what_they_need_and_were_last_heard_from(store: &dyn Store) {
    inbox(store);
    report(store, 20, &["old:1 d5 /nameless", "db:1 d3 nas/second", "web:1 d0 nas/other"]);
    let host = |name: &str, pending, second| Host {
        name: name.to_owned(),
        pending,
        last_event: Some(at(second)),
        last_reconcile: None,
        scans: Scans::default(),
    };
    assert_eq!(store.hosts(at(30)).unwrap(), [host("edge", 2, 3), host("nas", 2, 22)]);
    ack(store, "db:1", &["nas"]);
    assert_eq!(store.hosts(at(30)).unwrap(), [host("edge", 2, 3), host("nas", 1, 22)]);
}

fn refused_requests_are_counted_by_reason(store: &dyn Store) {
    let refused = |reason, count, second| Refused { reason, count, last: at(second) };
    let (token, size) = (refused::Reason::Token, refused::Reason::Size);
    assert_eq!(store.refused().unwrap(), []);
    store.keep_refused(&[refused(token, 2, 5), refused(size, 1, 6)]).unwrap();
    // A server whose clock is behind.
    store.keep_refused(&[refused(size, 3, 4)]).unwrap();
    assert_eq!(store.refused().unwrap(), [refused(size, 4, 6), refused(token, 2, 5)]);
    store.keep_refused(&[refused(token, 1, 7)]).unwrap();
    let expected = [refused(token, 3, 7), refused(size, 4, 6)];
    assert_eq!(store.refused().unwrap(), expected);
    // Another inbox that has some of the same is taken over.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup.db");
    store.backup(&path).unwrap();
    store.keep_refused(&[refused(size, 1, 8)]).unwrap();
    store.import(&path).unwrap();
    assert_eq!(store.refused().unwrap(), [refused(size, 5, 8), refused(token, 3, 7)]);
}

fn numbers_of_changes_are_never_used_again(store: &dyn Store) {
    report(store, 0, &["a:1 a h/w", "b:1 a h/w"]);
    ack(store, "b:1", &[]);
    let before = store.last_change().unwrap();
    store.prune(Prune { before: at(10_000), dry_run: false }).unwrap();
    assert_eq!(store.last_change().unwrap(), before, "the update with the last change is gone");
    assert_eq!(store.count(at(200)).unwrap().as_of, before);
    report(store, 300, &["a:1 b h/w"]);
    assert!(get(store, "a:1").changed > before);
    ack(store, "a:1", &[]);
    let before = store.last_change().unwrap();
    store.prune(Prune { before: at(10_000), dry_run: false }).unwrap();
    report(store, 400, &["c:1 a h/w"]);
    assert!(get(store, "c:1").changed > before, "also when none is left");
}
