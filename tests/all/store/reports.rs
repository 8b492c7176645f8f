//! The contract: what an event changes.

use std::thread;

use diunbox::event::Event;
use diunbox::inbox::query::Query;
use diunbox::inbox::received::Received;
use diunbox::inbox::update::{State, Update};
use diunbox::store::Store;

use super::fixture::{ack, at, event, get, images, name, needed, report, state};

contract! {
    an_event_makes_its_image_pending_and_a_repeat_changes_no_more_than_its_time
    a_host_that_still_runs_an_older_digest_needs_the_update
    the_same_digest_from_any_place_stays_acknowledged
    an_update_at_a_new_place_reopens_for_that_place_alone
    another_digest_is_news_and_the_one_acknowledged_last_is_not
    an_event_without_a_digest_is_always_pending
    a_digest_that_another_place_lags_behind_with_takes_nothing_back
    a_rollback_is_news
    an_event_from_the_past_only_adds_its_place_and_digest
    a_clock_that_was_ahead_outranks_nothing
    a_pinned_image_runs_its_digest_already
    a_place_without_a_workload_counts_only_alone
    concurrent_events_are_each_counted_once
}

/// Stores events that were received before, at this time.
fn replay(store: &dyn Store, second: i64, events: &[&str]) {
    for text in events {
        let received = Received { event: event(text), at: at(second), is_replayed: true };
        store.upsert(received).unwrap();
    }
}

fn an_event_makes_its_image_pending_and_a_repeat_changes_no_more_than_its_time(store: &dyn Store) {
    let mut event = event("web:1 d1 nas/web");
    event.created = Some("2026-11-23T21:45:52.442751Z".to_owned());
    event.metadata.insert("team".to_owned(), "\u{0}\u{1b}é\"".to_owned());
    store.upsert_event(&event, at(0)).unwrap();
    store.upsert_event(&event, at(9)).unwrap();
    let update = get(store, "web:1");
    assert_eq!((update.event, update.state), (event.clone(), State::Pending));
    assert_eq!((update.since, update.received_at), (at(0), at(9)));
    let [place] = &update.places[..] else { panic!("{:?}", update.places) };
    assert_eq!((place.first_seen, place.last_seen, place.times), (at(0), at(9), 2));
    assert_eq!((&place.metadata, place.is_needed), (&event.metadata, true));
}

fn a_host_that_still_runs_an_older_digest_needs_the_update(store: &dyn Store) {
    report(store, 0, &["web:1 d1 nas/web", "web:1 d1 edge/web", "web:1 d2 nas/web"]);
    assert_eq!(needed(store), ["edge/web", "nas/web"]);
    let edge = |query: &mut Query| query.hosts = vec!["edge".to_owned()];
    assert_eq!(images(store, edge), ["web:1"]);
    ack(store, "web:1", &["nas"]);
    assert_eq!((state(store), needed(store)), (State::Pending, vec!["edge/web".to_owned()]));
    assert_eq!(images(store, edge), ["web:1"]);
    assert!(images(store, |query| query.hosts = vec!["nas".to_owned()]).is_empty());
    ack(store, "web:1", &["edge"]);
    assert_eq!((state(store), needed(store)), (State::Acknowledged, Vec::new()));
}

fn the_same_digest_from_any_place_stays_acknowledged(store: &dyn Store) {
    report(store, 0, &["web:1 d1 nas/web"]);
    ack(store, "web:1", &[]);
    // Another host's Diun, the same one again, one without a name, and a replayed log.
    report(store, 200, &["web:1 d1 edge/web", "web:1 d1 nas/web", "web:1 d1 /"]);
    replay(store, 0, &["web:1 d1 nas/web"]);
    assert_eq!((state(store), get(store, "web:1").places.len()), (State::Acknowledged, 3));
}

fn an_update_at_a_new_place_reopens_for_that_place_alone(store: &dyn Store) {
    report(store, 0, &["web:1 d1 nas/web"]);
    ack(store, "web:1", &[]);
    let mut update = event("web:1 d1 edge/web");
    "update".clone_into(&mut update.status);
    store.upsert_event(&update, at(200)).unwrap();
    assert_eq!((state(store), needed(store)), (State::Pending, vec!["edge/web".to_owned()]));
    // The place that was done before stays so when it repeats itself.
    report(store, 300, &["web:1 d1 nas/web"]);
    assert_eq!((state(store), needed(store)), (State::Pending, vec!["edge/web".to_owned()]));
}

fn another_digest_is_news_and_the_one_acknowledged_last_is_not(store: &dyn Store) {
    report(store, 0, &["web:1 d1 nas/web"]);
    ack(store, "web:1", &[]);
    report(store, 200, &["web:1 d2 nas/web"]);
    assert_eq!((state(store), get(store, "web:1").since), (State::Pending, at(200)));
    report(store, 300, &["web:1 d1 nas/web"]);
    assert_eq!((state(store), get(store, "web:1").since), (State::Acknowledged, at(300)));
    report(store, 400, &["web:1 d2 nas/web"]);
    assert_eq!(state(store), State::Pending);
    let digests = store.digests(&name("web:1")).unwrap();
    assert_eq!(digests.iter().map(|digest| &*digest.digest).collect::<Vec<_>>(), ["d1"]);
}

