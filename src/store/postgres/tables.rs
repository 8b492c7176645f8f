//! The tables that both engines have, and the statements that copy rows between them.
//!
//! The columns come from the schema of SQLite; a test compares those of PostgreSQL.

use rusqlite::Connection;

use crate::store::rules::row::text;

/// The tables that the rules use. A table's foreign keys refer to earlier ones only.
const NAMES: [&str; 11] = [
    "updates",
    "places",
    "digests",
    "labels",
    "hosts",
    "refusals",
    "actions",
    "action_images",
    "ignores",
    "tags",
    "tag_assignments",
];

/// The column that may be large: up to 1 MiB.
const LARGE: &str = "metadata";
/// Stands for metadata that was not read. It is not JSON, so it cannot be a real value.
const UNREAD: &str = "?";

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: Vec<Column>,
    /// Selects all columns from the table as `t`. A condition is appended.
    pub(super) select: String,
    /// The same, with [`UNREAD`] in place of the metadata.
    pub(super) select_small: String,
    /// Inserts or replaces rows that are given as one array per column. Metadata that was not read is kept.
    pub(super) upsert: String,
    /// Deletes rows whose keys are given as one array per column.
    pub(super) delete: String,
    /// Inserts a row into the working copy, unless it is there.
    pub(super) load: String,
    /// Selects the changed rows of the working copy: the key, then all columns, which are NULL if the row was
    /// deleted.
    pub(super) changed: String,
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) is_number: bool,
    pub(super) is_key: bool,
}

impl Column {
    fn kind(&self) -> &'static str {
        if self.is_number { "bigint" } else { "text" }
    }
}

/// All tables, with the columns that they have in an SQLite database.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    NAMES.into_iter().map(|name| Table::read(connection, name)).collect()
}

/// The tables of the baseline, in the same order.
pub(super) fn baseline(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let names = ["updates", "tags", "tag_assignments"];
    names.into_iter().map(|name| Table::read(connection, name)).collect()
}

impl Table {
    fn read(connection: &Connection, name: &'static str) -> rusqlite::Result<Self> {
        let sql = "SELECT name, type = 'INTEGER', pk > 0 FROM pragma_table_info(?1)";
        let row = |row: &rusqlite::Row<'_>| {
            Ok(Column { name: text(row, 0)?, is_number: row.get(1)?, is_key: row.get(2)? })
        };
        let columns: Vec<Column> =
            connection.prepare(sql)?.query_map([name], row)?.collect::<rusqlite::Result<_>>()?;
        let list = |template: &dyn Fn(&Column) -> String, columns: &[&Column], between| {
            columns.iter().map(|column| template(column)).collect::<Vec<_>>().join(between)
        };
        let every: Vec<&Column> = columns.iter().collect();
        let (keys, rest): (Vec<&Column>, Vec<&Column>) =
            every.iter().copied().partition(|column| column.is_key);
        let names = list(&|column| quoted(&column.name), &every, ", ");
        let key = list(&|column| quoted(&column.name), &keys, ", ");
        let arrays = |columns: &[&Column]| {
            let typed =
                (1..).zip(columns).map(|(index, column)| format!("${index}::{}[]", column.kind()));
            typed.collect::<Vec<_>>().join(", ")
        };
        let casts =
            list(&|column| format!("t.{}::{}", quoted(&column.name), column.kind()), &every, ", ");
        let small = |column: &Column| match column.name.as_str() {
            LARGE => format!("'{UNREAD}'::text"),
            name => format!("t.{}::{}", quoted(name), column.kind()),
        };
        let small = list(&small, &every, ", ");
        let set = |column: &Column| match column.name.as_str() {
            LARGE => format!(
                "{LARGE} = CASE excluded.{LARGE} WHEN '{UNREAD}' THEN {name}.{LARGE} ELSE excluded.{LARGE} END"
            ),
            other => format!("{0} = excluded.{0}", quoted(other)),
        };
        let sets = list(&set, &rest, ", ");
        let same = list(&|column| format!("t.{0} = k.{0}", quoted(&column.name)), &keys, " AND ");
        let of_copy = |table: &str, columns: &[&Column]| {
            list(&|column| format!("{table}.{}", quoted(&column.name)), columns, ", ")
        };
        let marks: Vec<String> = (1..=columns.len()).map(|index| format!("?{index}")).collect();
        let (of_keys, of_rows) = (of_copy("k", &keys), of_copy("t", &every));
        Ok(Self {
            name,
            select: format!("SELECT {casts} FROM {name} t"),
            select_small: format!("SELECT {small} FROM {name} t"),
            upsert: format!(
                "INSERT INTO {name} ({names}) SELECT * FROM unnest({}) ON CONFLICT ({key}) DO {}",
                arrays(&every),
                if rest.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {sets}") }
            ),
            delete: format!(
                "DELETE FROM {name} t USING unnest({}) AS k({key}) WHERE {same}",
                arrays(&keys)
            ),
            load: format!("INSERT OR IGNORE INTO {name} ({names}) VALUES ({})", marks.join(", ")),
            changed: format!(
                "SELECT {of_keys}, {of_rows} FROM temp.changed_{name} k LEFT JOIN {name} t ON {same} ORDER BY {of_keys}"
            ),
            columns,
        })
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.is_key)
    }

    /// Records all rows of the working copy as changed.
    pub(super) fn mark_all(&self) -> String {
        let name = self.name;
        let keys: Vec<String> = self.keys().map(|column| quoted(&column.name)).collect();
        let keys = keys.join(", ");
        format!("INSERT INTO temp.changed_{name} SELECT {keys} FROM main.{name}")
    }

    /// The triggers that record the keys of changed rows while `is_tracking()` returns true.
    pub(super) fn triggers(&self) -> String {
        let name = self.name;
        let keys: Vec<String> = self.keys().map(|column| quoted(&column.name)).collect();
        let of = |row: &str| {
            keys.iter().map(|key| format!("{row}.{key}")).collect::<Vec<_>>().join(", ")
        };
        let key = keys.join(", ");
        let (old, new) = (of("OLD"), of("NEW"));
        let trigger = |event: &str, values: &str| {
            format!(
                "CREATE TEMP TRIGGER {event}_{name} AFTER {event} ON main.{name} WHEN is_tracking() BEGIN
                    INSERT INTO changed_{name} VALUES ({values}) ON CONFLICT DO NOTHING;
                END;"
            )
        };
        format!(
            "CREATE TEMP TABLE changed_{name} ({key}, PRIMARY KEY ({key})) WITHOUT ROWID; {} {} {}",
            trigger("INSERT", &new),
            trigger("UPDATE", &new),
            trigger("DELETE", &old)
        )
    }
}

/// A quoted name: some are keywords, such as `user`.
fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}
