//! Random events, decisions, undos and prunes, compared with the model.

use std::collections::{BTreeMap, BTreeSet};

use diunbox::event::Event;
use diunbox::image::{ImageName, ImagePattern};
use diunbox::inbox::action::{self, Action, Origin, Stamp};
use diunbox::inbox::history::Page;
use diunbox::inbox::query::{Detail, Query, Wanted};
use diunbox::inbox::received::Received;
use diunbox::inbox::update::State;
use diunbox::store::{ErrorKind, Prune, Store};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::fixture::{at, sqlite};
use super::model::{IMAGES, Kind, Model, PATTERNS, Receipt, Report};

const DIGESTS: [&str; 4] = ["", "sha256:d1", "sha256:d2", "sha256:d3"];
const HOSTS: [&str; 3] = ["x", "y", "z"];
/// The first action of the store is that of the tags.
const TAGS: [&str; 2] = ["one", "two"];

#[derive(Clone, Debug)]
enum Step {
    Report(Report),
    Act {
        kind: Kind,
        image: &'static str,
        digest: Option<&'static str>,
        hosts: Vec<&'static str>,
    },
    ActOnAll(Kind),
    Ignore {
        pattern: &'static str,
        adds: bool,
    },
    Tag {
        image: &'static str,
        tag: Option<i64>,
    },
    /// The last action, or the one so many before the last.
    Undo(Option<i64>),
    /// Seconds ago.
    Prune(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let report = (
        select(&IMAGES[..]),
        select(&DIGESTS[..]),
        // Most at one place, so that versions fold.
        prop_oneof![3 => Just(HOSTS[0]), 1 => select(&HOSTS[..])],
        prop_oneof![3 => Just("web"), 1 => select(&["", "db"][..])],
        select(&["new", "update"][..]),
        option::of(0..3_u32),
        prop::bool::weighted(0.1),
    );
    let report = report.prop_map(|(image, digest, host, workload, status, built, is_old)| {
        Step::Report(Report { image, digest, place: (host, workload), status, built, is_old })
    });
    let kind = || {
        prop_oneof![
            2 => Just(Kind::Acknowledge),
            1 => Just(Kind::Reopen),
            // How long from now.
            1 => (1..15_i64).prop_map(Kind::Snooze),
        ]
    };
    let act = (
        kind(),
        select(&IMAGES[..]),
        option::weighted(0.2, select(&DIGESTS[1..])),
        prop_oneof![2 => Just(Vec::new()), 1 => vec(select(&HOSTS[..]), 1..3)],
    );
    let act = act.prop_map(|(kind, image, digest, hosts)| {
        // Only acknowledging can be limited to hosts.
        let hosts = if kind == Kind::Acknowledge { hosts } else { Vec::new() };
        Step::Act { kind, image, digest, hosts }
    });
    let ignore = (select(&PATTERNS[..]), any::<bool>());
    let tag = (select(&IMAGES[..]), option::of(1..3_i64));
    prop_oneof![
        10 => report,
        5 => act,
        1 => kind().prop_map(Step::ActOnAll),
        1 => ignore.prop_map(|((pattern, _), adds)| Step::Ignore { pattern, adds }),
        1 => tag.prop_map(|(image, tag)| Step::Tag { image, tag }),
        4 => option::of(0..4_i64).prop_map(Step::Undo),
        1 => (1..20_i64).prop_map(Step::Prune),
    ]
}

fn name(image: &str) -> ImageName {
    ImageName::new(image).unwrap()
}

fn stamp(now: i64) -> Stamp {
    Stamp::new(Origin::Http, at(now))
}

/// A receipt as the model writes it.
fn plain(receipt: &action::Receipt) -> Receipt {
    let known = |image: &String| *IMAGES.iter().find(|known| *known == image).unwrap();
    let images = receipt.images.iter().map(known).collect();
    Receipt { id: receipt.id, images, left: receipt.left.len() }
}

fn kind_at(kind: Kind, now: i64) -> (Kind, action::Kind) {
    match kind {
        Kind::Acknowledge => (kind, action::Kind::Acknowledge),
        Kind::Reopen => (kind, action::Kind::Reopen),
        Kind::Snooze(seconds) => {
            (Kind::Snooze(now + seconds), action::Kind::Snooze(at(now + seconds)))
        }
    }
}

fn apply(store: &dyn Store, model: &mut Model, step: &Step, now: i64) -> Result<(), TestCaseError> {
    match step {
        Step::Report(report) => {
            let Report { image, digest, place: (host, workload), status, built, is_old } = *report;
            let metadata = [("ctn_names".to_owned(), workload.to_owned())];
            let event = Event {
                image: image.to_owned(),
                digest: digest.to_owned(),
                hostname: host.to_owned(),
                provider: "docker".to_owned(),
                status: status.to_owned(),
                created: built.map(|hour| format!("2026-01-01T{hour:02}:00:00Z")),
                metadata: metadata.into_iter().filter(|(_, name)| !name.is_empty()).collect(),
                ..Event::default()
            };
            let at = at(if is_old { -1_000 } else { now });
            store.upsert(Received { event, at, is_replayed: is_old })?;
            model.report(report, now);
        }
        Step::Act { kind, image, digest, hosts } => {
            let (modelled, kind) = kind_at(*kind, now);
            let images = vec![Wanted::Exact(name(image), digest.map(str::to_owned))];
            let receipt = store.act(&Action {
                kind,
                query: Query { images, ..Query::all(at(now)) },
                hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
                stamp: stamp(now),
            })?;
            prop_assert_eq!(plain(&receipt), model.act(modelled, &[image], *digest, hosts, now));
        }
        Step::ActOnAll(kind) => {
            let (modelled, kind) = kind_at(*kind, now);
            let mut query = Query::all(at(now));
            if kind == action::Kind::Reopen {
                query.states = vec![State::Acknowledged, State::Snoozed];
            }
            let action = Action::on_all(kind, query, stamp(now)).unwrap();
            let states = action.query.states.clone();
            let images = IMAGES.into_iter().filter(|image| {
                model.updates.contains_key(image) && states.contains(&model.state(image, now))
            });
            let images: Vec<_> = images.collect();
            let receipt = store.act(&action)?;
            prop_assert_eq!(plain(&receipt), model.act(modelled, &images, None, &[], now));
        }
        Step::Ignore { pattern, adds } => {
            let receipt = if *adds {
                store.ignore(&ImagePattern::new(pattern).unwrap(), &stamp(now))?
            } else {
                store.unignore(pattern, &stamp(now))?
            };
            prop_assert_eq!(receipt.as_ref().map(plain), model.ignore(pattern, *adds, now));
        }
        Step::Tag { image, tag } => {
            let receipt = store.put_tag(&[name(image)], *tag, &stamp(now))?;
            prop_assert_eq!(receipt.id, model.tag(image, *tag, now));
        }
        Step::Undo(back) => {
            let id =
                back.map(|back| model.actions.keys().next_back().map_or(1, |last| last - back));
            match (store.undo(id, &stamp(now)), model.undo(id, now)) {
                (Ok(receipt), expected) => {
                    prop_assert_eq!(Ok(receipt.as_ref().map(plain)), expected);
                }
                (Err(error), expected) => {
                    prop_assert_eq!((error.kind, expected), (ErrorKind::Undone, Err(())));
                }
            }
        }
        Step::Prune(age) => {
            let pruned = store.prune(Prune { before: at(now - age), dry_run: false })?;
            let (updates, digests, actions) = model.prune(now - age);
            prop_assert_eq!(
                (pruned.updates, pruned.digests, pruned.actions),
                (updates as u64, digests as u64, actions as u64)
            );
        }
    }
    compare(store, model, now)?;
    // A snooze ends by itself.
    compare_states(store, model, now + 10)
}

fn compare_states(store: &dyn Store, model: &Model, now: i64) -> Result<(), TestCaseError> {
    let found = store.get_updates(at(now))?;
    for (update, image) in found.values().zip(model.updates.keys()) {
        prop_assert_eq!(update.state, model.state(image, now), "{}", image);
        let folded: BTreeSet<&str> = update.supersedes.iter().map(String::as_str).collect();
        let is_pending = update.state == State::Pending;
        let expected = if is_pending { model.folded(image, now) } else { BTreeSet::new() };
        prop_assert_eq!(update.older, expected.len() as u64, "{}", image);
        prop_assert_eq!(folded, expected, "{}", image);
    }
    for state in State::ALL {
        let query = Query { states: vec![state], ..Query::all(at(now)) };
        let listed: BTreeSet<String> = store.select_images(&query)?.into_iter().collect();
        let expected = model.updates.keys().filter(|image| model.state(image, now) == state);
        prop_assert_eq!(listed, expected.map(|image| (*image).to_owned()).collect());
    }
    let brief = store.select(&Query { detail: Detail::Table, ..Query::pending(at(now)) })?;
    for update in &brief {
        prop_assert_eq!(update.older, found[&update.event.image].older);
    }
    let counts = store.count(at(now))?;
    let count = |state| {
        let images = model.updates.keys();
        images.filter(|image| model.state(image, now) == state).count() as u64
    };
    prop_assert_eq!(
        [counts.pending, counts.snoozed, counts.superseded, counts.acknowledged, counts.ignored],
        State::ALL.map(count)
    );
    let pending = model.updates.iter();
    let pending = pending.filter(|(image, _)| model.state(image, now) == State::Pending);
    let pending: Vec<i64> = pending.map(|(_, update)| update.since).collect();
    prop_assert_eq!(counts.oldest_pending, pending.iter().min().copied().map(at));
    prop_assert_eq!(counts.newest_pending, pending.iter().max().copied().map(at));
    Ok(())
}

fn compare(store: &dyn Store, model: &Model, now: i64) -> Result<(), TestCaseError> {
    let found = store.get_updates(at(now))?;
    prop_assert_eq!(
        found.keys().map(String::as_str).collect::<Vec<_>>(),
        model.updates.keys().copied().collect::<Vec<_>>()
    );
    compare_states(store, model, now)?;
    for (update, (image, expected)) in found.values().zip(&model.updates) {
        prop_assert_eq!(
            (&*update.event.digest, update.since, update.received_at),
            (expected.digest, at(expected.since), at(expected.received)),
            "{}",
            image
        );
        prop_assert_eq!(update.acknowledged_at, expected.acknowledged.map(at), "{}", image);
        prop_assert_eq!(update.snoozed_until, expected.snoozed.map(at), "{}", image);
        let tag = update.tag.as_ref().map(|tag| tag.id);
        prop_assert_eq!(tag, model.tags.get(image).copied(), "{}", image);
        let places: Vec<_> = update
            .places
            .iter()
            .map(|place| {
                (&*place.hostname, &*place.workload, &*place.digest, place.times, place.is_needed)
            })
            .collect();
        let needed = expected.needed();
        let expected_places: Vec<_> = expected
            .places
            .iter()
            .map(|(key, place)| (key.0, key.1, place.digest, place.times, needed.contains(key)))
            .collect();
        prop_assert_eq!(places, expected_places, "{}", image);
        let digests = store.digests(&name(image))?;
        let digests: BTreeMap<_, _> = digests
            .iter()
            .map(|digest| (&*digest.digest, (digest.first_seen, digest.last_seen)))
            .collect();
        let earlier: BTreeMap<_, _> = expected
            .earlier
            .iter()
            .map(|(digest, (first, last))| (*digest, (at(*first), at(*last))))
            .collect();
        prop_assert_eq!(digests, earlier, "{}", image);
        for host in HOSTS {
            let mut query = Query::pending(at(now));
            query.hosts = vec![host.to_owned()];
            let listed = store.select_images(&query)?.iter().any(|listed| listed == image);
            let is_needed = needed.iter().any(|(needed, _)| *needed == host);
            let is_pending = model.state(image, now) == State::Pending;
            prop_assert_eq!(listed, is_pending && is_needed, "{} {}", image, host);
        }
    }
    let history = store.history(&Page { image: None, before: None, limit: 1_000 })?;
    let history: BTreeMap<i64, usize> =
        history.iter().map(|entry| (entry.id, entry.images.len())).collect();
    let expected = model.actions.iter().map(|(id, action)| (*id, action.images.len()));
    prop_assert_eq!(history, expected.collect());
    Ok(())
}

fn compare_all(store: &dyn Store, steps: &[Step]) -> Result<(), TestCaseError> {
    for tag in TAGS {
        store.create_tag(tag)?;
    }
    let mut model = Model::default();
    for (now, step) in (0..).zip(steps) {
        apply(store, &mut model, step, now)?;
    }
    Ok(())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn the_store_does_what_the_model_does(steps in vec(step(), 1..50)) {
        compare_all(&*sqlite(), &steps)?;
    }
}

#[cfg(feature = "postgres")]
proptest! {
    // Each operation takes one to three round trips.
    #![proptest_config(config(8))]

    #[test]
    fn postgresql_does_what_the_model_does(steps in vec(step(), 1..50)) {
        if let Some(store) = super::fixture::postgres() {
            compare_all(&*store, &steps)?;
        }
    }
}
