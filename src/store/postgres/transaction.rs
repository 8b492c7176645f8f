//! A transaction on a server, with the working copy of the rows that it touches.

use std::cell::{Cell, RefCell};

use chrono::{DateTime, Utc};
use tokio_postgres::Row;

use super::connection::{Connection, nothing};
use super::copy::{BYTES, Changed, Copy};
use super::failure::Failure;
use super::part::Part;
use super::value::Statement;

/// The most statements that are sent together, unless texts of [`BYTES`] are reached before.
const TOGETHER: usize = 24;

/// The advisory lock lets one process write at a time, because rules read rows and then change them. Its number
/// is an arbitrary constant. The time-outs release the lock if a client disappears, or waits for long. What an
/// administrator has set must not weaken this: rows are read as they are once the lock is held, a commit is on the
/// disk, and a commit that was not replicated gives a warning.
/// Sequential scans are switched off because a statement that was planned while the tables were empty would go
/// on reading whole tables. They make plans look so expensive that the server would compile them, so `jit` is
/// switched off as well.
const BEGIN: [&str; 2] = [
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    "SELECT set_config('lock_timeout', '2s', true), set_config('enable_seqscan', 'off', true),
        set_config('jit', 'off', true), set_config('idle_in_transaction_session_timeout', '30s', true),
        set_config('client_min_messages', 'warning', true),
        set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), true),
        pg_advisory_xact_lock(4918284613785)",
];
const READ: [&str; 2] = [
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)",
];
/// Records the sequence number of a writer's change. `noted` is empty if it was recorded before.
const LEDGER: &str = "WITH noted AS (
    INSERT INTO writers (writer, seq, at) VALUES ($1, $2, extract(epoch FROM now())::bigint)
    ON CONFLICT (writer) DO UPDATE SET seq = excluded.seq, at = excluded.at
    WHERE writers.seq < excluded.seq RETURNING 1)";
/// Removes writers that ended long ago. The age is large, as a spool may be drained months later.
const OLD_WRITERS: &str =
    "DELETE FROM writers WHERE at < extract(epoch FROM now() - interval '180 days')";
/// The writer's sequence number before this statement.
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

/// Identifies a change, so that it is recognised if it was stored and its answer was lost.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    /// The random name of the writer.
    pub(super) writer: String,
    /// Grows with each change.
    pub(super) seq: i64,
}

/// A transaction. It begins on the server with the first statement that is sent.
pub(super) struct Transaction<'a> {
    connection: &'a Connection,
    pub(super) copy: &'a Copy,
    /// The statements that begin the transaction. They are sent with the first statement.
    begin: RefCell<Vec<Statement>>,
    ledger: Option<&'a Ledger>,
    /// The sequence number that the writer had stored before this transaction.
    before: Cell<i64>,
    /// Whole seconds by which the server's clock is ahead of ours.
    ahead: Cell<i64>,
    is_dry: Cell<bool>,
}

impl<'a> Transaction<'a> {
    /// A read transaction: all of its statements see the same state.
    pub(super) fn to_read(connection: &'a Connection, copy: &'a Copy) -> Result<Self, Failure> {
        Self::new(connection, copy, None, &READ)
    }

    /// A write transaction. A second one with the same ledger fails with [`Failure::Stored`].
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
            // Old writers are removed once per writer, with its first change.
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

    /// Loads rows into the working copy. Rows that are already there stay as they are.
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

    /// Runs a statement on the server's tables, and returns its rows.
    pub(super) fn query(&self, statement: Statement) -> Result<Vec<Row>, Failure> {
        Ok(self.send(vec![statement])?.pop().unwrap_or_default())
    }

    /// Sends statements. The first call also begins the transaction.
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
            // A difference below a second may be the time that the answer took.
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

    /// The sequence number that the writer had stored before this transaction.
    pub(super) fn stored_before(&self) -> Result<i64, Failure> {
        self.load([])?;
        Ok(self.before.get())
    }

    /// Whole seconds by which the server's clock is ahead of ours. Known after the first rows were loaded.
    pub(super) fn ahead(&self) -> i64 {
        self.ahead.get()
    }

    /// Makes the transaction roll back at its end.
    pub(super) fn rehearse(&self) {
        self.is_dry.set(true);
    }

    /// Writes the changed rows of a working copy and the numbers that were given. `last` goes with the last
    /// statements.
    pub(super) fn write(&self, copy: &Copy, last: Option<Statement>) -> Result<(), Failure> {
        let (mut statements, mut size) = (Vec::new(), 0);
        changes(copy, |statement, bytes| {
            statements.push(statement);
            size += bytes;
            if statements.len() >= TOGETHER || size >= BYTES {
                self.connection.together(&statements)?;
                (statements, size) = (Vec::new(), 0);
            }
            Ok(())
        })?;
        statements.extend(last);
        self.connection.together(&statements).map(drop)
    }

    /// Writes the changed rows of the working copy, and commits. The change is durable when this returns.
    pub(super) fn commit(&self) -> Result<(), Failure> {
        if self.is_dry.get() {
            return self.roll_back();
        }
        self.write(self.copy, Some(Statement::new("COMMIT", Vec::new())))?;
        if self.connection.has_warned() {
            return Err(Failure::Lost("the change may not have been replicated".into()));
        }
        Ok(())
    }

    /// Commits after an earlier attempt was found to have stored the change. The earlier commit may not be
    /// replicated yet. This commit comes after it, and is answered when both are.
    pub(super) fn confirm(&self) -> Result<(), Failure> {
        let writer = self.ledger.map(|ledger| ledger.writer.as_str());
        let sql = "UPDATE writers SET at = at + 1 WHERE writer = $1";
        self.query(Statement::new(sql, vec![writer.into()]))?;
        self.copy.begin()?;
        self.commit()
    }

    /// Rolls the transaction back.
    pub(super) fn roll_back(&self) -> Result<(), Failure> {
        self.connection.run("ROLLBACK")
    }
}

/// Passes on the statements that write the changed rows of a working copy and the numbers that were given, each with
/// the size of its texts.
pub(super) fn changes(
    copy: &Copy,
    mut take: impl FnMut(Statement, usize) -> Result<(), Failure>,
) -> Result<(), Failure> {
    copy.changed(|Changed { table, kept, removed, bytes }| {
        for (sql, columns) in [(&table.delete, removed), (&table.upsert, kept)] {
            if columns.first().is_some_and(|column| column.len() > 0) {
                take(Statement::new(sql, columns), bytes)?;
            }
        }
        Ok(())
    })?;
    for (table, last) in copy.given()? {
        let sql = format!("SELECT setval('{table}_id_seq', $1)");
        take(Statement::new(sql, vec![last.into()]), 0)?;
    }
    Ok(())
}
