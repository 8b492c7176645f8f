//! Forgetting what is old, copying the database, and leaving it tidy.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ffi, params};

use super::database::plain;
use super::reports::key;
use super::row::text;
use crate::store::{Prune, Pruned};

pub(super) fn prune(connection: &mut Connection, what: Prune) -> rusqlite::Result<Pruned> {
    let transaction = connection.transaction()?;
    let mut pruned = Pruned::default();
    if let Some(before) = what.acknowledged_before {
        forget_updates(&transaction, before, &mut pruned)?;
    }
    if let Some(before) = what.reports_before {
        let sql = "DELETE FROM older_reports WHERE last_seen < ?1 AND NOT EXISTS (
            SELECT 1 FROM updates u WHERE u.image = older_reports.image
                AND u.digest = older_reports.digest AND u.acknowledged_at IS NULL)";
        pruned.reports += transaction.execute(sql, [before.timestamp_millis()])? as u64;
        // Reports of their current digests may be gone.
        let sql = "UPDATE updates SET places = 0 WHERE places > 1 AND acknowledged_at IS NOT NULL";
        transaction.execute(sql, [])?;
    }
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

fn forget_updates(
    connection: &Connection,
    before: DateTime<Utc>,
    pruned: &mut Pruned,
) -> rusqlite::Result<()> {
    // unixepoch() reads every form of time that there is in this column.
    let sql = "DELETE FROM updates WHERE unixepoch(acknowledged_at) < ?1 RETURNING image";
    let images: Vec<String> = connection
        .prepare(sql)?
        .query_map([before.timestamp()], |row| text(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    let sql = "DELETE FROM older_reports WHERE image_key = ?1 AND image = ?2";
    let mut forget_older = connection.prepare(sql)?;
    for image in &images {
        pruned.updates += 1;
        pruned.reports += 1 + forget_older.execute(params![key(image), image])? as u64;
    }
    Ok(())
}

/// One step over all pages copies one moment's state, and no writer makes it start again.
pub(super) fn backup(connection: &Connection, to: &Path) -> rusqlite::Result<()> {
    let mut copy = Connection::open(plain(to))?;
    let backup = Backup::new(connection, &mut copy)?;
    let done = backup.step(-1)? == StepResult::Done;
    drop(backup);
    if !done {
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None));
    }
    // A copy that is one file, whatever opens it next.
    copy.pragma_update(None, "journal_mode", "DELETE")
}

pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn size(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    connection.query_row(sql, [], |row| row.get(0))
}
