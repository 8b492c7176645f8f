//! A database that the Go program DiunDashboard created and continues to use.

use std::path::Path;

use chrono::{DateTime, Utc};
use diunbox::event::{Event, Metadata};
use diunbox::image::ImageName;
use diunbox::inbox::update::{State, Tag};
use diunbox::store::{SqliteStore, Store};
use rusqlite::Connection;
use tempfile::TempDir;

const NGINX: &str = "docker.io/library/nginx:1.27";
const REDIS: &str = "docker.io/library/redis:7";
const API: &str = "ghcr.io/acme/api:2.0";

/// The tables as that program makes them, with rows in them.
const DATABASE: &str = "
    CREATE TABLE schema_migrations (version uint64, dirty bool);
    CREATE UNIQUE INDEX version_unique ON schema_migrations (version);
    INSERT INTO schema_migrations VALUES (3, 0);
    CREATE TABLE updates (
        image TEXT PRIMARY KEY, diun_version TEXT NOT NULL DEFAULT '', hostname TEXT NOT NULL DEFAULT '',
        status TEXT NOT NULL DEFAULT '', provider TEXT NOT NULL DEFAULT '', hub_link TEXT NOT NULL DEFAULT '',
        mime_type TEXT NOT NULL DEFAULT '', digest TEXT NOT NULL DEFAULT '', created TEXT NOT NULL DEFAULT '',
        platform TEXT NOT NULL DEFAULT '', ctn_name TEXT NOT NULL DEFAULT '', ctn_id TEXT NOT NULL DEFAULT '',
        ctn_state TEXT NOT NULL DEFAULT '', ctn_status TEXT NOT NULL DEFAULT '',
        received_at TEXT NOT NULL, acknowledged_at TEXT);
    CREATE TABLE tags (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
    CREATE TABLE tag_assignments (
        image TEXT PRIMARY KEY, tag_id INTEGER NOT NULL REFERENCES tags(id) ON DELETE CASCADE);
    INSERT INTO updates VALUES
        ('docker.io/library/nginx:1.27', '4.33.0', 'edge-1', 'new', 'docker', 'https://hub.docker.com/_/nginx',
            'application/json', 'sha256:01', '2026-11-20T08:15:30Z', 'linux/amd64', 'web', '03cc', 'running',
            'Up 3 days', '2026-11-21T10:00:00Z', NULL),
        ('docker.io/library/redis:7', '', '', '', 'file', '', '', 'sha256:02', '0001-01-01T00:00:00Z', '',
            '', '', '', '', '2026-11-21T12:00:00.5+02:00', '2026-11-22 08:00:00');
    INSERT INTO tags (id, name) VALUES (4, 'web'), (7, 'unused');
    INSERT INTO tag_assignments VALUES ('docker.io/library/nginx:1.27', 4), ('docker.io/no/update:yet', 4);";

fn now() -> DateTime<Utc> {
    Utc::now()
}

fn name(image: &str) -> ImageName {
    ImageName::new(image).unwrap()
}

fn made_by_go() -> (TempDir, SqliteStore, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("diun.db");
    let go = Connection::open(&path).unwrap();
    go.pragma_update(None, "foreign_keys", true).unwrap();
    go.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    go.execute_batch(DATABASE).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    (folder, store, go)
}

fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let values = (0..columns).map(|index| Ok(format!("{:?}", row.get_ref(index)?)));
        values.collect::<rusqlite::Result<Vec<_>>>().map(|values| values.join("|"))
    };
    statement.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap()
}

