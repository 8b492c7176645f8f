//! Random events, actions and prunes, compared with a model that keeps the same rules in the plainest
//! way.

use std::collections::{BTreeMap, BTreeSet};

use diunbox::event::Event;
use diunbox::image::ImageName;
use diunbox::inbox::action::{Action, Kind, Origin};
use diunbox::inbox::query::{Query, Wanted};
use diunbox::inbox::received::Received;
use diunbox::inbox::update::State;
use diunbox::store::{Prune, Store};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::contract::{at, sqlite};

const IMAGES: [&str; 3] =
    ["docker.io/library/a:1", "docker.io/library/b:1", "docker.io/library/c:1@sha256:d1"];
const DIGESTS: [&str; 4] = ["", "sha256:d1", "sha256:d2", "sha256:d3"];
const HOSTS: [&str; 3] = ["x", "y", "z"];

#[derive(Clone, Debug)]
enum Step {
    Report {
        image: &'static str,
        digest: &'static str,
        host: &'static str,
        workload: &'static str,
        status: &'static str,
        /// Hours of 2026, or not known.
        built: Option<u32>,
        /// Whether it is replayed, as from long ago.
        is_old: bool,
    },
    Act {
        kind: Kind,
        image: &'static str,
        digest: Option<&'static str>,
        hosts: Vec<&'static str>,
    },
    Prune {
        /// Seconds ago.
        age: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let report = (
        select(&IMAGES[..]),
        select(&DIGESTS[..]),
        select(&HOSTS[..]),
        select(&["", "web", "db"][..]),
        select(&["new", "update"][..]),
        proptest::option::of(0..3_u32),
        prop::bool::weighted(0.1),
    );
    let report = report.prop_map(|(image, digest, host, workload, status, built, is_old)| {
        Step::Report { image, digest, host, workload, status, built, is_old }
    });
    let act = (
        select(&[Kind::Acknowledge, Kind::Acknowledge, Kind::Reopen][..]),
        select(&IMAGES[..]),
        proptest::option::weighted(0.2, select(&DIGESTS[1..])),
        prop_oneof![2 => Just(Vec::new()), 1 => vec(select(&HOSTS[..]), 1..3)],
    );
    let act = act.prop_map(|(kind, image, digest, hosts)| {
        // Reopening is for an update as a whole.
        let hosts = if kind == Kind::Reopen { Vec::new() } else { hosts };
        Step::Act { kind, image, digest, hosts }
    });
    prop_oneof![6 => report, 3 => act, 1 => (1..20_i64).prop_map(|age| Step::Prune { age })]
}

#[derive(Debug, Default)]
struct Model {
    updates: BTreeMap<&'static str, Update>,
    actions: usize,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Update {
    digest: &'static str,
    built: Option<u32>,
    received: i64,
    since: i64,
    acknowledged: Option<i64>,
    last_acknowledged: Option<&'static str>,
    places: BTreeMap<(&'static str, &'static str), Place>,
    /// When each earlier digest was first and last seen.
    earlier: BTreeMap<&'static str, (i64, i64)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Place {
    digest: &'static str,
    times: u64,
    done: Option<&'static str>,
}

impl Update {
    fn needed(&self) -> BTreeSet<(&'static str, &'static str)> {
        let has_workload = self.places.keys().any(|(_, workload)| !workload.is_empty());
        let counts = |workload: &str| !has_workload || !workload.is_empty();
        let open = self.places.iter().filter(|((_, workload), place)| {
            self.acknowledged.is_none() && counts(workload) && place.done != Some(self.digest)
        });
        open.map(|(key, _)| *key).collect()
    }

    fn close_if_done(&mut self, now: i64) {
        if self.acknowledged.is_none() && self.needed().is_empty() {
            (self.acknowledged, self.last_acknowledged) = (Some(now), Some(self.digest));
        }
    }

