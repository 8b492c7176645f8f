//! The contract: undo and the history.

use diunbox::image::{ImageName, ImagePattern};
use diunbox::inbox::action::{Action, Kind, Origin, Reason, Stamp};
use diunbox::inbox::history::Page;
use diunbox::inbox::query::Query;
use diunbox::inbox::update::State;
use diunbox::store::{ErrorKind, Store};

use super::fixture::{
    ack, act, at, exact, get, name, reasons, reopen, report, short, snooze, stamp, states, undo,
};

contract! {
    undo_takes_back_the_last_of_the_same_origin_and_user
    undo_leaves_what_was_decided_on_since_or_has_another_digest
    an_undo_can_be_undone
    tags_and_patterns_are_taken_back_too
    the_history_says_what_when_whence_and_whose
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
