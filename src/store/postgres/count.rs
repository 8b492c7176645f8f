//! Counts, and other single numbers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::connection::{Connection, nothing};
use super::failure::Failure;
use super::transaction::LAST_CHANGE;
use super::value::{Statement, Value, ported};
use crate::inbox::update::{Counts, State};
use crate::store::rules::selection::condition;

/// How many updates there are in each state.
pub(super) fn states(connection: &Connection, now: DateTime<Utc>) -> Result<Counts, Failure> {
    let of = |state| format!("count(*) FILTER (WHERE {})", ported(condition(state)));
    let pending = ported(condition(State::Pending));
    let sql = format!(
        "SELECT {}, {}, {}, {}, (SELECT count(*) FROM updates),
            min(since) FILTER (WHERE {pending}), max(since) FILTER (WHERE {pending}),
            {LAST_CHANGE}
        FROM updates WHERE acknowledged_at IS NULL AND ignored = 0 OR ignored <> 0",
        of(State::Pending),
        of(State::Snoozed),
        of(State::Superseded),
        of(State::Ignored),
    );
    let row =
        connection.query(&Statement::new(sql, vec![millis(now)]))?.pop().ok_or_else(nothing)?;
    let number = |column: usize| -> Result<u64, Failure> {
        Ok(row.try_get::<_, i64>(column)?.try_into().unwrap_or_default())
    };
    let time = |column: usize| -> Result<_, Failure> {
        Ok(row.try_get::<_, Option<i64>>(column)?.and_then(DateTime::from_timestamp_millis))
    };
    let mut counts = Counts {
        pending: number(0)?,
        snoozed: number(1)?,
        superseded: number(2)?,
        ignored: number(3)?,
        oldest_pending: time(5)?,
        newest_pending: time(6)?,
        acknowledged: number(4)?,
        as_of: row.try_get(7)?,
    };
    let others = counts.pending + counts.snoozed + counts.superseded + counts.ignored;
    counts.acknowledged = counts.acknowledged.saturating_sub(others);
    Ok(counts)
}

/// The number of the last change.
pub(super) fn last_change(connection: &Connection) -> Result<i64, Failure> {
    let sql = format!("SELECT {LAST_CHANGE}");
    Ok(number(connection, &sql, Vec::new())?.unwrap_or_default())
}

/// When the next snooze ends.
pub(super) fn next_snooze_end(
    connection: &Connection,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Failure> {
    let snoozed = ported(condition(State::Snoozed));
    let sql = format!("SELECT min(snoozed_until) FROM updates WHERE {snoozed}");
    let end = number(connection, &sql, vec![millis(now)])?;
    Ok(end.and_then(DateTime::from_timestamp_millis))
}

/// How many images have each tag.
pub(super) fn tagged(connection: &Connection) -> Result<BTreeMap<i64, u64>, Failure> {
    let sql = "SELECT tag_id::bigint, count(*) FROM tag_assignments GROUP BY tag_id";
    let mut counts = BTreeMap::new();
    for row in connection.query(&Statement::new(sql, Vec::new()))? {
        let count: i64 = row.try_get(1)?;
        counts.insert(row.try_get(0)?, count.try_into().unwrap_or_default());
    }
    Ok(counts)
}

/// Whether the tables can be read.
pub(super) fn check(connection: &Connection) -> Result<(), Failure> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM updates LIMIT 1) t";
    number(connection, sql, Vec::new()).map(drop)
}

/// Runs a statement that returns one number.
fn number(connection: &Connection, sql: &str, values: Vec<Value>) -> Result<Option<i64>, Failure> {
    let row = connection.query(&Statement::new(sql, values))?.pop().ok_or_else(nothing)?;
    Ok(row.try_get(0)?)
}

fn millis(time: DateTime<Utc>) -> Value {
    time.timestamp_millis().into()
}
