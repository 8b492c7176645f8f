//! What an update's row tells of who runs the image is what the reports tell.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{TimeDelta, Utc};
use diunbox::event::Event;
use diunbox::store::{Place, Places, Prune, SqliteStore, State, Store};
use proptest::collection::vec;
use proptest::prelude::*;
use rusqlite::Connection;

use crate::common::Inbox;

#[derive(Clone, Debug)]
enum Step {
    Upsert {
        image: usize,
        digest: usize,
        host: usize,
        provider: usize,
    },
    /// Another program overwrites the row, and leaves what it does not know.
    Overwrite {
        image: usize,
        digest: usize,
        host: usize,
    },
    /// Another program writes the row anew.
    Replace {
        image: usize,
        digest: usize,
        host: usize,
    },
    Acknowledge {
        image: usize,
    },
    PruneReports,
    /// As rows are that were there before the columns were.
    Forget {
        image: usize,
    },
}

const IMAGES: [&str; 2] = ["a:1", "b:1"];
const DIGESTS: [&str; 3] = ["", "sha256:01", "sha256:02"];
const HOSTS: [&str; 4] = ["", "edge-1", "edge-2", "edge-3"];
const PROVIDERS: [&str; 2] = ["docker", "file"];

fn step() -> impl Strategy<Value = Step> {
    let image = || 0..IMAGES.len();
    let digest = || 0..DIGESTS.len();
    let host = || 0..HOSTS.len();
    prop_oneof![
        12 => (image(), digest(), host(), 0..PROVIDERS.len())
            .prop_map(|(image, digest, host, provider)| Step::Upsert { image, digest, host, provider }),
        1 => (image(), digest(), host())
            .prop_map(|(image, digest, host)| Step::Overwrite { image, digest, host }),
        1 => (image(), digest(), host())
            .prop_map(|(image, digest, host)| Step::Replace { image, digest, host }),
        1 => image().prop_map(|image| Step::Acknowledge { image }),
        1 => Just(Step::PruneReports),
        1 => image().prop_map(|image| Step::Forget { image }),
    ]
}

fn apply(step: &Step, store: &SqliteStore, other: &Connection) -> Result<(), TestCaseError> {
    let write = |sql: &str, image: usize, digest: usize, host: usize| {
        other.execute(sql, [IMAGES[image], DIGESTS[digest], HOSTS[host]]).unwrap();
    };
    match *step {
        Step::Upsert { image, digest, host, provider } => store.upsert_event(&Event {
            image: IMAGES[image].into(),
            digest: DIGESTS[digest].into(),
            hostname: HOSTS[host].into(),
            provider: PROVIDERS[provider].into(),
            ..Event::default()
        })?,
        Step::Overwrite { image, digest, host } => write(
            "UPDATE updates SET digest = ?2, hostname = ?3, provider = 'file',
                received_at = '2026-11-20T10:00:00Z', acknowledged_at = NULL WHERE image = ?1",
            image,
            digest,
            host,
        ),
        Step::Replace { image, digest, host } => write(
            "INSERT OR REPLACE INTO updates (image, digest, hostname, provider, received_at)
                VALUES (?1, ?2, ?3, 'file', '2026-11-20T10:00:00Z')",
            image,
            digest,
            host,
        ),
        Step::Acknowledge { image } => drop(store.acknowledge_update(IMAGES[image])?),
        Step::PruneReports => {
            let reports_before = Some(Utc::now() + TimeDelta::seconds(1));
            store.prune(Prune { reports_before, ..Prune::default() })?;
        }
        Step::Forget { image } => {
            let sql = "UPDATE updates SET places = 0, first_hostname = '' WHERE image = ?1";
            other.execute(sql, [IMAGES[image]]).unwrap();
        }
    }
    Ok(())
}

/// The places of an image's current digest, by its reports.
fn reported(store: &SqliteStore, image: &str, digest: &str) -> Vec<Place> {
    let reports = store.get_reports(image).unwrap().into_iter();
    let places = reports.filter(|report| report.digest == digest).map(|report| report.place);
    places.collect::<BTreeSet<_>>().into_iter().collect()
}

fn compare(store: &SqliteStore) -> Result<(), TestCaseError> {
    let expected: BTreeMap<String, Vec<Place>> = store
        .get_updates()?
        .into_iter()
        .map(|(image, update)| {
            let reported = reported(store, &image, &update.event.digest);
            assert_eq!(update.places, reported);
            assert_eq!(store.get_update(&image).unwrap().unwrap().places, reported);
            (image, reported)
        })
        .collect();
    for wanted in [Places::First, Places::All] {
        for headline in store.list_headlines(State::All, wanted)? {
            let expected = &expected[&headline.image];
            prop_assert_eq!(headline.place_count, expected.len());
            prop_assert_eq!(headline.places.first(), expected.first());
            if wanted == Places::All {
                prop_assert_eq!(&headline.places, expected);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_tell_what_reports_tell(steps in vec(step(), 1..24)) {
        let inbox = Inbox::new();
        let store = SqliteStore::open(&inbox.database())?;
        let other = Connection::open(inbox.database()).unwrap();
        for step in steps {
            apply(&step, &store, &other)?;
            compare(&store)?;
        }
    }
}

#[test]
fn a_list_does_not_read_the_reports() {
    let inbox = Inbox::new();
    let store = SqliteStore::open(&inbox.database()).unwrap();
    for host in ["edge-2", "edge-1", "edge-3"] {
        let event = Event { image: "a:1".into(), hostname: host.into(), ..Event::default() };
        store.upsert_event(&event).unwrap();
    }
    inbox.sql("DROP VIEW reports; DROP TABLE older_reports");
    let headlines = store.list_headlines(State::Pending, Places::First).unwrap();
    assert_eq!((headlines[0].place_count, &*headlines[0].places[0].hostname), (3, "edge-1"));
    store.list_headlines(State::Pending, Places::All).unwrap_err();
}
