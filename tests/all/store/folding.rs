//! The contract: superseded versions, and what an update is compared with.

use diunbox::event::Event;
use diunbox::inbox::labels::{Labelled, Labels};
use diunbox::inbox::query::{Detail, Query};
use diunbox::inbox::update::State;
use diunbox::store::Store;

use super::fixture::{
    ack, at, event, folded, get, ignore, name, reopen, report, short, snooze, stamp, states, undo,
};

contract! {
    older_versions_are_folded_under_the_newest_in_any_order
    versions_fold_only_where_every_place_has_the_newer_one
    acknowledging_takes_what_is_folded_along
    what_was_folded_is_back_when_the_newer_one_is_no_longer_pending
    what_opens_again_is_pending_where_nothing_newer_is_open
    an_older_build_supersedes_nothing
    of_pinned_digests_the_last_received_stands_for_all
    a_change_is_against_what_was_acknowledged_last
    labels_say_what_has_changed
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
