//! The contract: comparing with what runs.

use diunbox::inbox::action::{Origin, Stamp};
use diunbox::inbox::seen::{Reconciled, Seen, Verdict};
use diunbox::inbox::update::State;
use diunbox::store::Store;

use super::fixture::{ack, at, get, name, reopen, report, seen, states};

contract! {
    what_runs_closes_and_reopens_only_what_it_closed
    a_place_that_runs_a_digest_already_does_not_need_it
    a_place_that_is_gone_needs_nothing_until_it_is_there_again
    a_new_place_that_is_behind_reopens_what_places_closed
}

fn what_runs_closes_and_reopens_only_what_it_closed(store: &dyn Store) {
    report(store, 0, &["web:1 b h/one", "web:1 b h/two"]);
    let web = vec![name("web:1").as_str().to_owned()];
    let one = |verdict, runs| seen("h/one", "b", verdict, runs);
    let two = |verdict, runs| seen("h/two", "b", verdict, runs);
    let reconcile = |seen: &[Seen]| {
        let stamp = Stamp::new(Origin::Reconcile, at(100));
        store.reconcile(seen, &stamp, false).unwrap()
    };
    let result = reconcile(&[one(Verdict::Done, "b"), two(Verdict::Behind, "a")]);
    assert_eq!((result.id, result.closed.len()), (Some(1), 0));
    assert_eq!(store.hosts(at(200)).unwrap()[0].last_reconcile, Some(at(100)));
    assert_eq!(get(store, "web:1").needed().count(), 1);
    // What is done already, or cannot be told, changes nothing.
    let result = reconcile(&[one(Verdict::Unknown, "b"), two(Verdict::Unknown, "a")]);
    assert_eq!(result, Reconciled::default());
    let dry = Stamp::new(Origin::Reconcile, at(100));
    let result = store.reconcile(&[two(Verdict::Done, "b")], &dry, true).unwrap();
    assert_eq!(result.closed, web);
    assert_eq!(states(store, &["web:1"], 200), [State::Pending]);
    assert_eq!(reconcile(&[two(Verdict::Gone, "")]).closed, web);
    assert_eq!(states(store, &["web:1"], 200), [State::Acknowledged]);
    // One of a digest that is not the current one any more says nothing.
    assert_eq!(reconcile(&[seen("h/one", "a", Verdict::Behind, "x")]), Reconciled::default());
    assert_eq!(reconcile(&[one(Verdict::Behind, "a")]).reopened, web);
    assert_eq!(get(store, "web:1").needed().count(), 1);
    // A place that the inbox did not know counts, too.
    let new = Seen { is_new: true, ..seen("h/three", "b", Verdict::Behind, "a") };
    reconcile(&[new]);
    assert_eq!(get(store, "web:1").places.len(), 3);
    // What a person decided stays, and reconcile's marks that were taken back are not set again.
    reconcile(&[one(Verdict::Done, "b")]);
    reopen(store, &["web:1"]);
    assert_eq!(reconcile(&[one(Verdict::Done, "b")]), Reconciled::default());
    assert_eq!(reconcile(&[one(Verdict::Behind, "a")]), Reconciled::default());
    assert!(reconcile(&[one(Verdict::Done, "b")]).id.is_some());
    ack(store, "web:1", &[]);
    assert_eq!(reconcile(&[one(Verdict::Behind, "a")]), Reconciled::default());
    assert_eq!(states(store, &["web:1"], 200), [State::Acknowledged]);
}

fn a_place_that_runs_a_digest_already_does_not_need_it(store: &dyn Store) {
    report(store, 0, &["web:1 a h/one", "web:1 a h/two"]);
    let stamp = Stamp::new(Origin::Reconcile, at(100));
    let running =
        [seen("h/one", "a", Verdict::Unknown, "b"), seen("h/two", "a", Verdict::Unknown, "x")];
    store.reconcile(&running, &stamp, false).unwrap();
    report(store, 101, &["web:1 b h/two"]);
    let update = get(store, "web:1");
    let needed: Vec<&str> = update.needed().map(|place| place.workload.as_str()).collect();
    assert_eq!(needed, ["two"]);
}

fn a_place_that_is_gone_needs_nothing_until_it_is_there_again(store: &dyn Store) {
    report(store, 0, &["web:1 a h/one", "web:1 a h/two"]);
    let stamp = Stamp::new(Origin::Reconcile, at(100));
    let reconcile = |seen: Seen| store.reconcile(&[seen], &stamp, false).unwrap();
    let needed = || -> Vec<String> {
        get(store, "web:1").needed().map(|place| place.workload.clone()).collect()
    };
    reconcile(seen("h/two", "a", Verdict::Gone, ""));
    // Nor does it need what comes later.
    report(store, 101, &["web:1 b h/one"]);
    assert_eq!(needed(), ["one"]);
    assert_eq!(store.hosts(at(200)).unwrap()[0].pending, 1);
    let update = get(store, "web:1");
    assert_eq!((update.places.len(), update.present().count()), (2, 1));
    // Diun reports it again, or it is seen again.
    report(store, 102, &["web:1 b h/two"]);
    assert_eq!(needed(), ["one", "two"]);
    reconcile(seen("h/two", "b", Verdict::Gone, ""));
    assert_eq!(needed(), ["one"]);
    assert!(reconcile(seen("h/two", "b", Verdict::Unknown, "x")).id.is_some());
    assert_eq!(needed(), ["one", "two"]);
    let runs = get(store, "web:1").places[1].runs.clone().unwrap();
    assert_eq!((runs.digests, runs.since), (vec!["x".to_owned()], at(100)));
    assert_eq!(runs.verdict, Some(Verdict::Unknown));
}

fn a_new_place_that_is_behind_reopens_what_places_closed(store: &dyn Store) {
    report(store, 0, &["web:1 b h/one", "api:1 b h/one"]);
    let stamp = Stamp::new(Origin::Reconcile, at(100));
    let reconcile = |seen: Seen| store.reconcile(&[seen], &stamp, false).unwrap();
    reconcile(seen("h/one", "b", Verdict::Done, "b"));
    ack(store, "api:1", &[]);
    let new = |image: &str, workload, verdict| Seen {
        image: name(image).as_str().to_owned(),
        is_new: true,
        ..seen(workload, "b", verdict, "a")
    };
    assert_eq!(reconcile(new("web:1", "h/two", Verdict::Unknown)).reopened.len(), 0);
    assert_eq!(reconcile(new("web:1", "h/three", Verdict::Behind)).reopened.len(), 1);
    assert_eq!(reconcile(new("api:1", "h/two", Verdict::Behind)), Reconciled::default());
}
