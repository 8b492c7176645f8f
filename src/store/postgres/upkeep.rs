//! Prune, backup and import.

use std::path::Path;

use super::copy::Copy;
use super::failure::Failure;
use super::transaction::Transaction;
use super::value::{Statement, Value};
use crate::store::rules::row::parse_time;
use crate::store::rules::{import, labels};
use crate::store::{Imported, Prune, Pruned};

/// Removes old rows. The server frees their space by itself.
pub(super) fn prune(transaction: &Transaction<'_>, what: Prune) -> Result<Pruned, Failure> {
    let before = what.before.timestamp_millis();
    let sql = "SELECT image, acknowledged_at FROM updates
        WHERE acknowledged_at IS NOT NULL AND ignored = 0";
    let mut old = Vec::new();
    for row in transaction.query(Statement::new(sql, Vec::new()))? {
        if parse_time(row.try_get(1)?).timestamp_millis() < before {
            old.push(row.try_get::<_, String>(0)?);
        }
    }
    let count = |sql: &str, value: Value| -> Result<u64, Failure> {
        let sql = format!("WITH removed AS ({sql} RETURNING 1) SELECT count(*) FROM removed");
        let rows = transaction.query(Statement::new(sql, vec![value]))?;
        let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
        Ok(count.try_into().unwrap_or_default())
    };
    let sql = "UPDATE removed SET changed = greatest(changed, (SELECT max(changed) FROM updates))";
    transaction.query(Statement::new(sql, Vec::new()))?;
    for table in ["places", "digests", "updates"] {
        let images = old.iter().map(String::as_str).collect();
        count(&format!("DELETE FROM {table} WHERE image = ANY($1)"), images)?;
    }
    let digests = count("DELETE FROM digests WHERE last_seen < $1", before.into())?;
    transaction.query(Statement::new(labels::PRUNE, Vec::new()))?;
    let actions = count("DELETE FROM actions WHERE at < $1", before.into())?;
    if what.dry_run {
        transaction.rehearse();
    }
    Ok(Pruned { updates: old.len() as u64, digests, actions, bytes: 0 })
}

/// Writes everything into an SQLite file.
pub(super) fn backup(transaction: &Transaction<'_>, to: &Path) -> Result<(), Failure> {
    let copy = Copy::at(to)?;
    // A copy that fails is removed, so it needs no journal, which would be left behind.
    copy.sqlite.pragma_update(None, "journal_mode", "OFF")?;
    copy.begin()?;
    transaction.load_all(&copy)?;
    copy.sqlite.execute_batch("COMMIT")?;
    copy.sqlite.pragma_update(None, "journal_mode", "DELETE")?;
    Ok(())
}

/// Imports an SQLite inbox that has the current schema.
pub(super) fn import(transaction: &Transaction<'_>, from: &Path) -> Result<Imported, Failure> {
    let mut copy = Copy::new()?;
    copy.begin()?;
    transaction.load_all(&copy)?;
    copy.sqlite.execute_batch("COMMIT")?;
    copy.track(true);
    let imported = import::merge(&mut copy.sqlite, from)?;
    transaction.write(&copy, None)?;
    Ok(imported)
}
