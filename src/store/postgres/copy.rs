//! The working copy: an SQLite database in memory with the rows that an operation touches.
//!
//! The rules of the inbox exist once, for SQLite. Here they run on a copy of the rows. Triggers record which
//! rows change, and these are written back with one statement per table.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tokio_postgres::Row;

use super::failure::Failure;
use super::tables::{self, Table};
use super::value::Value;
use crate::store::migrations::migrations;
use crate::store::rules::patterns;
use crate::store::rules::row::text;
use crate::store::{ErrorKind, StoreError, sqlite};

/// Statements that are kept prepared.
const STATEMENTS: usize = 64;
/// The most rows that one statement writes.
const ROWS: usize = 2_048;
/// The size of texts from which on a statement takes no more rows.
pub(super) const BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Copy {
    pub(super) sqlite: Connection,
    pub(super) tables: Vec<Table>,
    is_tracking: Arc<AtomicBool>,
    /// The last numbers of an action and a tag when the operation began.
    seeded: Cell<[i64; 2]>,
}

/// The rows of a table that were changed, column by column, and the keys of those that were removed.
pub(super) struct Changed<'a> {
    pub(super) table: &'a Table,
    pub(super) kept: Vec<Value>,
    pub(super) removed: Vec<Value>,
    /// The size of its texts.
    pub(super) bytes: usize,
}

impl Copy {
    /// An empty working copy.
    pub(super) fn new() -> Result<Self, Failure> {
        Self::of(in_memory()?)
    }

    /// A working copy in a file, for a whole inbox.
    pub(super) fn at(path: &Path) -> Result<Self, Failure> {
        Self::of(Connection::open(sqlite::plain(path))?)
    }

    /// The working copy of a whole inbox of DiunDashboard, converted to the current schema. All of its rows
    /// count as changed. `read` runs a statement that reads a table, and loads each row.
    pub(super) fn before_model(
        read: impl Fn(&Table, &str, &dyn Fn(&Table, &Row) -> Result<(), Failure>) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        let mut sqlite = in_memory()?;
        migrations().to_version(&mut sqlite, 1).map_err(|error| broken(&error))?;
        for table in tables::baseline(&sqlite)? {
            read(&table, &table.select, &|table, row| load(&sqlite, table, row))?;
        }
        let copy = Self::of(sqlite)?;
        for table in &copy.tables {
            copy.sqlite.execute_batch(&table.mark_all())?;
        }
        Ok(copy)
    }

    fn of(mut sqlite: Connection) -> Result<Self, Failure> {
        // The migration converts the rows, which needs this function.
        migrations().to_latest(&mut sqlite).map_err(|error| broken(&error))?;
        // Only parts of the tables are loaded, so the rows that foreign keys refer to may be missing.
        sqlite.execute_batch(
            "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY",
        )?;
        sqlite.set_prepared_statement_cache_capacity(STATEMENTS);
        patterns::register(&sqlite)?;
        let is_tracking = Arc::new(AtomicBool::new(false));
        let tracking = Arc::clone(&is_tracking);
        sqlite.create_scalar_function(
            c"is_tracking",
            0,
            FunctionFlags::SQLITE_UTF8,
            move |_| Ok(tracking.load(Ordering::Relaxed)),
        )?;
        let tables = tables::all(&sqlite)?;
        for table in &tables {
            sqlite.execute_batch(&table.triggers())?;
        }
        Ok(Self { sqlite, tables, is_tracking, seeded: Cell::default() })
    }

    /// Begins an operation. Rows that are loaded and changed from now on are dropped at its end.
    pub(super) fn begin(&self) -> Result<(), Failure> {
        if !self.sqlite.is_autocommit() {
            self.sqlite.execute_batch("ROLLBACK")?;
        }
        self.track(false);
        Ok(self.sqlite.execute_batch("BEGIN")?)
    }

    /// Random letters and digits.
    pub(super) fn random(&self) -> Result<String, Failure> {
        let sql = "SELECT lower(hex(randomblob(16)))";
        Ok(self.sqlite.query_row(sql, [], |row| row.get(0))?)
    }

    pub(super) fn table(&self, name: &str) -> Result<&Table, Failure> {
        let found = self.tables.iter().find(|table| table.name == name);
        found.ok_or_else(|| {
            StoreError::new(ErrorKind::Other, format!("the table {name} is not known")).into()
        })
    }

    /// Adds a row as PostgreSQL has it. A row that is already there may have been changed, and stays.
    pub(super) fn load(&self, table: &Table, row: &Row) -> Result<(), Failure> {
        load(&self.sqlite, table, row)
    }

