//! The contract: acknowledging, reopening, snoozing and ignoring.

use std::thread;

use diunbox::event::Event;
use diunbox::image::ImagePattern;
use diunbox::inbox::action::{Action, Kind, Reason};
use diunbox::inbox::history::Page;
use diunbox::inbox::query::{Query, Wanted};
use diunbox::inbox::update::State;
use diunbox::store::Store;

use super::fixture::{
    ack, act, at, event, get, ignore, name, needed, reasons, reopen, report, short, snooze, stamp,
    state, states,
};

contract! {
    acknowledging_takes_what_is_named_as_it_was_seen
    acknowledging_again_changes_nothing
    acknowledging_at_hosts_ends_with_the_last_place
    reopening_forgets_what_was_acknowledged
    a_snooze_ends_at_its_time_whatever_arrives
    what_cannot_be_snoozed_or_reopened_is_left_with_the_reason
    reopening_makes_every_place_needed_again
    reopening_everything_needs_a_filter
    a_pattern_hides_what_is_there_and_what_comes
    an_image_is_shown_again_only_when_no_pattern_matches_it
    an_action_leaves_what_has_changed_since_the_list
    concurrent_actions_are_each_whole
}

const WEB: &str = "docker.io/library/web:1";

fn acknowledging_takes_what_is_named_as_it_was_seen(store: &dyn Store) {
    report(store, 0, &["web:1 d1 nas/web", "db:1 d1 nas/db", "web:1 d2 nas/web"]);
    let exact = |image: &str, digest: &str| Wanted::Exact(name(image), Some(digest.to_owned()));
    let named = vec![exact("web:1", "d1"), exact("db:1", "d1"), Wanted::exact("no:1").unwrap()];
    let receipt = act(store, Kind::Acknowledge, named, &[], 100);
    assert_eq!(receipt.images, ["docker.io/library/db:1"]);
    let left: Vec<_> =
        receipt.left.iter().map(|left| (&*left.image, left.reason.clone())).collect();
    let missing = ("docker.io/library/no:1", Reason::Missing);
    assert_eq!(left, [(WEB, Reason::Digest("d2".to_owned())), missing]);
    assert_eq!((state(store), get(store, "db:1").state), (State::Pending, State::Acknowledged));
    let pattern = Wanted::Pattern(ImagePattern::new("web*").unwrap());
    assert_eq!(act(store, Kind::Acknowledge, vec![pattern], &[], 100).images, [WEB]);
    let receipt = ack(store, "web:1", &["elsewhere"]);
    assert_eq!(receipt.left[0].reason, Reason::NoPlace);
}

fn acknowledging_again_changes_nothing(store: &dyn Store) {
    report(store, 0, &["web:1 d1 nas/web"]);
    assert!(ack(store, "web:1", &[]).id.is_some());
    let before = get(store, "web:1");
    let again = act(store, Kind::Acknowledge, vec![Wanted::exact("web:1").unwrap()], &[], 500);
    assert_eq!((again.id, &*again.images, &*again.left), (None, &[WEB.to_owned()][..], &[][..]));
    assert_eq!(get(store, "web:1"), before);
}

fn acknowledging_at_hosts_ends_with_the_last_place(store: &dyn Store) {
    report(store, 0, &["web:1 d1 a/x", "web:1 d1 a/y", "web:1 d1 b/x"]);
    assert!(ack(store, "web:1", &["a", "c"]).id.is_some());
    assert!(ack(store, "web:1", &["a"]).id.is_none());
    assert_eq!(needed(store), ["b/x"]);
    // It holds for this digest only.
    report(store, 200, &["web:1 d2 b/x"]);
    assert_eq!(needed(store), ["a/x", "a/y", "b/x"]);
    ack(store, "web:1", &["a", "b"]);
    assert_eq!(state(store), State::Acknowledged);
    // Once a place has moved on, what was acknowledged before is news.
    report(store, 300, &["web:1 d3 b/x"]);
    ack(store, "web:1", &["b"]);
    report(store, 400, &["web:1 d2 b/x"]);
    assert_eq!(state(store), State::Pending);
}