    fn see_earlier(&mut self, digest: &'static str, first: i64, last: i64) {
        if !digest.is_empty() {
            let seen = self.earlier.entry(digest).or_insert((first, last));
            *seen = (seen.0.min(first), seen.1.max(last));
        }
    }
}

impl Model {
    fn report(&mut self, step: &Step, now: i64) {
        let Step::Report { image, digest, host, workload, status, built, is_old } = *step else {
            unreachable!()
        };
        let when = if is_old { -1_000 } else { now };
        let key = (host, workload);
        let fresh = Update { digest, built, received: when, since: when, ..Update::default() };
        let is_first = !self.updates.contains_key(image);
        let update = self.updates.entry(image).or_insert(fresh);
        let known = update.places.get(&key).map(|place| place.digest);
        if !is_first && when < update.received {
            if digest != update.digest {
                update.see_earlier(digest, when, when);
            }
            if known.is_none() {
                update.places.insert(key, Place { digest, times: 1, done: None });
            }
            return;
        }
        let mut done = None;
        if is_first {
        } else if digest == update.digest && !digest.is_empty() {
            (update.built, update.received) = (built, when);
            if update.acknowledged.is_some() && known.is_none() {
                update.places.values_mut().for_each(|place| place.done = Some(digest));
                if status == "update" {
                    (update.acknowledged, update.last_acknowledged) = (None, None);
                } else {
                    done = Some(digest);
                }
            }
        } else {
            let is_later = built.zip(update.built).is_some_and(|(new, old)| new > old);
            let is_echo = !digest.is_empty()
                && known != Some(update.digest)
                && !is_later
                && update.earlier.contains_key(digest);
            if !is_echo {
                if digest != update.digest {
                    let (old, since, received) = (update.digest, update.since, update.received);
                    update.see_earlier(old, since, received);
                    if !old.is_empty() {
                        update.earlier.remove(digest);
                    }
                    update.since = when;
                }
                if digest.is_empty()
                    && let Some(place) = update.places.get_mut(&key)
                {
                    place.done = None;
                }
                (update.digest, update.built, update.received) = (digest, built, when);
                let is_dealt_with = !digest.is_empty() && update.last_acknowledged == Some(digest);
                update.acknowledged =
                    if is_dealt_with { update.acknowledged.or(Some(when)) } else { None };
            }
        }
        let place = update.places.entry(key).or_default();
        (place.digest, place.times) = (digest, place.times + 1);
        if done.is_some() {
            place.done = done;
        }
        if !digest.is_empty() && image.ends_with(&format!("@{digest}")) {
            place.done = Some(digest);
            update.close_if_done(when);
        }
    }

    /// The images that are as asked, and how many are left.
    fn act(&mut self, step: &Step, now: i64) -> (Vec<&'static str>, usize) {
        let Step::Act { kind, image, digest, hosts } = step else { unreachable!() };
        let Some(update) = self.updates.get_mut(image) else { return (Vec::new(), 1) };
        let is_here = |host: &&str| hosts.is_empty() || hosts.contains(host);
        if digest.is_some_and(|digest| digest != update.digest)
            || !update.places.keys().any(|(host, _)| is_here(host))
        {
            return (Vec::new(), 1);
        }
        let before = update.clone();
        match kind {
            Kind::Reopen if update.acknowledged.is_none() => return (Vec::new(), 1),
            Kind::Reopen => {
                (update.acknowledged, update.last_acknowledged) = (None, None);
                update.places.values_mut().for_each(|place| place.done = None);
            }
            Kind::Acknowledge if update.acknowledged.is_some() => {}
            Kind::Acknowledge if hosts.is_empty() => {
                (update.acknowledged, update.last_acknowledged) = (Some(now), Some(update.digest));
            }
            Kind::Acknowledge => {
                if update.needed().iter().any(|(host, _)| is_here(host)) {
                    let digest = update.digest;
                    for ((host, _), place) in &mut update.places {
                        if is_here(host) {
                            place.done = Some(digest);
                        }
                    }
                    update.last_acknowledged.take_if(|acknowledged| *acknowledged != digest);
                    update.close_if_done(now);
                }
            }
        }
        self.actions += usize::from(*update != before);
        (vec![image], 0)
    }

