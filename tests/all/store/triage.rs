//! The contract, of decisions: folding, snoozing, ignoring, taking back, and the history.

use std::thread;

use diunbox::event::Event;
use diunbox::image::{ImageName, ImagePattern};
use diunbox::inbox::action::{Action, Kind, Origin, Reason, Receipt, Stamp};
use diunbox::inbox::history::Page;
use diunbox::inbox::labels::{Labelled, Labels};
use diunbox::inbox::query::{Detail, Query, Wanted};
use diunbox::inbox::seen::{Reconciled, Seen, Verdict};
use diunbox::inbox::update::State;
use diunbox::store::{ErrorKind, Prune, Store};

use super::contract::{ack, act, at, event, get, name, report};

contract! {
    older_versions_are_folded_under_the_newest_in_any_order
    versions_fold_only_where_every_place_has_the_newer_one
    acknowledging_takes_what_is_folded_along
    what_was_folded_is_back_when_the_newer_one_is_no_longer_pending
    what_opens_again_is_pending_where_nothing_newer_is_open
    an_older_build_supersedes_nothing
    of_pinned_digests_the_last_received_stands_for_all
    a_snooze_ends_at_its_time_whatever_arrives
    what_cannot_be_snoozed_or_reopened_is_left_with_the_reason
    reopening_makes_every_place_needed_again
    reopening_everything_needs_a_filter
    a_pattern_hides_what_is_there_and_what_comes
    an_image_is_shown_again_only_when_no_pattern_matches_it
    undo_takes_back_the_last_of_the_same_origin_and_user
    undo_leaves_what_was_decided_on_since_or_has_another_digest
    an_undo_can_be_undone
    tags_and_patterns_are_taken_back_too
    the_history_says_what_when_whence_and_whose
    a_change_is_against_what_was_acknowledged_last
    an_action_leaves_what_has_changed_since_the_list
    what_runs_closes_and_reopens_only_what_it_closed
    a_place_that_runs_a_digest_already_does_not_need_it
    a_place_that_is_gone_needs_nothing_until_it_is_there_again
    a_new_place_that_is_behind_reopens_what_places_closed
    labels_say_what_has_changed
    numbers_of_changes_are_never_used_again
    pruning_keeps_decisions_and_what_is_open
    concurrent_actions_are_each_whole
}

fn states(store: &dyn Store, images: &[&str], now: i64) -> Vec<State> {
    let state = |image: &&str| store.get_update(&name(image), at(now)).unwrap().unwrap().state;
    images.iter().map(state).collect()
}

fn short(images: &[String]) -> Vec<&str> {
    images.iter().map(|image| diunbox::image::short_name(image)).collect()
}

fn folded(store: &dyn Store, image: &str) -> Vec<String> {
    let update = get(store, image);
    short(&update.supersedes).into_iter().map(str::to_owned).collect()
}

fn exact(images: &[&str]) -> Vec<Wanted> {
    images.iter().map(|image| Wanted::exact(image).unwrap()).collect()
}

fn snooze(store: &dyn Store, images: &[&str], until: i64) -> Receipt {
    act(store, Kind::Snooze(at(until)), exact(images), &[], 100)
}

fn reopen(store: &dyn Store, images: &[&str]) -> Receipt {
    act(store, Kind::Reopen, exact(images), &[], 100)
}

fn stamp() -> Stamp {
    Stamp::new(Origin::CommandLine, at(100))
}

fn ignore(store: &dyn Store, pattern: &str) -> Receipt {
    store.ignore(&ImagePattern::new(pattern).unwrap(), &stamp()).unwrap().unwrap()
}

fn undo(store: &dyn Store, id: Option<i64>) -> Receipt {
    store.undo(id, &stamp()).unwrap().unwrap()
}

fn reasons(receipt: &Receipt) -> Vec<String> {
    receipt.left.iter().map(|left| left.reason.to_string()).collect()
}

fn older_versions_are_folded_under_the_newest_in_any_order(store: &dyn Store) {
    report(store, 0, &["app:1.0.2 a h/w", "app:1.0.10 b h/w", "app:1.0.1 c h/w"]);
    report(store, 5, &["app:1.1.0 d h/w", "app:1.0.9-alpine e h/w", "app:latest f h/w"]);
    assert_eq!(folded(store, "app:1.0.10"), ["app:1.0.2", "app:1.0.1"]);
    let images = store.select_images(&Query::pending(at(9))).unwrap();
    assert_eq!(short(&images), ["app:latest", "app:1.0.9-alpine", "app:1.1.0", "app:1.0.10"]);
    assert_eq!(store.count(at(9)).unwrap().superseded, 2);
    // A pre-release is folded under its release, which is folded itself.
    report(store, 10, &["app:1.0.2-rc.1 g h/w"]);
    assert_eq!(folded(store, "app:1.0.10"), ["app:1.0.2", "app:1.0.2-rc.1", "app:1.0.1"]);
    assert_eq!(store.count(at(11)).unwrap().superseded, 3);
}

