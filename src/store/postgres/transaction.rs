//! A transaction on a server, with the working copy of the rows that it touches.

use std::cell::{Cell, RefCell};

use chrono::{DateTime, Utc};
use tokio_postgres::Row;

use super::connection::{Connection, nothing};
use super::copy::{Changed, Copy};
use super::failure::Failure;
use super::part::Part;
use super::value::Statement;

/// Rows that are written with one statement.
const ROWS: usize = 4_096;
/// Statements that are sent together.
const TOGETHER: usize = 24;

/// One writer at a time, in all processes: the rules read what they then change. The number is an arbitrary
/// constant. A writer that vanished, or waits for its own turn, gives the others theirs after a time. Rows are
/// found by their keys: a statement that was planned while the tables were empty would read all of them.
/// The cost that this puts on reading small tables whole would make the server compile statements.
const BEGIN: [&str; 2] = [
    "BEGIN",
    "SELECT set_config('lock_timeout', '2s', true), set_config('enable_seqscan', 'off', true),
        set_config('jit', 'off', true), set_config('idle_in_transaction_session_timeout', '30s', true),
        pg_advisory_xact_lock(4918284613785)",
];
const READ: [&str; 2] = [
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)",
];
/// Records the number that a writer stores now. `noted` is empty if it was recorded before.
const LEDGER: &str = "WITH noted AS (
    INSERT INTO writers (writer, seq, at) VALUES ($1, $2, extract(epoch FROM now())::bigint)
    ON CONFLICT (writer) DO UPDATE SET seq = excluded.seq, at = excluded.at
    WHERE writers.seq < excluded.seq RETURNING 1)";
/// Removes writers that have ended long ago. A spool may be drained months later.
const OLD_WRITERS: &str =
    "DELETE FROM writers WHERE at < extract(epoch FROM now() - interval '180 days')";
/// What that number was before this statement.
const BEFORE: &str = "coalesce((SELECT seq FROM writers WHERE writer = $1), 0)";
/// The server's time, in milliseconds since 1970.
const CLOCK: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
/// The number of the last change.
pub(super) const LAST_CHANGE: &str =
    "greatest((SELECT max(changed) FROM updates), (SELECT changed FROM removed))";
/// The last numbers of an action and a tag.
const LAST_IDS: &str =
    "(SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM actions_id_seq),
    (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM tags_id_seq)";

/// What makes a change known again, when its answer was lost.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    /// A random name.
    pub(super) writer: String,
    /// Grows with each change.
    pub(super) seq: i64,
}

/// A transaction. Nothing is sent before the first rows are loaded.
pub(super) struct Transaction<'a> {
    connection: &'a Connection,
    pub(super) copy: &'a Copy,
    /// What is sent with the first statement.
    begin: RefCell<Vec<Statement>>,
    ledger: Option<&'a Ledger>,
    /// The number that the ledger's writer had come to before.
    before: Cell<i64>,
    /// Whole seconds by which the server's clock is ahead of ours.
    ahead: Cell<i64>,
    is_dry: Cell<bool>,
}

impl<'a> Transaction<'a> {
    /// A transaction that reads what several statements see at one moment.
    pub(super) fn to_read(connection: &'a Connection, copy: &'a Copy) -> Result<Self, Failure> {
        Self::new(connection, copy, None, &READ)
    }

    /// A transaction that writes, once: a second one with the same ledger is [`Failure::Stored`].
    pub(super) fn to_write(
        connection: &'a Connection,
        copy: &'a Copy,
        ledger: &'a Ledger,
    ) -> Result<Self, Failure> {
        Self::new(connection, copy, Some(ledger), &BEGIN)
    }

    fn new(
        connection: &'a Connection,
        copy: &'a Copy,
        ledger: Option<&'a Ledger>,
        begin: &[&str],
    ) -> Result<Self, Failure> {
        copy.begin()?;
        connection.has_warned();
        let begin = begin.iter().map(|sql| Statement::new(*sql, Vec::new()));
        let mut begin: Vec<Statement> = begin.collect();
        if let Some(Ledger { writer, seq }) = ledger {
            // Once for each writer.
            if *seq == 1 {
                begin.push(Statement::new(OLD_WRITERS, Vec::new()));
            }
            let numbers = format!("{LAST_CHANGE}, {LAST_IDS}");
            let sql = format!(
                "{LEDGER} SELECT {numbers}, (SELECT count(*) FROM noted), {BEFORE}, {CLOCK}"
            );
            begin.push(Statement::new(sql, vec![writer.as_str().into(), (*seq).into()]));
        }
        Ok(Self {
            connection,
            copy,
            begin: RefCell::new(begin),
            ledger,
            before: Cell::new(0),
            ahead: Cell::new(0),
            is_dry: Cell::new(false),
        })
    }

