//! The tables on a server.

use std::thread;

use crate::common::Inbox;
use crate::common::postgres::Database;

/// The columns of a table of SQLite's, with the kinds that PostgreSQL calls them.
fn columns(connection: &rusqlite::Connection, table: &str) -> Vec<String> {
    let sql = "SELECT name || ' ' || CASE type WHEN 'INTEGER' THEN 'bigint' ELSE 'text' END
        FROM pragma_table_info(?1) ORDER BY name";
    let mut select = connection.prepare(sql).unwrap();
    select.query_map([table], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn both_engines_have_the_same_columns() {
    let Some(database) = Database::new() else { return };
    let inbox = Inbox::new();
    inbox.diunbox(["ingest"]).write_stdin("").assert().success();
    inbox.diunbox(["ingest"]).write_stdin(r#"{"image": "a"}"#).assert().success();
    drop(diunbox::store::open(&database.location(), diunbox::store::PATIENCE).unwrap());
    let sqlite = rusqlite::Connection::open(inbox.database()).unwrap();
    for table in
        ["updates", "places", "digests", "labels", "hosts", "actions", "action_images", "ignores"]
    {
        let sql = format!(
            "SELECT column_name || ' ' || data_type FROM information_schema.columns
            WHERE table_name = '{table}' ORDER BY column_name COLLATE \"C\""
        );
        let theirs = database.sql(&sql);
        assert_eq!(columns(&sqlite, table), theirs.lines().collect::<Vec<_>>(), "{table}");
    }
}

#[test]
fn servers_that_start_together_create_the_tables_once() {
    let Some(database) = Database::new() else { return };
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                diunbox::store::open(&database.location(), diunbox::store::PATIENCE)
                    .unwrap()
                    .check()
                    .unwrap();
            });
        }
    });
    assert_eq!(database.sql("SELECT version FROM diunbox_schema"), "2\n");
}

#[test]
fn each_step_goes_down_to_what_was_before_it() {
    let Some(database) = Database::new() else { return };
    let step = |name: &str, way: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
        let sql = std::fs::read_to_string(format!("{folder}/{name}/{way}.sql")).unwrap();
        database.sql(&sql);
    };
    let tables = || {
        let sql = "SELECT table_name, column_name, data_type FROM information_schema.columns
            WHERE table_schema = 'public' ORDER BY 1, 2";
        let indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1";
        database.sql(sql) + &database.sql(indexes)
    };
    step("01-baseline", "up");
    let baseline = tables();
    step("02-model", "up");
    assert_ne!(tables(), baseline);
    step("02-model", "down");
    assert_eq!(tables(), baseline);
    step("01-baseline", "down");
    assert_eq!(tables(), "");
}

/// As that program makes them in PostgreSQL.
const DIUNDASHBOARD: &str = "
    CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL);
    INSERT INTO schema_migrations VALUES (3, false);
    CREATE TABLE updates (
        image TEXT PRIMARY KEY, diun_version TEXT NOT NULL DEFAULT '', hostname TEXT NOT NULL DEFAULT '',
        status TEXT NOT NULL DEFAULT '', provider TEXT NOT NULL DEFAULT '', hub_link TEXT NOT NULL DEFAULT '',
        mime_type TEXT NOT NULL DEFAULT '', digest TEXT NOT NULL DEFAULT '', created TEXT NOT NULL DEFAULT '',
        platform TEXT NOT NULL DEFAULT '', ctn_name TEXT NOT NULL DEFAULT '', ctn_id TEXT NOT NULL DEFAULT '',
        ctn_state TEXT NOT NULL DEFAULT '', ctn_status TEXT NOT NULL DEFAULT '',
        received_at TEXT NOT NULL, acknowledged_at TEXT);
    CREATE TABLE tags (id SERIAL PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE tag_assignments (
        image TEXT PRIMARY KEY, tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE);
    INSERT INTO updates (image, hostname, provider, digest, ctn_name, received_at, acknowledged_at) VALUES
        ('docker.io/library/nginx:1.27', 'nas', 'docker', 'sha256:a', 'web', '2026-11-01T08:00:00Z', NULL),
        ('nginx:1.27', 'nas', 'docker', 'sha256:0', 'web', '2026-10-01T08:00:00Z', NULL),
        ('redis:7', 'nas', 'docker', 'sha256:b', 'cache', '2026-11-02T08:00:00Z', '2026-11-03T08:00:00Z');
    INSERT INTO tags (name) VALUES ('web');
    INSERT INTO tag_assignments VALUES ('redis:7', 1);";

#[test]
fn tables_of_diundashboard_are_taken_over_and_left_usable() {
    let Some(database) = Database::new() else { return };
    database.sql(DIUNDASHBOARD);
    let inbox = Inbox::new();
    let list = |arguments: &[&str]| {
        let mut command = inbox.diunbox(arguments.iter().copied());
        let output = command.env("DIUNBOX_DB", database.url()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(list(&["list", "-q"]), "docker.io/library/nginx:1.27\n");
    assert_eq!(
        list(&["list", "-q", "--acknowledged", "--tag", "web"]),
        "docker.io/library/redis:7\n"
    );
    let shown = list(&["show", "nginx:1.27"]);
    assert!(
        shown.contains("nas") && shown.contains("web") && shown.contains("sha256:a"),
        "{shown}"
    );
    // Its numbers go on where ours end.
    list(&["tag", "create", "db"]);
    database.sql("INSERT INTO tags (name) VALUES ('theirs')");
    assert_eq!(database.sql("SELECT id, name FROM tags ORDER BY id"), "1|web\n2|db\n3|theirs\n");
    database.sql("INSERT INTO updates (image, received_at) VALUES ('a', '2026-11-01T08:00:00Z')");
}