fn versions_fold_only_where_every_place_has_the_newer_one(store: &dyn Store) {
    report(store, 0, &["app:1.0.1 a one/w", "app:1.0.2 b two/w"]);
    assert_eq!(folded(store, "app:1.0.2"), [] as [&str; 0]);
    report(store, 2, &["app:1.0.2 b one/w"]);
    assert_eq!(folded(store, "app:1.0.2"), ["app:1.0.1"]);
    report(store, 3, &["app:1.0.1 a three/w"]);
    assert_eq!(folded(store, "app:1.0.2"), [] as [&str; 0]);
}

fn acknowledging_takes_what_is_folded_along(store: &dyn Store) {
    report(store, 0, &["app:1.0.1 a h/w", "app:1.0.2 b h/w", "app:1.0.3 c h/w"]);
    let receipt = ack(store, "app:1.0.3", &[]);
    assert_eq!(short(&receipt.images), ["app:1.0.3", "app:1.0.1", "app:1.0.2"]);
    assert_eq!(store.count(at(200)).unwrap().acknowledged, 3);
    undo(store, receipt.id);
    assert_eq!(folded(store, "app:1.0.3"), ["app:1.0.2", "app:1.0.1"]);
    // A superseded one can be acknowledged by itself.
    assert_eq!(short(&ack(store, "app:1.0.1", &[]).images), ["app:1.0.1"]);
    assert_eq!(folded(store, "app:1.0.3"), ["app:1.0.2"]);
    // At hosts, those of the older one that are among them.
    report(store, 3, &["app:1.0.3 c i/w"]);
    let receipt = ack(store, "app:1.0.3", &["i"]);
    assert_eq!((short(&receipt.images), receipt.left.len()), (vec!["app:1.0.3"], 0));
    assert_eq!(folded(store, "app:1.0.3"), ["app:1.0.2"]);
    assert_eq!(short(&ack(store, "app:1.0.3", &["h"]).images), ["app:1.0.3", "app:1.0.2"]);
    assert_eq!(store.count(at(200)).unwrap().acknowledged, 3);
}

fn what_was_folded_is_back_when_the_newer_one_is_no_longer_pending(store: &dyn Store) {
    use State::{Acknowledged, Ignored, Pending, Snoozed, Superseded};
    let images = ["app:1.0.1", "app:1.0.2"];
    report(store, 0, &["app:1.0.1 a h/w", "app:1.0.2 b h/w"]);
    assert_eq!(states(store, &images, 200), [Superseded, Pending]);
    ignore(store, "app:1.0.2");
    assert_eq!(states(store, &images, 200), [Pending, Ignored]);
    store.unignore("app:1.0.2", &stamp()).unwrap();
    assert_eq!(states(store, &images, 200), [Superseded, Pending]);
    snooze(store, &["app:1.0.2"], 300);
    assert_eq!(states(store, &images, 299), [Pending, Snoozed]);
    // By itself, when the snooze ends.
    assert_eq!(states(store, &images, 300), [Superseded, Pending]);
    assert_eq!(store.count(at(299)).unwrap().superseded, 0);
    assert_eq!(store.count(at(300)).unwrap().superseded, 1);
    reopen(store, &["app:1.0.2"]);
    assert_eq!(states(store, &images, 200), [Superseded, Pending]);
    report(store, 210, &["app:1.0.1 a2 h/w"]);
    ack(store, "app:1.0.2", &[]);
    reopen(store, &["app:1.0.1"]);
    assert_eq!(states(store, &images, 220), [Pending, Acknowledged]);
}

fn what_opens_again_is_pending_where_nothing_newer_is_open(store: &dyn Store) {
    report(store, 0, &["app:1.0.1 - h/w", "app:1.0.2 a h/w"]);
    ack(store, "app:1.0.2", &[]);
    report(store, 101, &["app:1.0.1 - h/w"]);
    assert_eq!(states(store, &["app:1.0.1"], 200), [State::Pending]);
}

