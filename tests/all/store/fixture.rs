//! Helpers of the contract's tests: a store of each engine, and short ways to fill and query it.

use std::ops::Deref;

use chrono::{DateTime, Utc};
use diunbox::event::Event;
use diunbox::image::{ImageName, ImagePattern};
use diunbox::inbox::action::{Action, Kind, Origin, Receipt, Stamp};
use diunbox::inbox::labels::Labels;
use diunbox::inbox::query::{Query, Sort, Wanted};
use diunbox::inbox::seen::{Seen, Verdict};
use diunbox::inbox::update::{State, Update};
use diunbox::store::Store;
use tempfile::TempDir;

#[cfg(feature = "postgres")]
use crate::common::postgres::Database;

pub(super) struct Fixture {
    store: Box<dyn Store>,
    /// Removed after the store is closed.
    _folder: Place,
}

/// Where a store is.
enum Place {
    Folder {
        _folder: TempDir,
    },
    #[cfg(feature = "postgres")]
    Database {
        _database: Database,
    },
}

impl From<TempDir> for Place {
    fn from(folder: TempDir) -> Self {
        Self::Folder { _folder: folder }
    }
}

#[cfg(feature = "postgres")]
impl From<Database> for Place {
    fn from(database: Database) -> Self {
        Self::Database { _database: database }
    }
}

impl Deref for Fixture {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.store
    }
}

pub(super) fn sqlite() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = diunbox::store::open(
        &folder.path().join("diunbox.db").as_path().into(),
        diunbox::store::PATIENCE,
    )
    .unwrap();
    Fixture { store, _folder: folder.into() }
}

/// A store in a database of its own, on the server that the tests have.
#[cfg(feature = "postgres")]
pub(super) fn postgres() -> Option<Fixture> {
    let database = Database::new()?;
    let store = diunbox::store::open(&database.location(), diunbox::store::PATIENCE).unwrap();
    Some(Fixture { store, _folder: database.into() })
}

/// A time, so many seconds after a fixed one.
pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

pub(super) fn name(image: &str) -> ImageName {
    ImageName::new(image).unwrap()
}

/// `IMAGE DIGEST HOST/WORKLOAD`, found by docker.
pub(super) fn event(text: &str) -> Event {
    let [image, digest, place] = text.split(' ').collect::<Vec<_>>()[..] else { panic!("{text}") };
    let (hostname, workload) = place.split_once('/').unwrap();
    let mut event = Event {
        image: name(image).as_str().to_owned(),
        digest: if digest == "-" { String::new() } else { digest.to_owned() },
        hostname: hostname.to_owned(),
        provider: "docker".to_owned(),
        status: "new".to_owned(),
        ..Event::default()
    };
    if !workload.is_empty() {
        event.metadata.insert("ctn_names".to_owned(), workload.to_owned());
    }
    event
}

/// Stores events, one a second.
pub(super) fn report(store: &dyn Store, first: i64, events: &[&str]) {
    for (second, text) in (first..).zip(events) {
        store.upsert_event(&event(text), at(second)).unwrap();
    }
}

pub(super) fn get(store: &dyn Store, image: &str) -> Update {
    store.get_update(&name(image), at(1_000)).unwrap().unwrap()
}

pub(super) fn state(store: &dyn Store) -> State {
    get(store, "web:1").state
}

/// The places that still need the update, as `HOST/WORKLOAD`.
pub(super) fn needed(store: &dyn Store) -> Vec<String> {
    let update = get(store, "web:1");
    update.needed().map(|place| format!("{}/{}", place.hostname, place.workload)).collect()
}

pub(super) fn act(
    store: &dyn Store,
    kind: Kind,
    images: Vec<Wanted>,
    hosts: &[&str],
    now: i64,
) -> Receipt {
    let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    let query = Query { images, ..Query::all(at(now)) };
    let stamp = Stamp::new(Origin::CommandLine, query.now);
    let action = Action { kind, query, hosts, stamp };
    store.act(&action).unwrap()
}

pub(super) fn ack(store: &dyn Store, image: &str, hosts: &[&str]) -> Receipt {
    act(store, Kind::Acknowledge, vec![Wanted::exact(image).unwrap()], hosts, 100)
}

pub(super) fn images(store: &dyn Store, set: impl FnOnce(&mut Query)) -> Vec<String> {
    let mut query = Query { sort: Sort::Image, ..Query::pending(at(1_000)) };
    set(&mut query);
    let images = store.select_images(&query).unwrap();
    let selected = store.select(&query).unwrap().into_iter().map(|update| update.event.image);
    assert_eq!(images, selected.collect::<Vec<_>>(), "{query:?}");
    let short = |image: &String| diunbox::image::short_name(image).to_owned();
    images.iter().map(short).collect()
}

/// Some updates that differ in everything that can be filtered.
pub(super) fn inbox(store: &dyn Store) {
    report(store, 0, &["web:1 d1 nas/web", "ghcr.io/acme/api:2 d2 edge/api", "db:1 d3 nas/db"]);
    let mut service = event("web:2 d4 edge/");
    (service.provider, service.status) = ("swarm".to_owned(), "update".to_owned());
    service.metadata.insert("ctn_name".to_owned(), "Front_Web".to_owned());
    store.upsert_event(&service, at(3)).unwrap();
    report(store, 4, &["old:1 d5 nas/old"]);
    ack(store, "old:1", &[]);
    let tag = store.create_tag("data").unwrap();
    store.assign_tag(&name("db:1"), tag.id, at(0)).unwrap();
}

pub(super) fn states(store: &dyn Store, images: &[&str], now: i64) -> Vec<State> {
    let state = |image: &&str| store.get_update(&name(image), at(now)).unwrap().unwrap().state;
    images.iter().map(state).collect()
}

pub(super) fn short(images: &[String]) -> Vec<&str> {
    images.iter().map(|image| diunbox::image::short_name(image)).collect()
}

pub(super) fn folded(store: &dyn Store, image: &str) -> Vec<String> {
    let update = get(store, image);
    short(&update.supersedes).into_iter().map(str::to_owned).collect()
}

pub(super) fn exact(images: &[&str]) -> Vec<Wanted> {
    images.iter().map(|image| Wanted::exact(image).unwrap()).collect()
}

pub(super) fn snooze(store: &dyn Store, images: &[&str], until: i64) -> Receipt {
    act(store, Kind::Snooze(at(until)), exact(images), &[], 100)
}

pub(super) fn reopen(store: &dyn Store, images: &[&str]) -> Receipt {
    act(store, Kind::Reopen, exact(images), &[], 100)
}

pub(super) fn stamp() -> Stamp {
    Stamp::new(Origin::CommandLine, at(100))
}

pub(super) fn ignore(store: &dyn Store, pattern: &str) -> Receipt {
    store.ignore(&ImagePattern::new(pattern).unwrap(), &stamp()).unwrap().unwrap()
}

pub(super) fn undo(store: &dyn Store, id: Option<i64>) -> Receipt {
    store.undo(id, &stamp()).unwrap().unwrap()
}

pub(super) fn reasons(receipt: &Receipt) -> Vec<String> {
    receipt.left.iter().map(|left| left.reason.to_string()).collect()
}

/// `HOST/WORKLOAD` of `web:1`, which needs this digest.
pub(super) fn seen(place: &str, digest: &str, verdict: Verdict, runs: &str) -> Seen {
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
