//! Random sequences of the store's nine core operations give what a plain model gives.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::Utc;
use diunbox::event::{Event, Metadata};
use diunbox::store::{SqliteStore, Store, StoreError, Tag};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

const IMAGES: [&str; 4] = ["docker.io/library/nginx:1.27", "a", "ä'\"%\u{0}\u{1b}[2J", "a:1"];
const NAMES: [&str; 6] = ["web", " web\t", "WEB", "データ", "x'; --", " "];

#[derive(Clone, Debug)]
enum Operation {
    UpsertEvent(Box<Event>),
    GetUpdates,
    AcknowledgeUpdate(&'static str),
    ListTags,
    CreateTag(&'static str),
    DeleteTag(i64),
    AssignTag(&'static str, i64),
    UnassignTag(&'static str),
    TagExists(i64),
    /// Not an operation: what was done must outlast the program.
    Reopen,
}

fn image() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&IMAGES[..])
}

fn tag() -> impl Strategy<Value = i64> {
    -1..6_i64
}

fn event() -> impl Strategy<Value = Event> {
    let text = || prop_oneof![Just(String::new()), any::<String>()];
    let provider = proptest::sample::select(vec!["docker", "kubernetes", "file", ""]);
    let created = proptest::option::of(Just("2026-11-20T08:15:30.5+01:00".to_owned()));
    let key =
        proptest::sample::select(vec!["ctn_names", "ctn_name", "ctn_id", "ctn_state", "team"]);
    let metadata = btree_map(key.prop_map(str::to_owned), text(), 0..4);
    (image(), provider, text(), text(), created, metadata).prop_map(
        |(image, provider, hostname, digest, created, metadata): (_, _, _, _, _, Metadata)| Event {
            image: image.to_owned(),
            provider: provider.to_owned(),
            status: "update".to_owned(),
            hostname,
            digest,
            created,
            metadata,
            ..Event::default()
        },
    )
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        4 => event().prop_map(|event| Operation::UpsertEvent(Box::new(event))),
        1 => Just(Operation::GetUpdates),
        3 => image().prop_map(Operation::AcknowledgeUpdate),
        1 => Just(Operation::ListTags),
        4 => proptest::sample::select(&NAMES[..]).prop_map(Operation::CreateTag),
        2 => tag().prop_map(Operation::DeleteTag),
        4 => (image(), tag()).prop_map(|(image, tag)| Operation::AssignTag(image, tag)),
        2 => image().prop_map(Operation::UnassignTag),
        1 => tag().prop_map(Operation::TagExists),
        1 => Just(Operation::Reopen),
    ]
}

/// What the store should hold.
#[derive(Default)]
struct Model {
    updates: BTreeMap<String, (Event, bool)>,
    tags: BTreeMap<i64, String>,
    /// The highest number that a tag ever had: none is used twice.
    highest: i64,
    assignments: BTreeMap<&'static str, i64>,
}

impl Model {
    fn updates(&self) -> BTreeMap<String, (Event, bool, Option<Tag>)> {
        let with_tag = |(image, (event, acknowledged)): (&String, &(Event, bool))| {
            let tag = self.assignments.get(image.as_str()).map(|id| self.tag(*id));
            (image.clone(), (event.clone(), *acknowledged, tag))
        };
        self.updates.iter().map(with_tag).collect()
    }

    fn tag(&self, id: i64) -> Tag {
        Tag { id, name: self.tags[&id].clone() }
    }

    fn tags(&self) -> Vec<Tag> {
        let mut tags: Vec<Tag> = self.tags.keys().map(|id| self.tag(*id)).collect();
        tags.sort_by(|a, b| a.name.cmp(&b.name));
        tags
    }

    /// Takes the number that the store chose.
    fn create(&mut self, name: &str, id: i64) -> Result<Tag, StoreError> {
        let name = name.trim();
        if name.is_empty() {
            return Err(StoreError::TagNameEmpty);
        }
        if self.tags.values().any(|tag| tag == name) {
            return Err(StoreError::TagExists(name.to_owned()));
        }
        assert!(id > self.highest, "{id} was a tag's before");
        self.highest = id;
        self.tags.insert(id, name.to_owned());
        Ok(self.tag(id))
    }

    fn delete(&mut self, id: i64) -> bool {
        self.assignments.retain(|_, tag| *tag != id);
        self.tags.remove(&id).is_some()
    }

    fn assign(&mut self, image: &'static str, id: i64) -> Result<(), StoreError> {
        if !self.tags.contains_key(&id) {
            return Err(StoreError::UnknownTag(id));
        }
        self.assignments.insert(image, id);
        Ok(())
    }

    fn acknowledge(&mut self, image: &str) -> bool {
        self.updates.get_mut(image).map(|update| update.1 = true).is_some()
    }
}

/// Does an operation on both, and compares what they give.
fn step(
    path: &Path,
    store: &mut SqliteStore,
    model: &mut Model,
    operation: Operation,
) -> Result<(), TestCaseError> {
    match operation {
        Operation::UpsertEvent(event) => {
            let before = Utc::now().timestamp_millis();
            store.upsert_event(&event)?;
            let received = store.get_updates()?[&event.image].received_at.timestamp_millis();
            prop_assert!((before..=Utc::now().timestamp_millis()).contains(&received));
            model.updates.insert(event.image.clone(), (*event, false));
        }
        Operation::AcknowledgeUpdate(image) => {
            prop_assert_eq!(store.acknowledge_update(image)?, model.acknowledge(image));
        }
        Operation::CreateTag(name) => {
            let created = store.create_tag(name);
            let id = created.as_ref().map_or(0, |tag| tag.id);
            prop_assert_eq!(created, model.create(name, id));
        }
        Operation::DeleteTag(id) => prop_assert_eq!(store.delete_tag(id)?, model.delete(id)),
        Operation::AssignTag(image, id) => {
            prop_assert_eq!(store.assign_tag(image, id), model.assign(image, id));
        }
        Operation::UnassignTag(image) => {
            store.unassign_tag(image)?;
            model.assignments.remove(image);
        }
        Operation::TagExists(id) => {
            prop_assert_eq!(store.tag_exists(id)?, model.tags.contains_key(&id));
        }
        Operation::ListTags => prop_assert_eq!(store.list_tags()?, model.tags()),
        Operation::GetUpdates => {
            let updates = store.get_updates()?.into_iter().map(|(image, update)| {
                (image, (update.event, update.acknowledged_at.is_some(), update.tag))
            });
            prop_assert_eq!(updates.collect::<BTreeMap<_, _>>(), model.updates());
        }
        Operation::Reopen => *store = SqliteStore::open(path)?,
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_the_model_does(operations in vec(operation(), 1..40)) {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("diunbox.db");
        let mut store = SqliteStore::open(&path)?;
        let mut model = Model::default();
        let end = [Operation::GetUpdates, Operation::ListTags, Operation::Reopen];
        for operation in operations.into_iter().chain(end.clone()).chain(end) {
            step(&path, &mut store, &mut model, operation)?;
        }
    }
}