fn an_older_build_supersedes_nothing(store: &dyn Store) {
    let built = |image: &str, hour: Option<u32>, now| {
        let created = hour.map(|hour| format!("2026-01-01T{hour:02}:00:00Z"));
        let event = Event { created, ..event(&format!("{image} a h/w")) };
        store.upsert_event(&event, at(now)).unwrap();
    };
    built("app:1.0.1", Some(2), 0);
    built("app:1.0.3", Some(1), 1);
    assert_eq!(states(store, &["app:1.0.1"], 9), [State::Pending]);
    // It is unknown when this one was built: it is superseded, and supersedes when its snooze ends.
    built("app:1.0.2", None, 2);
    let images = ["app:1.0.1", "app:1.0.2", "app:1.0.3"];
    let folded = [State::Superseded, State::Superseded, State::Pending];
    assert_eq!(states(store, &images, 9), folded);
    assert_eq!(self::folded(store, "app:1.0.3"), ["app:1.0.2", "app:1.0.1"]);
    ack(store, "app:1.0.3", &[]);
    reopen(store, &["app:1.0.1", "app:1.0.2"]);
    snooze(store, &["app:1.0.2"], 500);
    reopen(store, &["app:1.0.3"]);
    let open = [State::Pending, State::Superseded, State::Pending];
    assert_eq!(states(store, &images, 499), open);
    built("app:1.0.0", Some(0), 120);
    assert_eq!(states(store, &images, 499), open);
    assert_eq!(states(store, &images, 500), folded);
}