    /// Loads rows into the working copy, where they are not there already.
    pub(super) fn load(&self, parts: impl IntoIterator<Item = Part>) -> Result<(), Failure> {
        let (mut statements, mut tables) = (Vec::new(), Vec::new());
        for Part { table, condition, values, has_metadata } in parts {
            let table = self.copy.table(table)?;
            let select = if has_metadata { &table.select } else { &table.select_small };
            statements.push(Statement::new(format!("{select} WHERE {condition}"), values));
            tables.push(table);
        }
        let answers = self.send(statements)?;
        self.copy.track(false);
        for (table, rows) in tables.into_iter().zip(&answers) {
            rows.iter().try_for_each(|row| self.copy.load(table, row))?;
        }
        self.copy.track(true);
        Ok(())
    }

    /// The rows of a statement about the tables of the server.
    pub(super) fn query(&self, statement: Statement) -> Result<Vec<Row>, Failure> {
        Ok(self.send(vec![statement])?.pop().unwrap_or_default())
    }

    /// Sends statements; with the first goes what begins the transaction.
    fn send(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>, Failure> {
        let mut all = self.begin.take();
        let is_first = !all.is_empty();
        let before = all.len();
        all.extend(statements);
        let mut answers = self.connection.together(&all)?;
        let rows = answers.split_off(before);
        if let ([.., numbers], true, Some(_)) = (answers.as_slice(), is_first, self.ledger) {
            let numbers = numbers.first().ok_or_else(nothing)?;
            if numbers.try_get::<_, i64>(3)? == 0 {
                return Err(Failure::Stored);
            }
            self.before.set(numbers.try_get(4)?);
            let time = DateTime::from_timestamp_millis(numbers.try_get(5)?);
            // Below a second a difference cannot be told from the time that the answer took.
            self.ahead.set(time.map_or(0, |time| (time - Utc::now()).num_seconds()));
            self.copy.seed(numbers)?;
        }
        Ok(rows)
    }

    /// Loads all rows of all tables into a copy of the whole inbox.
    pub(super) fn load_all(&self, copy: &Copy) -> Result<(), Failure> {
        let sql = format!("SELECT {LAST_CHANGE}, {LAST_IDS}");
        let numbers = self.query(Statement::new(sql, Vec::new()))?;
        copy.seed(numbers.first().ok_or_else(nothing)?)?;
        for table in &copy.tables {
            let select = Statement::new(&table.select, Vec::new());
            self.connection.each(&select, |row| copy.load(table, row))?;
        }
        Ok(())
    }

    /// The number that the ledger's writer had come to before this transaction.
    pub(super) fn stored_before(&self) -> Result<i64, Failure> {
        self.load([])?;
        Ok(self.before.get())
    }

    /// Whole seconds by which the server's clock is ahead of ours, once rows were loaded.
    pub(super) fn ahead(&self) -> i64 {
        self.ahead.get()
    }

    /// From here on the transaction is rolled back at its end.
    pub(super) fn rehearse(&self) {
        self.is_dry.set(true);
    }

    /// Writes what was changed in a working copy, and the numbers that were given.
    pub(super) fn write(&self, copy: &Copy) -> Result<(), Failure> {
        let statements = changes(copy)?;
        self.send_all(statements)
    }

    /// Writes what was changed in the working copy, and commits. Returns when it is durable.
    pub(super) fn commit(&self) -> Result<(), Failure> {
        if self.is_dry.get() {
            return self.roll_back();
        }
        let mut statements = changes(self.copy)?;
        statements.push(Statement::new("COMMIT", Vec::new()));
        self.send_all(statements)?;
        if self.connection.has_warned() {
            return Err(Failure::Lost("the change may not have been replicated".into()));
        }
        Ok(())
    }

    /// Commits after an earlier attempt was found to have stored the change. What that committed may not
    /// be replicated yet: this transaction comes after it, and is answered when both are.
    pub(super) fn confirm(&self) -> Result<(), Failure> {
        let writer = self.ledger.map(|ledger| ledger.writer.as_str());
        let sql = "UPDATE writers SET at = at + 1 WHERE writer = $1";
        self.query(Statement::new(sql, vec![writer.into()]))?;
        self.copy.begin()?;
        self.commit()
    }

    /// Takes everything back.
    pub(super) fn roll_back(&self) -> Result<(), Failure> {
        self.connection.run("ROLLBACK")
    }

    fn send_all(&self, mut statements: Vec<Statement>) -> Result<(), Failure> {
        while !statements.is_empty() {
            let rest = statements.split_off(statements.len().min(TOGETHER));
            self.connection.together(&statements)?;
            statements = rest;
        }
        Ok(())
    }
}

/// Statements that write what was changed in a working copy, and the numbers that were given.
pub(super) fn changes(copy: &Copy) -> Result<Vec<Statement>, Failure> {
    let mut statements = Vec::new();
    for Changed { table, kept, removed } in copy.changed(ROWS)? {
        for (sql, columns) in [(&table.delete, removed), (&table.upsert, kept)] {
            if columns.first().is_some_and(|column| column.len() > 0) {
                statements.push(Statement::new(sql, columns));
            }
        }
    }
    for (table, last) in copy.given()? {
        let sql = format!("SELECT setval('{table}_id_seq', $1)");
        statements.push(Statement::new(sql, vec![last.into()]));
    }
    Ok(statements)
}