    /// Sets the last numbers of a change, an action and a tag. New numbers come after them.
    pub(super) fn seed(&self, numbers: &Row) -> Result<(), Failure> {
        let [change, action, tag] = [0, 1, 2].map(|column| numbers.try_get::<_, i64>(column));
        self.sqlite.prepare_cached("UPDATE removed SET changed = ?1")?.execute([change?])?;
        self.sqlite.prepare_cached("DELETE FROM sqlite_sequence")?.execute([])?;
        let sql = "INSERT INTO sqlite_sequence VALUES ('actions', ?1), ('tags', ?2)";
        let (action, tag) = (action?, tag?);
        self.sqlite.prepare_cached(sql)?.execute([action, tag])?;
        self.seeded.set([action, tag]);
        Ok(())
    }

    /// The tables in which new numbers were given, with the last of them.
    pub(super) fn given(&self) -> Result<Vec<(&'static str, i64)>, Failure> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
        let mut select = self.sqlite.prepare_cached(sql)?;
        let mut given = Vec::new();
        for (table, before) in ["actions", "tags"].into_iter().zip(self.seeded.get()) {
            let last: Option<i64> = select.query_row([table], |row| row.get(0)).optional()?;
            given.extend(last.filter(|last| *last > before).map(|last| (table, last)));
        }
        Ok(given)
    }

    /// Sets whether changes are recorded from now on.
    pub(super) fn track(&self, is_tracking: bool) {
        self.is_tracking.store(is_tracking, Ordering::Relaxed);
    }

    /// Passes the changed rows on, ordered by key, in parts of at most [`ROWS`] and about [`BYTES`].
    pub(super) fn changed(
        &self,
        mut take: impl FnMut(Changed<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        for table in &self.tables {
            let mut select = self.sqlite.prepare_cached(&table.changed)?;
            let mut rows = select.query([])?;
            let mut part = Changed::of(table);
            while let Some(row) = rows.next()? {
                part.add(row)?;
                if part.len() >= ROWS || part.bytes >= BYTES {
                    take(std::mem::replace(&mut part, Changed::of(table)))?;
                }
            }
            if part.len() > 0 {
                take(part)?;
            }
        }
        Ok(())
    }
}

/// A database that one thread at a time uses.
fn in_memory() -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_in_memory_with_flags(flags)
}

fn load(sqlite: &Connection, table: &Table, row: &Row) -> Result<(), Failure> {
    let mut insert = sqlite.prepare_cached(&table.load)?;
    for (index, column) in table.columns.iter().enumerate() {
        if column.is_number {
            insert.raw_bind_parameter(index + 1, row.try_get::<_, Option<i64>>(index)?)?;
        } else {
            insert.raw_bind_parameter(index + 1, row.try_get::<_, Option<&str>>(index)?)?;
        }
    }
    Ok(insert.raw_execute().map(drop)?)
}

fn broken(error: &rusqlite_migration::Error) -> Failure {
    let message = format!("cannot create a working copy: {error}");
    StoreError::new(ErrorKind::Other, message).into()
}

impl<'a> Changed<'a> {
    fn of(table: &'a Table) -> Self {
        let kept = table.columns.iter().map(|column| Value::column(column.is_number)).collect();
        let removed = table.keys().map(|column| Value::column(column.is_number)).collect();
        Self { table, kept, removed, bytes: 0 }
    }

    fn add(&mut self, row: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
        let keys = self.removed.len();
        let mut columns = (keys..).zip(&self.table.columns);
        let first_key = columns.find(|(_, column)| column.is_key).map_or(keys, |(index, _)| index);
        let (arrays, offset) = match row.get_ref(first_key)? {
            ValueRef::Null => (&mut self.removed, 0),
            _ => (&mut self.kept, keys),
        };
        for (index, column) in (offset..).zip(arrays) {
            self.bytes += push(column, row, index)?;
        }
        Ok(())
    }

    fn len(&self) -> usize {
        self.kept.first().map_or(0, Value::len) + self.removed.first().map_or(0, Value::len)
    }
}

/// Adds a value to a column. Returns the size of a text.
fn push(column: &mut Value, row: &rusqlite::Row<'_>, index: usize) -> rusqlite::Result<usize> {
    match column {
        Value::Numbers(values) => values.push(row.get(index)?),
        Value::Texts(values) => {
            // PostgreSQL does not store NUL in texts.
            let text = match row.get_ref(index)? {
                ValueRef::Null => None,
                _ => Some(without_nul(text(row, index)?)),
            };
            let bytes = text.as_ref().map_or(0, String::len);
            values.push(text);
            return Ok(bytes);
        }
        Value::Number(_) | Value::Text(_) => {}
    }
    Ok(0)
}

fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text }
}