fn of_pinned_digests_the_last_received_stands_for_all(store: &dyn Store) {
    report(store, 0, &["app:1@sha256:a n h/w", "app:1@sha256:b n h/w"]);
    assert_eq!(folded(store, "app:1@sha256:b"), ["app:1@sha256:a"]);
    report(store, 2, &["app:1@sha256:a n h/w"]);
    assert_eq!(folded(store, "app:1@sha256:a"), ["app:1@sha256:b"]);
    report(store, 3, &["app:2@sha256:c n h/w", "app@sha256:d n h/w"]);
    assert_eq!(store.count(at(9)).unwrap().pending, 3);
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

fn undo_takes_back_the_last_of_the_same_origin_and_user(store: &dyn Store) {
    report(store, 0, &["a:1 a h/w", "b:1 a h/w", "c:1 a h/w"]);
    let by = |origin, user: &str| Stamp { user: user.to_owned(), ..Stamp::new(origin, at(50)) };
    let doers =
        [by(Origin::CommandLine, "ada"), by(Origin::Http, "ada"), by(Origin::CommandLine, "bob")];
    for (image, stamp) in ["a:1", "b:1", "c:1"].iter().zip(&doers) {
        let query = Query { images: exact(&[image]), ..Query::all(at(50)) };
        let (kind, hosts) = (Kind::Acknowledge, Vec::new());
        store.act(&Action { kind, query, hosts, stamp: stamp.clone() }).unwrap();
    }
    for (image, stamp) in ["a:1", "b:1", "c:1"].iter().zip(&doers) {
        assert_eq!(short(&store.undo(None, stamp).unwrap().unwrap().images), [*image]);
        assert_eq!(store.undo(None, stamp).unwrap(), None);
    }
    assert_eq!(store.undo(Some(99), &doers[0]).unwrap(), None);
    let error = store.undo(Some(1), &doers[0]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Undone);
}

fn undo_leaves_what_was_decided_on_since_or_has_another_digest(store: &dyn Store) {
    report(store, 0, &["a:1 a h/w", "b:1 a h/w", "c:1 a h/w", "d:1 a h/w"]);
    let first = act(store, Kind::Acknowledge, exact(&["a:1", "b:1", "c:1", "d:1"]), &[], 100);
    report(store, 101, &["b:1 b h/w"]);
    reopen(store, &["c:1"]);
    let receipt = undo(store, first.id);
    assert_eq!(short(&receipt.images), ["a:1", "d:1"]);
    assert_eq!(reasons(&receipt), ["its digest is b now", "it was decided on since"]);
    // What was taken back no longer counts as a later decision.
    let second = act(store, Kind::Acknowledge, exact(&["a:1"]), &[], 100);
    let third = reopen(store, &["a:1"]);
    undo(store, third.id);
    assert_eq!(short(&undo(store, second.id).images), ["a:1"]);
    assert_eq!(states(store, &["a:1"], 200), [State::Pending]);
}

fn an_undo_can_be_undone(store: &dyn Store) {
    report(store, 0, &["a:1 a one/w", "a:1 a two/w"]);
    ack(store, "a:1", &["one"]);
    snooze(store, &["a:1"], 500);
    let acknowledged = ack(store, "a:1", &[]);
    let undone = undo(store, None);
    let update = get(store, "a:1");
    assert_eq!(states(store, &["a:1"], 200), [State::Snoozed]);
    assert_eq!((update.snoozed_until, update.needed().count()), (Some(at(500)), 1));
    assert_eq!(short(&undo(store, undone.id).images), ["a:1"]);
    assert_eq!(states(store, &["a:1"], 200), [State::Acknowledged]);
    // It can be taken back once more.
    assert_eq!(undo(store, acknowledged.id).images.len(), 1);
    assert_eq!(states(store, &["a:1"], 200), [State::Snoozed]);
    // Undo goes on with what was before.
    undo(store, None);
    undo(store, None);
    assert_eq!(get(store, "a:1").needed().count(), 2);
    // What an undo took back cannot be done again once something before it was taken back too.
    assert_eq!(undo(store, undone.id.map(|id| id + 2)).left[0].reason, Reason::Decided);
}

fn tags_and_patterns_are_taken_back_too(store: &dyn Store) {
    report(store, 0, &["a:1 a h/w", "b:1 a h/w"]);
    let [web, db] = ["web", "db"].map(|tag| store.create_tag(tag).unwrap().id);
    let images = ["a:1", "b:1", "c:1"].map(name);
    store.put_tag(&images[..1], Some(db), &stamp()).unwrap();
    let receipt = store.put_tag(&images, Some(web), &stamp()).unwrap();
    // A decision about the state does not stand in the way of one about the tag.
    ack(store, "a:1", &[]);
    assert_eq!(short(&undo(store, receipt.id).images), ["a:1", "b:1", "c:1"]);
    assert_eq!(get(store, "a:1").tag.unwrap().name, "db");
    assert_eq!(get(store, "b:1").tag, None);
    // The same tag again changes nothing.
    assert_eq!(store.put_tag(&images[..1], Some(db), &stamp()).unwrap().id, None);
    let receipt = store.put_tag(&images[..1], None, &stamp()).unwrap();
    store.delete_tag(db).unwrap();
    assert_eq!(reasons(&undo(store, receipt.id)), ["the tag that it had is deleted"]);

    let pattern = ImagePattern::new("b*").unwrap();
    let noted = Stamp { note: Some("not mine".to_owned()), ..stamp() };
    let ignored = store.ignore(&pattern, &noted).unwrap().unwrap();
    let removed = store.unignore("b*", &stamp()).unwrap().unwrap();
    assert_eq!(store.undo(ignored.id, &stamp()).unwrap_err().kind, ErrorKind::Undone);
    assert_eq!(short(&undo(store, removed.id).images), ["b:1"]);
    assert_eq!(store.ignores().unwrap()[0].note.as_deref(), Some("not mine"));
    assert_eq!(states(store, &["b:1"], 200), [State::Ignored]);
    undo(store, ignored.id);
    assert_eq!(states(store, &["b:1"], 200), [State::Pending]);
}

fn the_history_says_what_when_whence_and_whose(store: &dyn Store) {
    report(store, 0, &["a:1 a h/w", "b:1 a h/w"]);
    let note = Some("seen".to_owned());
    let stamp = Stamp { at: at(50), origin: Origin::Http, user: "ada".to_owned(), note };
    let query = Query { images: exact(&["a:1", "b:1"]), ..Query::all(at(50)) };
    let kind = Kind::Snooze(at(500));
    store.act(&Action { kind, query, hosts: Vec::new(), stamp: stamp.clone() }).unwrap();
    assert_eq!(get(store, "a:1").note.as_deref(), Some("seen"));
    ack(store, "b:1", &[]);
    store.undo(Some(1), &stamp).unwrap();
    let page = |image: Option<ImageName>, before, limit| {
        let entries = store.history(&Page { image, before, limit }).unwrap();
        entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>()
    };
    assert_eq!(page(None, None, 10), [3, 2, 1]);
    assert_eq!(page(None, None, 2), [3, 2]);
    assert_eq!(page(None, Some(2), 2), [1]);
    assert_eq!(page(Some(name("a:1")), None, 10), [3, 1]);
    assert_eq!(page(Some(name("c:1")), None, 10), [] as [i64; 0]);
    let entries = store.history(&Page { image: None, before: None, limit: 10 }).unwrap();
    let [undo, _, first] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((first.at, &*first.kind, &*first.origin), (at(50), "snooze", "http"));
    assert_eq!((&*first.user, first.note.as_deref(), first.count), ("ada", Some("seen"), 2));
    assert_eq!(short(&first.images), ["a:1", "b:1"]);
    assert_eq!((first.undone_by, undo.undoes, undo.count), (Some(3), Some(1), 1));
}

fn a_change_is_against_what_was_acknowledged_last(store: &dyn Store) {
    report(store, 0, &["app:1.0.9 a h/w", "web:1 a h/w", "plain:1 - h/w"]);
    ack(store, "app:1.0.9", &[]);
    report(store, 1, &["app:1.0.10 b h/w", "app:1.1.0 b h/w", "app:2.0.0 b h/w", "web:1 b h/w"]);
    report(store, 9, &["app:2.0.0-alpine b h/w"]);
    let query = Query { detail: Detail::Item, ..Query::pending(at(200)) };
    let mut changes: Vec<_> = store.select(&query).unwrap();
    changes.sort_by(|a, b| a.event.image.cmp(&b.event.image));
    let changes: Vec<String> = changes
        .iter()
        .map(|update| {
            let image = diunbox::image::short_name(&update.event.image);
            let previous = update.previous.as_deref().unwrap_or("-");
            format!("{image} {} {previous}", update.change.name())
        })
        .collect();
    assert_eq!(
        changes,
        [
            "app:1.0.10 patch 1.0.9",
            "app:1.1.0 minor 1.0.9",
            "app:2.0.0 major 1.0.9",
            "app:2.0.0-alpine new -",
            "plain:1 unknown -",
            "web:1 rebuilt -",
        ]
    );
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

/// `HOST/WORKLOAD` of `web:1`, which needs this digest.
fn seen(place: &str, digest: &str, verdict: Verdict, runs: &str) -> Seen {
    let (host, workload) = place.split_once('/').unwrap();
    Seen {
        image: name("web:1").as_str().to_owned(),
        digest: digest.to_owned(),
        place: [host.to_owned(), "docker".to_owned(), workload.to_owned()],
        is_new: false,
        verdict,
        runs: vec![runs.to_owned()],
        since: None,
        is_stopped: false,
        labels: Labels::default(),
    }
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

fn labels_say_what_has_changed(store: &dyn Store) {
    let label = |digest: &str, version: &str, source: &str| Labelled {
        image: name("web:latest").as_str().to_owned(),
        digest: digest.to_owned(),
        labels: Labels {
            version: version.to_owned(),
            source: source.to_owned(),
            changelog: String::new(),
        },
    };
    let change = || {
        let update = get(store, "web:latest");
        (update.change.name(), update.previous)
    };
    let before = |version: &str| Some(version.to_owned());
    report(store, 0, &["web:latest a h/w"]);
    store.keep_labels(&[label("a", "1.0.9", "https://a")]).unwrap();
    ack(store, "web:latest", &[]);
    report(store, 1, &["web:latest b h/w"]);
    assert_eq!(change(), ("rebuilt", None));
    store.keep_labels(&[label("b", "v1.1.0", "")]).unwrap();
    assert_eq!(change(), ("minor", before("1.0.9")));
    // What is not known does not replace what is.
    store.keep_labels(&[label("b", "", "https://b")]).unwrap();
    let labels = get(store, "web:latest").labels;
    assert_eq!((labels.version.as_str(), labels.source.as_str()), ("v1.1.0", "https://b"));
    // It counts from what was acknowledged, not from what was there before.
    report(store, 2, &["web:latest c h/w"]);
    store.keep_labels(&[label("c", "2.0.0", "")]).unwrap();
    assert_eq!(change(), ("major", before("1.0.9")));
    ack(store, "web:latest", &[]);
    assert_eq!(change(), ("major", before("v1.1.0")));
    // A link is that of an earlier digest while none is known of this one; a version never is.
    report(store, 3, &["web:latest d h/w"]);
    let labels = get(store, "web:latest").labels;
    assert_eq!((labels.version.as_str(), labels.source.is_empty()), ("", false));
    assert_eq!(change(), ("rebuilt", None));
}

fn pruning_keeps_decisions_and_what_is_open(store: &dyn Store) {
    report(store, 0, &["a:1 a h/w", "b:1.0.1 a h/w", "b:1.0.2 a h/w", "c:1 a h/w", "d:1 a h/w"]);
    snooze(store, &["a:1"], 900);
    ack(store, "c:1", &[]);
    ack(store, "d:1", &[]);
    ignore(store, "c*");
    let pruned = store.prune(Prune { before: at(500), dry_run: false }).unwrap();
    assert_eq!((pruned.updates, pruned.actions), (1, 4));
    let images = ["a:1", "b:1.0.1", "b:1.0.2", "c:1"];
    let expected = [State::Snoozed, State::Superseded, State::Pending, State::Ignored];
    assert_eq!(states(store, &images, 600), expected);
    assert_eq!(store.ignores().unwrap().len(), 1);
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
