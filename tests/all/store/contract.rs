//! The contract: every rule of the store, against each engine.

use std::ops::Deref;
use std::thread;

use chrono::{DateTime, Utc};
use diunbox::event::Event;
use diunbox::image::{ImageName, ImagePattern};
use diunbox::inbox::action::{Action, Kind, Origin, Reason, Receipt, Stamp};
use diunbox::inbox::query::{Cursor, Query, Sort, Wanted};
use diunbox::inbox::received::Received;
use diunbox::inbox::refused::{self, Refused};
use diunbox::inbox::scan::Scans;
use diunbox::inbox::update::{Host, State, Update};
use diunbox::store::{ErrorKind, Prune, Store};
use tempfile::TempDir;

#[cfg(feature = "postgres")]
use crate::common::postgres::Database;

contract! {
    an_event_makes_its_image_pending_and_a_repeat_changes_no_more_than_its_time
    a_host_that_still_runs_an_older_digest_needs_the_update
    the_same_digest_stays_acknowledged_whoever_reports_it
    an_update_at_a_new_place_reopens_for_that_place_alone
    another_digest_is_news_and_the_one_acknowledged_last_is_not
    an_event_without_a_digest_is_always_pending
    a_digest_that_another_place_lags_behind_with_takes_nothing_back
    a_rollback_is_news
    an_event_from_the_past_only_adds_its_place_and_digest
    a_clock_that_was_ahead_outranks_nothing
    a_pinned_image_runs_its_digest_already
    a_place_without_a_workload_counts_only_alone
    acknowledging_takes_what_is_named_as_it_was_seen
    acknowledging_again_changes_nothing
    acknowledging_at_hosts_ends_with_the_last_place
    reopening_forgets_what_was_acknowledged
    filters_select
    every_order_and_its_reverse
    pages_are_the_whole_in_pieces
    counts_are_by_state
    hosts_have_what_they_need_and_were_last_heard_from
    refused_requests_are_counted_by_reason
    tags_stay_with_their_images
    pruning_removes_what_is_old_and_acknowledged
    concurrent_events_are_each_counted_once
    a_backup_is_a_store
}

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

const WEB: &str = "docker.io/library/web:1";

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

/// Stores events that were received before, at this time.
fn replay(store: &dyn Store, second: i64, events: &[&str]) {
    for text in events {
        let received = Received { event: event(text), at: at(second), is_replayed: true };
        store.upsert(received).unwrap();
    }
}

pub(super) fn get(store: &dyn Store, image: &str) -> Update {
    store.get_update(&name(image), at(1_000)).unwrap().unwrap()
}

fn state(store: &dyn Store) -> State {
    get(store, "web:1").state
}

