//! Forgetting what is old, copying the database, and leaving it tidy.

use std::path::Path;

use rusqlite::backup::Backup;
use rusqlite::{Connection, params};

use super::events::milliseconds;
use crate::store::{Prune, Pruned};

pub(super) fn prune(connection: &mut Connection, what: Prune) -> rusqlite::Result<Pruned> {
    let transaction = connection.transaction()?;
    let mut pruned = Pruned::default();
    if let Some(before) = what.acknowledged_before {
        // unixepoch() reads every form of time that there is in this column.
        let old = "SELECT image FROM updates WHERE unixepoch(acknowledged_at) < ?1";
        let sql = format!("DELETE FROM reports WHERE image IN ({old})");
        pruned.reports += transaction.execute(&sql, [before.timestamp()])? as u64;
        let sql = format!("DELETE FROM updates WHERE image IN ({old})");
        pruned.updates += transaction.execute(&sql, [before.timestamp()])? as u64;
    }
    if let Some(before) = what.reports_before {
        let sql = "DELETE FROM reports WHERE last_seen < ?1 AND NOT EXISTS (
            SELECT 1 FROM updates u WHERE u.image = reports.image
                AND u.digest = reports.digest AND u.acknowledged_at IS NULL)";
        pruned.reports += transaction.execute(sql, params![milliseconds(before)])? as u64;
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

/// One step over all pages copies one moment's state, and no writer makes it start again.
pub(super) fn backup(connection: &Connection, to: &Path) -> rusqlite::Result<()> {
    let mut copy = Connection::open(to)?;
    let backup = Backup::new(connection, &mut copy)?;
    backup.step(-1)?;
    drop(backup);
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
