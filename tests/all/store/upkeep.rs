//! The contract: tags, prune and backup.

use diunbox::inbox::action::Kind;
use diunbox::inbox::query::{Query, Wanted};
use diunbox::inbox::update::State;
use diunbox::store::{ErrorKind, Prune, Store};

use super::fixture::{ack, act, at, get, ignore, images, inbox, name, report, snooze, states};

contract! {
    tags_stay_with_their_images
    pruning_removes_what_is_old_and_acknowledged
    a_backup_is_a_store
    pruning_keeps_decisions_and_what_is_open
}

fn tags_stay_with_their_images(store: &dyn Store) {
    let kind = |result: Result<_, diunbox::store::StoreError>| result.err().map(|error| error.kind);
    let web = store.create_tag(" web ").unwrap();
    assert_eq!(web.name, "web");
    assert_eq!(kind(store.create_tag("web").map(drop)), Some(ErrorKind::TagExists));
    for invalid in ["", " \n", "a\u{0}b"] {
        assert_eq!(kind(store.create_tag(invalid).map(drop)), Some(ErrorKind::TagName));
    }
    let other = store.create_tag("other").unwrap();
    assert_eq!(kind(store.rename_tag(other.id, "web").map(drop)), Some(ErrorKind::TagExists));
    assert!(store.rename_tag(other.id, "data").unwrap());
    assert!(!store.rename_tag(99, "free").unwrap());
    let names: Vec<String> = store.list_tags().unwrap().into_iter().map(|tag| tag.name).collect();
    assert_eq!(names, ["data", "web"]);
    // An image can be tagged before it has an update.
    store.assign_tag(&name("web:1"), other.id, at(0)).unwrap();
    report(store, 0, &["web:1 d1 nas/web"]);
    store.assign_tag(&name("web:1"), web.id, at(0)).unwrap();
    report(store, 1, &["web:1 d2 nas/web"]);
    assert_eq!(get(store, "web:1").tag, Some(web.clone()));
    assert_eq!(kind(store.assign_tag(&name("web:1"), 99, at(0))), Some(ErrorKind::UnknownTag));
    assert_eq!(store.count_tagged().unwrap(), [(web.id, 1)].into());
    store.unassign_tag(&name("web:1"), at(0)).unwrap();
    assert_eq!(get(store, "web:1").tag, None);
    store.assign_tag(&name("web:1"), web.id, at(0)).unwrap();
    assert!(store.delete_tag(web.id).unwrap() && !store.delete_tag(web.id).unwrap());
    assert!(store.tag_exists(other.id).unwrap() && !store.tag_exists(web.id).unwrap());
    assert_eq!(get(store, "web:1").tag, None);
    let newer = store.create_tag("newer").unwrap();
    assert!(newer.id > web.id && newer.id > other.id, "ids are not used again");
}

fn pruning_removes_what_is_old_and_acknowledged(store: &dyn Store) {
    report(
        store,
        0,
        &["web:1 d1 nas/web", "web:1 d2 nas/web", "old:1 d1 nas/old", "db:1 d1 nas/db"],
    );
    ack(store, "old:1", &[]);
    act(store, Kind::Acknowledge, vec![Wanted::exact("db:1").unwrap()], &[], 500);
    let prune = |dry_run| store.prune(Prune { before: at(200), dry_run }).unwrap();
    let (would, did) = (prune(true), prune(false));
    assert_eq!((would.updates, would.digests, would.actions), (1, 1, 1));
    assert_eq!((did.updates, did.digests, did.actions), (1, 1, 1));
    let all = |query: &mut Query| query.states.clear();
    assert_eq!(images(store, all), ["db:1", "web:1"]);
    assert!(store.digests(&name("web:1")).unwrap().is_empty());
    assert_eq!(get(store, "web:1").places.len(), 1);
    // What comes again comes as new.
    report(store, 600, &["old:1 d1 nas/old"]);
    assert_eq!(get(store, "old:1").places[0].times, 1);
}

fn a_backup_is_a_store(store: &dyn Store) {
    inbox(store);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup.db");
    store.backup(&path).unwrap();
    let copy = diunbox::store::open(&path.as_path().into(), diunbox::store::PATIENCE).unwrap();
    assert_eq!(copy.get_updates(at(9)).unwrap(), store.get_updates(at(9)).unwrap());
    assert_eq!(copy.list_tags().unwrap(), store.list_tags().unwrap());
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