/// The places that still need the update, as `HOST/WORKLOAD`.
fn needed(store: &dyn Store) -> Vec<String> {
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

fn images(store: &dyn Store, set: impl FnOnce(&mut Query)) -> Vec<String> {
    let mut query = Query { sort: Sort::Image, ..Query::pending(at(1_000)) };
    set(&mut query);
    let images = store.select_images(&query).unwrap();
    let selected = store.select(&query).unwrap().into_iter().map(|update| update.event.image);
    assert_eq!(images, selected.collect::<Vec<_>>(), "{query:?}");
    let short = |image: &String| diunbox::image::short_name(image).to_owned();
    images.iter().map(short).collect()
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

fn the_same_digest_stays_acknowledged_whoever_reports_it(store: &dyn Store) {
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

/// Some updates that differ in everything that can be filtered.
fn inbox(store: &dyn Store) {
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

fn filters_select(store: &dyn Store) {
    inbox(store);
    let set = |pairs: &[(&str, &str)]| {
        images(store, |query| {
            for (name, value) in pairs {
                query.set(name, value).unwrap();
            }
        })
    };
    let all = ["web:1", "web:2", "ghcr.io/acme/api:2", "db:1"];
    let mut pending: Vec<String> = set(&[]);
    pending.sort();
    let mut expected = all.map(str::to_owned);
    expected.sort();
    assert_eq!(pending, expected);
    assert_eq!(
        set(&[("state", "acknowledged")]),
        ["db:1", "old:1", "web:1", "web:2", "ghcr.io/acme/api:2"]
    );
    assert_eq!(set(&[("image", "web:*")]), ["web:1", "web:2"]);
    assert_eq!(set(&[("image", "*/acme/*"), ("image", "db:?")]), ["db:1", "ghcr.io/acme/api:2"]);
    assert_eq!(set(&[("image", "web:[!1]")]), ["web:2"]);
    assert_eq!(set(&[("tag", "data")]), ["db:1"]);
    assert_eq!(set(&[("untagged", "true"), ("image", "*db*")]), [""; 0]);
    assert_eq!(set(&[("state", "all"), ("image", "*/old:*")]), ["old:1"]);
    assert_eq!(set(&[("state", "acknowledged,ignored"), ("status", "update")]), ["web:2"]);
    assert_eq!(set(&[("host", "edge")]), ["web:2", "ghcr.io/acme/api:2"]);
    assert_eq!(set(&[("host", "edge"), ("host", "nas")]).len(), 4);
    assert_eq!(set(&[("host", "edge"), ("provider", "docker")]), ["ghcr.io/acme/api:2"]);
    assert_eq!(set(&[("provider", "swarm"), ("host", "nas")]), [""; 0]);
    assert_eq!(set(&[("status", "update")]), ["web:2"]);
    assert_eq!(set(&[("search", "FRONT")]), ["web:2"]);
    assert_eq!(set(&[("search", "acme")]), ["ghcr.io/acme/api:2"]);
    assert_eq!(set(&[("search", "dat")]), ["db:1"]);
    assert_eq!(set(&[("search", "%")]), [""; 0]);
    assert_eq!(
        set(&[("since", "998s")]),
        ["web:2", "db:1"].map(str::to_owned).into_iter().rev().collect::<Vec<_>>()
    );
    assert_eq!(set(&[("before", "998s")]), ["web:1", "ghcr.io/acme/api:2"]);
    assert_eq!(set(&[("limit", "0")]), [""; 0]);
    for hostile in ["'; DROP TABLE updates; --", "\"", "%_", "\u{0}", "?1"] {
        assert_eq!(set(&[("host", hostile), ("status", hostile), ("search", hostile)]), [""; 0]);
    }
}

fn every_order_and_its_reverse(store: &dyn Store) {
    inbox(store);
    let built = |text, created: &str| Event { created: Some(created.to_owned()), ..event(text) };
    // The later text is the earlier time.
    store.upsert_event(&built("web:1 d1 nas/web", "2026-01-01T03:00:00+05:00"), at(10)).unwrap();
    store.upsert_event(&built("db:1 d3 nas/db", "2026-01-01T00:00:00Z"), at(11)).unwrap();
    for (sort, expected) in [
        ("since", ["web:2", "db:1", "ghcr.io/acme/api:2", "web:1"]),
        ("received", ["db:1", "web:1", "web:2", "ghcr.io/acme/api:2"]),
        ("created", ["db:1", "web:1", "web:2", "ghcr.io/acme/api:2"]),
        ("image", ["db:1", "web:1", "web:2", "ghcr.io/acme/api:2"]),
        ("tag", ["db:1", "web:1", "web:2", "ghcr.io/acme/api:2"]),
        ("host", ["web:2", "ghcr.io/acme/api:2", "db:1", "web:1"]),
    ] {
        assert_eq!(images(store, |query| query.set("sort", sort).unwrap()), expected, "{sort}");
        let reversed = images(store, |query| {
            query.set("sort", sort).unwrap();
            query.reverse = true;
        });
        // Those without the value stay last, and equal ones stay in the order of their names.
        let expected = match sort {
            "since" => ["web:1", "ghcr.io/acme/api:2", "db:1", "web:2"],
            "received" => ["ghcr.io/acme/api:2", "web:2", "web:1", "db:1"],
            "created" => ["web:1", "db:1", "web:2", "ghcr.io/acme/api:2"],
            "image" => ["ghcr.io/acme/api:2", "web:2", "web:1", "db:1"],
            "tag" => ["db:1", "web:1", "web:2", "ghcr.io/acme/api:2"],
            _ => ["db:1", "web:1", "web:2", "ghcr.io/acme/api:2"],
        };
        assert_eq!(reversed, expected, "{sort} reversed");
    }
}

fn pages_are_the_whole_in_pieces(store: &dyn Store) {
    let events: Vec<Received> = (0..50)
        // Many share a time.
        .map(|n| Received::now(event(&format!("web:{n} d1 nas/web")), at(n / 20)))
        .collect();
    store.upsert_all(&events).unwrap();
    for sort in [Sort::Since, Sort::Image] {
        for reverse in [false, true] {
            let order = |query: &mut Query| (query.sort, query.reverse) = (sort, reverse);
            let whole = images(store, order);
            assert_eq!(whole.len(), 50);
            let mut pieces = Vec::new();
            let mut query = Query { sort, reverse, limit: Some(7), ..Query::pending(at(1_000)) };
            loop {
                let page = store.select(&query).unwrap();
                let Some(last) = page.last() else { break };
                let (since, image) = (last.since.timestamp_millis(), last.event.image.clone());
                query.after = Some(Cursor { since, image });
                let short =
                    |update: &Update| diunbox::image::short_name(&update.event.image).to_owned();
                pieces.extend(page.iter().map(short));
            }
            assert_eq!(pieces, whole, "{sort:?} {reverse}");
        }
    }
}

fn counts_are_by_state(store: &dyn Store) {
    assert_eq!(store.count(at(0)).unwrap(), diunbox::inbox::update::Counts::default());
    inbox(store);
    let counts = store.count(at(10)).unwrap();
    assert_eq!((counts.pending, counts.acknowledged), (4, 1));
    assert_eq!((counts.oldest_pending, counts.newest_pending), (Some(at(0)), Some(at(3))));
}

fn hosts_have_what_they_need_and_were_last_heard_from(store: &dyn Store) {
    inbox(store);
    report(store, 20, &["old:1 d5 /nameless", "db:1 d3 nas/second", "web:1 d0 nas/other"]);
    let host = |name: &str, pending, second| Host {
        name: name.to_owned(),
        pending,
        last_event: Some(at(second)),
        last_reconcile: None,
        scans: Scans::default(),
    };
    assert_eq!(store.hosts(at(30)).unwrap(), [host("edge", 2, 3), host("nas", 2, 22)]);
    ack(store, "db:1", &["nas"]);
    assert_eq!(store.hosts(at(30)).unwrap(), [host("edge", 2, 3), host("nas", 1, 22)]);
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

fn refused_requests_are_counted_by_reason(store: &dyn Store) {
    let refused = |reason, count, second| Refused { reason, count, last: at(second) };
    let (token, size) = (refused::Reason::Token, refused::Reason::Size);
    assert_eq!(store.refused().unwrap(), []);
    store.keep_refused(&[refused(token, 2, 5), refused(size, 1, 6)]).unwrap();
    // A server whose clock is behind.
    store.keep_refused(&[refused(size, 3, 4)]).unwrap();
    assert_eq!(store.refused().unwrap(), [refused(size, 4, 6), refused(token, 2, 5)]);
    store.keep_refused(&[refused(token, 1, 7)]).unwrap();
    let expected = [refused(token, 3, 7), refused(size, 4, 6)];
    assert_eq!(store.refused().unwrap(), expected);
    // Another inbox that has some of the same is taken over.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup.db");
    store.backup(&path).unwrap();
    store.keep_refused(&[refused(size, 1, 8)]).unwrap();
    store.import(&path).unwrap();
    assert_eq!(store.refused().unwrap(), [refused(size, 5, 8), refused(token, 3, 7)]);
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
