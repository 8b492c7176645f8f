//! Prune, backup and WAL checkpoint.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, Result, ffi};

use super::database::plain;
use crate::store::rules::labels;
use crate::store::rules::query::last_change;
use crate::store::rules::row::{parse_time, text};
use crate::store::{Prune, Pruned};

pub(super) fn prune(connection: &mut Connection, what: Prune) -> Result<Pruned> {
    let transaction = connection.transaction()?;
    let before = what.before.timestamp_millis();
    let old: Vec<String> = transaction
        .prepare("SELECT image, acknowledged_at FROM updates WHERE acknowledged_at IS NOT NULL AND ignored = 0")?
        .query_map([], |row| Ok((text(row, 0)?, parse_time(&text(row, 1)?).timestamp_millis())))?
        .filter_map(|row| row.map(|(image, at)| (at < before).then_some(image)).transpose())
        .collect::<Result<_>>()?;
    let last = last_change(&transaction)?;
    transaction.execute("UPDATE removed SET changed = ?1", [last])?;
    for image in &old {
        for table in ["places", "digests", "updates"] {
            let sql = format!("DELETE FROM {table} WHERE image = ?1");
            transaction.prepare_cached(&sql)?.execute([image])?;
        }
    }
    let digests = transaction.execute("DELETE FROM digests WHERE last_seen < ?1", [before])?;
    transaction.execute(labels::PRUNE, [])?;
    let actions = transaction.execute("DELETE FROM actions WHERE at < ?1", [before])?;
    let mut pruned = Pruned {
        updates: old.len() as u64,
        digests: digests as u64,
        actions: actions as u64,
        bytes: 0,
    };
    if what.dry_run || pruned == Pruned::default() {
        transaction.rollback()?;
        return Ok(pruned);
    }
    transaction.commit()?;
    let before = size(connection)?;
    connection.execute_batch("VACUUM")?;
    checkpoint(connection)?;
    pruned.bytes = before.saturating_sub(size(connection)?);
    Ok(pruned)
}

/// One step over all pages copies one moment's state, and no writer makes it start again.
pub(super) fn backup(connection: &Connection, to: &Path) -> Result<()> {
    let mut copy = Connection::open(plain(to))?;
    // A copy that fails is removed, so it needs no journal, which would be left behind.
    copy.pragma_update(None, "journal_mode", "OFF")?;
    let backup = Backup::new(connection, &mut copy)?;
    let done = backup.step(-1)? == StepResult::Done;
    drop(backup);
    if !done {
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None));
    }
    // A copy that is one file, whatever opens it next.
    copy.pragma_update(None, "journal_mode", "DELETE")
}

/// Copies a database that stays as it is.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(plain(from), flags)?;
    backup(&source, to)
}

pub(super) fn checkpoint(connection: &Connection) -> Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn size(connection: &Connection) -> Result<u64> {
    let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    connection.query_row(sql, [], |row| row.get(0))
}