fn metadata(pairs: &[(&str, &str)]) -> Metadata {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn every_row_is_there() {
    let (_folder, store, go) = made_by_go();
    let updates = store.get_updates(now()).unwrap();
    assert_eq!(updates.len(), 2);
    let nginx = &updates[NGINX];
    let expected = Event {
        diun_version: "4.33.0".into(),
        hostname: "edge-1".into(),
        status: "new".into(),
        provider: "docker".into(),
        image: NGINX.into(),
        hub_link: "https://hub.docker.com/_/nginx".into(),
        mime_type: "application/json".into(),
        digest: "sha256:01".into(),
        created: Some("2026-11-20T08:15:30Z".into()),
        platform: "linux/amd64".into(),
        metadata: metadata(&[
            ("ctn_names", "web"),
            ("ctn_id", "03cc"),
            ("ctn_state", "running"),
            ("ctn_status", "Up 3 days"),
        ]),
    };
    assert_eq!(nginx.event, expected);
    assert_eq!(nginx.received_at.to_rfc3339(), "2026-11-21T10:00:00+00:00");
    assert_eq!(nginx.acknowledged_at, None);
    assert_eq!(nginx.tag, Some(Tag { id: 4, name: "web".into() }));
    assert_eq!(nginx.places.len(), 1);
    assert_eq!((&*nginx.places[0].hostname, &*nginx.places[0].workload), ("edge-1", "web"));
    let redis = &updates[REDIS];
    assert_eq!(redis.event.created, None, "Go's zero time is not a time");
    assert_eq!(redis.received_at.to_rfc3339(), "2026-11-21T10:00:00.500+00:00");
    assert_eq!(redis.acknowledged_at.unwrap().to_rfc3339(), "2026-11-22T08:00:00+00:00");
    let hosts = store.hosts(now()).unwrap();
    let edge = hosts.iter().find(|host| host.name == "edge-1").unwrap();
    assert_eq!((edge.pending, edge.last_event), (1, Some(nginx.received_at)));
    let tags = store.list_tags().unwrap();
    assert_eq!(
        tags.iter().map(|tag| (tag.id, &*tag.name)).collect::<Vec<_>>(),
        [(7, "unused"), (4, "web")]
    );
    assert_eq!(rows(&go, "SELECT * FROM schema_migrations"), ["Integer(3)|Integer(0)"]);
}

#[test]
fn opening_changes_no_value_of_theirs() {
    let theirs = Connection::open_in_memory().unwrap();
    theirs.execute_batch(DATABASE).unwrap();
    let (_folder, store, go) = made_by_go();
    store.get_updates(now()).unwrap();
    for sql in [
        "SELECT image, diun_version, hostname, status, provider, hub_link, mime_type, digest, created,
            platform, ctn_name, ctn_id, ctn_state, ctn_status, received_at, acknowledged_at FROM updates",
        "SELECT * FROM tags",
        "SELECT * FROM tag_assignments",
        "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('tags')",
        "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('updates') WHERE cid < 16",
        "SELECT sql FROM sqlite_schema WHERE name IN ('tags', 'tag_assignments', 'schema_migrations')",
    ] {
        assert_eq!(rows(&go, sql), rows(&theirs, sql), "{sql}");
    }
}

#[test]
fn names_are_normalised_once_and_the_newer_of_two_twins_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("diun.db");
    let go = Connection::open(&path).unwrap();
    go.execute_batch(DATABASE).unwrap();
    go.execute_batch(
        "INSERT INTO updates (image, digest, hostname, received_at) VALUES
            ('redis:7', 'sha256:newer', 'edge-2', '2026-11-23T00:00:00Z'),
            ('nginx:1.27', 'sha256:older', 'edge-2', '2026-11-20T00:00:00Z'),
            ('no name', 'sha256:03', '', '2026-11-20T00:00:00Z');
        INSERT INTO tag_assignments VALUES ('nginx:1.27', 7), ('redis:7', 7)",
    )
    .unwrap();
    drop(go);
    let store = SqliteStore::open(&path).unwrap();
    let updates = store.get_updates(now()).unwrap();
    let found: Vec<_> =
        updates.iter().map(|(image, update)| (&**image, &*update.event.digest)).collect();
    assert_eq!(found, [(NGINX, "sha256:01"), (REDIS, "sha256:newer"), ("no name", "sha256:03")]);
    assert_eq!(
        (updates[NGINX].tag.as_ref().unwrap().id, updates[REDIS].tag.as_ref().unwrap().id),
        (4, 7)
    );
}

#[test]
fn what_was_acknowledged_there_holds_for_its_digest() {
    let (_folder, store, _go) = made_by_go();
    let redis = |digest: &str| Event {
        image: REDIS.into(),
        hostname: "edge-1".into(),
        digest: digest.into(),
        ..Event::default()
    };
    store.upsert_event(&redis("sha256:02"), now()).unwrap();
    assert_eq!(store.get_updates(now()).unwrap()[REDIS].state, State::Acknowledged);
    store.upsert_event(&redis("sha256:03"), now()).unwrap();
    assert_eq!(store.get_updates(now()).unwrap()[REDIS].state, State::Pending);
}

#[test]
fn their_reads_see_what_ours_wrote() {
    let (folder, store, go) = made_by_go();
    let event = Event {
        image: API.into(),
        provider: "kubernetes".into(),
        metadata: metadata(&[("pod_name", "api-0"), ("ctn_name", "main")]),
        ..Event::default()
    };
    store.upsert_event(&event, now()).unwrap();
    store.acknowledge_update(&name(NGINX), now()).unwrap();
    store.delete_tag(7).unwrap();
    let tag = store.create_tag("database").unwrap();
    assert_eq!(tag.id, 8, "numbers are never used again");
    store.assign_tag(&name(NGINX), tag.id, chrono::Utc::now()).unwrap();
    let sql = format!(
        "SELECT created, ctn_name, acknowledged_at IS NULL, received_at GLOB '????-??-??T??:??:??*Z'
         FROM updates WHERE image = '{API}'"
    );
    assert_eq!(rows(&go, &sql), [r#"Text("")|Text("main")|Integer(1)|Integer(1)"#].map(text));
    let sql =
        "SELECT acknowledged_at GLOB '????-??-?? ??:??:??' FROM updates WHERE image LIKE '%nginx%'";
    assert_eq!(rows(&go, sql), ["Integer(1)"]);
    go.execute("DELETE FROM tags WHERE id = 8", []).unwrap();
    assert_eq!(store.get_update(&name(NGINX), now()).unwrap().unwrap().tag, None);
    drop(store);
    again(&folder.path().join("diun.db"));
}

/// rusqlite shows a text as its bytes.
fn text(row: &str) -> String {
    row.replace("Text(\"\")", "Text([])").replace("Text(\"main\")", "Text([109, 97, 105, 110])")
}

/// A second time there is nothing to migrate.
fn again(path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    assert_eq!(store.get_updates(now()).unwrap().len(), 3);
}