fn reopening_forgets_what_was_acknowledged(store: &dyn Store) {
    report(store, 0, &["web:1 d1 a/x", "web:1 d1 b/x"]);
    let reopen = || act(store, Kind::Reopen, vec![Wanted::exact("web:1").unwrap()], &[], 300);
    assert_eq!(reopen().left[0].reason, Reason::Pending);
    ack(store, "web:1", &["a"]);
    ack(store, "web:1", &["b"]);
    assert!(reopen().id.is_some());
    assert_eq!((state(store), needed(store).len()), (State::Pending, 2));
    report(store, 400, &["web:1 d1 a/x"]);
    assert_eq!(state(store), State::Pending);
}

fn a_snooze_ends_at_its_time_whatever_arrives(store: &dyn Store) {
    report(store, 0, &["web:1 a h/w"]);
    assert_eq!(short(&snooze(store, &["web:1"], 200).images), ["web:1"]);
    report(store, 110, &["web:1 b h/w", "web:1 c i/w"]);
    assert_eq!(states(store, &["web:1"], 199), [State::Snoozed]);
    assert_eq!(states(store, &["web:1"], 200), [State::Pending]);
    // The same again changes nothing, and another time does.
    assert_eq!(snooze(store, &["web:1"], 200).id, None);
    assert!(snooze(store, &["web:1"], 300).id.is_some());
    assert_eq!(states(store, &["web:1"], 299), [State::Snoozed]);
    // An acknowledgement ends it.
    ack(store, "web:1", &[]);
    report(store, 120, &["web:1 d h/w"]);
    assert_eq!(states(store, &["web:1"], 121), [State::Pending]);
}

fn what_cannot_be_snoozed_or_reopened_is_left_with_the_reason(store: &dyn Store) {
    report(store, 0, &["app:1.0.1 a h/w", "app:1.0.2 b h/w", "web:1 a h/w", "db:1 a h/w"]);
    ignore(store, "db*");
    ack(store, "web:1", &[]);
    let images = ["app:1.0.1", "db:1", "no:1", "web:1"];
    let mut left = reasons(&snooze(store, &images, 200));
    left.sort_unstable();
    let reopened = "it is acknowledged: reopen it first";
    let missing = "there is no update of it";
    assert_eq!(left, ["folded under app:1.0.2", "ignored by db*", reopened, missing]);
    let receipt = reopen(store, &["app:1.0.1", "app:1.0.2", "db:1", "web:1"]);
    assert_eq!(short(&receipt.images), ["web:1"]);
    let mut left = reasons(&receipt);
    left.sort_unstable();
    assert_eq!(left, ["folded under app:1.0.2", "ignored by db*", "it is pending already"]);
}

fn reopening_makes_every_place_needed_again(store: &dyn Store) {
    report(store, 0, &["web:1 a one/w", "web:1 a two/w"]);
    ack(store, "web:1", &["one"]);
    assert_eq!(get(store, "web:1").needed().count(), 1);
    assert_eq!(short(&reopen(store, &["web:1"]).images), ["web:1"]);
    assert_eq!(get(store, "web:1").needed().count(), 2);
    assert_eq!(reopen(store, &["web:1"]).left[0].reason, Reason::Pending);
}

fn reopening_everything_needs_a_filter(store: &dyn Store) {
    report(store, 0, &["web:1 a one/w", "db:1 a two/w"]);
    ack(store, "web:1", &[]);
    ack(store, "db:1", &[]);
    let all = Query::all(at(200));
    Action::on_all(Kind::Reopen, all.clone(), stamp()).unwrap_err();
    let query = Query { hosts: vec!["two".to_owned()], ..all };
    let action = Action::on_all(Kind::Reopen, query, stamp()).unwrap();
    assert_eq!(short(&store.act(&action).unwrap().images), ["db:1"]);
}

fn a_pattern_hides_what_is_there_and_what_comes(store: &dyn Store) {
    report(store, 0, &["app:nightly-1 a h/w", "web:1 a h/w"]);
    let receipt = ignore(store, "*:nightly*");
    assert_eq!(short(&receipt.images), ["app:nightly-1"]);
    report(store, 2, &["app:nightly-2 a h/w", "app:nightly-1 b h/w"]);
    let images = store.select_images(&Query::pending(at(9))).unwrap();
    assert_eq!(short(&images), ["web:1"]);
    let counts = store.count(at(9)).unwrap();
    assert_eq!((counts.pending, counts.ignored), (1, 2));
    let pattern = ImagePattern::new("*:nightly*").unwrap();
    assert_eq!(store.ignore(&pattern, &stamp()).unwrap(), None);
    let ignores = store.ignores().unwrap();
    assert_eq!(ignores.len(), 1);
    assert_eq!((&*ignores[0].pattern, ignores[0].images), ("*:nightly*", 2));
    let receipt = store.unignore("*:nightly*", &stamp()).unwrap().unwrap();
    assert_eq!(short(&receipt.images), ["app:nightly-1", "app:nightly-2"]);
    assert_eq!(store.unignore("*:nightly*", &stamp()).unwrap(), None);
    assert_eq!(store.count(at(9)).unwrap().pending, 3);
    // Several stars are one.
    ignore(store, "**nightly**");
    assert!(store.unignore("**nightly**", &stamp()).unwrap().is_some());
}