    fn prune(&mut self, before: i64) -> (usize, usize) {
        let all = self.updates.len();
        self.updates.retain(|_, update| update.acknowledged.is_none_or(|at| at >= before));
        let mut digests = 0;
        for update in self.updates.values_mut() {
            let count = update.earlier.len();
            update.earlier.retain(|_, (_, last)| *last >= before);
            digests += count - update.earlier.len();
        }
        (all - self.updates.len(), digests)
    }
}

fn apply(store: &dyn Store, model: &mut Model, step: &Step, now: i64) -> Result<(), TestCaseError> {
    match step {
        Step::Report { image, digest, host, workload, status, built, is_old } => {
            let metadata = [("ctn_names".to_owned(), (*workload).to_owned())];
            let event = Event {
                image: (*image).to_owned(),
                digest: (*digest).to_owned(),
                hostname: (*host).to_owned(),
                provider: "docker".to_owned(),
                status: (*status).to_owned(),
                created: built.map(|hour| format!("2026-01-01T{hour:02}:00:00Z")),
                metadata: metadata.into_iter().filter(|(_, name)| !name.is_empty()).collect(),
                ..Event::default()
            };
            let at = at(if *is_old { -1_000 } else { now });
            store.upsert(Received { event, at, is_replayed: *is_old })?;
            model.report(step, now);
        }
        Step::Act { kind, image, digest, hosts } => {
            let name = ImageName::new(image).unwrap();
            let images = vec![Wanted::Exact(name, digest.map(str::to_owned))];
            let receipt = store.act(&Action {
                kind: *kind,
                query: Query { images, ..Query::all(at(now)) },
                hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
                note: None,
                origin: Origin::Http,
            })?;
            let actions = model.actions;
            let (expected, left) = model.act(step, now);
            prop_assert_eq!(
                (receipt.images, receipt.left.len()),
                (expected.iter().map(|image| (*image).to_owned()).collect(), left)
            );
            prop_assert_eq!(receipt.id.is_some(), model.actions > actions);
        }
        Step::Prune { age } => {
            let pruned = store.prune(Prune { before: at(now - age), dry_run: false })?;
            let (updates, digests) = model.prune(now - age);
            prop_assert_eq!((pruned.updates, pruned.digests), (updates as u64, digests as u64));
        }
    }
    compare(store, model, now)
}

fn compare(store: &dyn Store, model: &Model, now: i64) -> Result<(), TestCaseError> {
    let found = store.get_updates(at(now))?;
    prop_assert_eq!(
        found.keys().map(String::as_str).collect::<Vec<_>>(),
        model.updates.keys().copied().collect::<Vec<_>>()
    );
    for (update, (image, expected)) in found.values().zip(&model.updates) {
        let state =
            if expected.acknowledged.is_some() { State::Acknowledged } else { State::Pending };
        prop_assert_eq!(
            (&*update.event.digest, update.state, update.since, update.received_at),
            (expected.digest, state, at(expected.since), at(expected.received)),
            "{}",
            image
        );
        prop_assert_eq!(update.acknowledged_at, expected.acknowledged.map(at), "{}", image);
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
        let digests = store.digests(&ImageName::new(image).unwrap())?;
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
            prop_assert_eq!(
                listed,
                needed.iter().any(|(needed, _)| *needed == host),
                "{} {}",
                image,
                host
            );
        }
    }
    let counts = store.count(at(now))?;
    let pending = model.updates.values().filter(|update| update.acknowledged.is_none());
    let pending: Vec<i64> = pending.map(|update| update.since).collect();
    prop_assert_eq!(counts.pending, pending.len() as u64);
    prop_assert_eq!(counts.acknowledged, (model.updates.len() - pending.len()) as u64);
    prop_assert_eq!(counts.oldest_pending, pending.iter().min().copied().map(at));
    prop_assert_eq!(counts.newest_pending, pending.iter().max().copied().map(at));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_the_model_does(steps in vec(step(), 1..40)) {
        let store = sqlite();
        let mut model = Model::default();
        for (now, step) in (0..).zip(&steps) {
            apply(&*store, &mut model, step, now)?;
        }
    }
}