fn an_event_without_a_digest_is_always_pending(store: &dyn Store) {
    for second in [0, 200] {
        report(store, second, &["web:1 - nas/web"]);
        assert_eq!((state(store), needed(store).len()), (State::Pending, 1));
        ack(store, "web:1", if second == 0 { &[] } else { &["nas"] });
        assert_eq!(state(store), State::Acknowledged);
    }
    report(store, 300, &["web:1 - nas/web"]);
    assert_eq!((state(store), needed(store).len()), (State::Pending, 1));
}

fn a_digest_that_another_place_lags_behind_with_takes_nothing_back(store: &dyn Store) {
    report(store, 0, &["web:1 d1 nas/web", "web:1 d2 nas/web", "web:1 d1 edge/web"]);
    let update = get(store, "web:1");
    assert_eq!((&*update.event.digest, update.since), ("d2", at(1)));
    assert_eq!(update.places[0].digest, "d1");
    ack(store, "web:1", &[]);
    report(store, 200, &["web:1 d1 far/web", "web:1 d1 edge/web"]);
    assert_eq!((state(store), &*get(store, "web:1").event.digest), (State::Acknowledged, "d2"));
}

fn a_rollback_is_news(store: &dyn Store) {
    // From the place that had the newer digest.
    report(store, 0, &["web:1 d1 nas/web", "web:1 d2 nas/web", "web:1 d1 nas/web"]);
    assert_eq!((&*get(store, "web:1").event.digest, get(store, "web:1").since), ("d1", at(2)));
    // Or built later than the current one.
    let built = |text, created: &str| Event { created: Some(created.to_owned()), ..event(text) };
    for (second, event) in [
        built("web:2 d1 nas/web", "2026-01-01T00:00:00Z"),
        built("web:2 d2 nas/web", "2026-01-01T01:00:00+02:00"),
        built("web:2 d1 edge/web", "2026-01-01T00:00:00Z"),
    ]
    .iter()
    .enumerate()
    {
        store.upsert_event(event, at(i64::try_from(second).unwrap())).unwrap();
    }
    assert_eq!(get(store, "web:2").event.digest, "d1");
}

fn an_event_from_the_past_only_adds_its_place_and_digest(store: &dyn Store) {
    report(store, 100, &["web:1 d2 nas/web"]);
    replay(store, 0, &["web:1 d1 edge/web", "web:1 d0 nas/web"]);
    let update = get(store, "web:1");
    assert_eq!((&*update.event.digest, update.received_at, update.since), ("d2", at(100), at(100)));
    assert_eq!(needed(store), ["edge/web", "nas/web"]);
    assert_eq!(update.places[1].digest, "d2");
    let digests = store.digests(&name("web:1")).unwrap();
    assert_eq!(digests.iter().map(|digest| &*digest.digest).collect::<Vec<_>>(), ["d0", "d1"]);
}

fn a_clock_that_was_ahead_outranks_nothing(store: &dyn Store) {
    report(store, 1_000_000, &["web:1 d1 nas/web"]);
    report(store, 0, &["web:1 d2 nas/web"]);
    assert_eq!((&*get(store, "web:1").event.digest, get(store, "web:1").since), ("d2", at(0)));
}

fn a_pinned_image_runs_its_digest_already(store: &dyn Store) {
    report(store, 0, &["web:1@sha256:ab sha256:ab nas/web"]);
    assert_eq!(get(store, "web:1@sha256:ab").state, State::Acknowledged);
    report(store, 0, &["web:2@sha256:ab sha256:cd nas/web"]);
    assert_eq!(get(store, "web:2@sha256:ab").state, State::Pending);
}

fn a_place_without_a_workload_counts_only_alone(store: &dyn Store) {
    report(store, 0, &["web:1 d1 nas/"]);
    assert_eq!(needed(store), ["nas/"]);
    report(store, 1, &["web:1 d1 edge/web"]);
    assert_eq!(needed(store), ["edge/web"]);
    assert!(images(store, |query| query.hosts = vec!["nas".to_owned()]).is_empty());
    ack(store, "web:1", &["edge"]);
    assert_eq!(state(store), State::Acknowledged);
}

fn concurrent_events_are_each_counted_once(store: &dyn Store) {
    thread::scope(|scope| {
        for worker in 0..8 {
            scope.spawn(move || {
                for n in 0..25 {
                    let image = if n % 2 == 0 { "web:1" } else { "db:1" };
                    let event = event(&format!("{image} d{n} host{}/web", worker % 2));
                    store.upsert_event(&event, at(n)).unwrap();
                    ack(store, image, &[]);
                }
            });
        }
    });
    let all = store.get_updates(at(1_000)).unwrap();
    let times = |update: &Update| update.places.iter().map(|place| place.times).sum::<u64>();
    assert_eq!(all.values().map(times).sum::<u64>(), 8 * 25);
    assert_eq!(all.len(), 2);
}