fn an_image_is_shown_again_only_when_no_pattern_matches_it(store: &dyn Store) {
    report(store, 0, &["app:nightly a h/w"]);
    ignore(store, "*nightly");
    assert!(ignore(store, "app:*").images.is_empty());
    assert!(store.unignore("*nightly", &stamp()).unwrap().unwrap().images.is_empty());
    assert_eq!(states(store, &["app:nightly"], 9), [State::Ignored]);
    store.unignore("app:*", &stamp()).unwrap();
    assert_eq!(states(store, &["app:nightly"], 9), [State::Pending]);
}

fn an_action_leaves_what_has_changed_since_the_list(store: &dyn Store) {
    report(store, 0, &["a:1 a h/w", "b:1 a h/w"]);
    let as_of = Some(store.count(at(10)).unwrap().as_of);
    report(store, 11, &["b:1 a h/w", "c:1 a h/w"]);
    let query = Query { as_of, ..Query::all(at(20)) };
    let action = Action::on_all(Kind::Acknowledge, query, stamp()).unwrap();
    let receipt = store.act(&action).unwrap();
    assert_eq!(short(&receipt.images), ["a:1"]);
    assert!(receipt.left.iter().all(|left| left.reason == Reason::Changed));
    assert_eq!(receipt.left.len(), 2);
}

fn concurrent_actions_are_each_whole(store: &dyn Store) {
    let images: Vec<String> = (0..6).map(|n| format!("app:1.0.{n}")).collect();
    let events: Vec<Event> = images.iter().map(|image| event(&format!("{image} a h/w"))).collect();
    thread::scope(|scope| {
        for worker in 0..4_usize {
            let (images, events) = (&images, &events);
            scope.spawn(move || {
                for turn in 0..30_usize {
                    let one = &*images[(turn * 5 + worker) % images.len()];
                    let now = i64::try_from(turn).unwrap();
                    match (turn + worker) % 6 {
                        0 | 1 => store.upsert_event(&events[turn % events.len()], at(now)).unwrap(),
                        2 => drop(ack(store, one, &[])),
                        3 => drop(snooze(store, &[one], 50 + now)),
                        4 => drop(reopen(store, &[one])),
                        _ => drop(store.undo(None, &stamp()).unwrap()),
                    }
                }
            });
        }
    });
    // Each update is in one state, by the count and by the lists alike, and no action is empty.
    let updates = store.get_updates(at(60)).unwrap();
    let mut total = 0;
    for state in State::ALL {
        let listed = store.select_images(&Query { states: vec![state], ..Query::all(at(60)) });
        let listed = listed.unwrap();
        assert!(listed.iter().all(|image| updates[image].state == state));
        total += listed.len();
    }
    assert_eq!(total, updates.len());
    let counts = store.count(at(60)).unwrap();
    let counted = counts.pending + counts.snoozed + counts.superseded + counts.acknowledged;
    assert_eq!(counted, updates.len() as u64);
    let entries = store.history(&Page { image: None, before: None, limit: 1_000 }).unwrap();
    assert!(!entries.is_empty() && entries.iter().all(|entry| entry.count > 0));
    // Every update below the newest open one is folded.
    let mut open: Vec<&String> =
        updates.keys().filter(|image| updates[*image].acknowledged_at.is_none()).collect();
    open.sort();
    let awake =
        |image: &&&String| updates[**image].snoozed_until.is_none_or(|until| until <= at(60));
    let top = open.iter().rfind(awake);
    for image in &open {
        let is_below = top.is_some_and(|top| image < top);
        assert_eq!(updates[*image].state == State::Superseded, is_below, "{image}");
    }
}
