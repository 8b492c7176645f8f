//! Records the state of an update and its places before an action, for undo.

use rusqlite::{Connection, Result, params};
use serde::{Deserialize, Serialize};

use super::row::text;

/// The columns that decisions change.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Before {
    acknowledged_at: Option<String>,
    acknowledged_digest: Option<String>,
    acknowledged_by: Option<String>,
    snoozed_until: Option<i64>,
    note: Option<String>,
    /// The done places: host, provider, workload, digest, and who marked it.
    done: Vec<(String, String, String, String, String)>,
}

/// Reads the current state.
pub(in crate::store) fn keep(
    connection: &Connection,
    action: i64,
    image: &str,
    digest: &str,
) -> Result<()> {
    let sql = "SELECT acknowledged_at, acknowledged_digest, acknowledged_by, snoozed_until, note
        FROM updates WHERE image = ?1";
    let mut before = connection.prepare_cached(sql)?.query_row([image], |row| {
        let [acknowledged_at, acknowledged_digest, acknowledged_by] =
            [0, 1, 2].map(|column| row.get::<_, Option<String>>(column));
        Ok(Before {
            acknowledged_at: acknowledged_at?,
            acknowledged_digest: acknowledged_digest?,
            acknowledged_by: acknowledged_by?,
            snoozed_until: row.get(3)?,
            note: row.get(4)?,
            done: Vec::new(),
        })
    })?;
    let sql = "SELECT hostname, provider, workload, done_digest, done_by FROM places
        WHERE image = ?1 AND done_digest IS NOT NULL";
    before.done = connection
        .prepare_cached(sql)?
        .query_map([image], |row| {
            Ok((text(row, 0)?, text(row, 1)?, text(row, 2)?, text(row, 3)?, text(row, 4)?))
        })?
        .collect::<Result<_>>()?;
    let before = serde_json::to_string(&before).unwrap_or_default();
    let sql = "INSERT INTO action_images (action, image, digest, before) VALUES (?1, ?2, ?3, ?4)";
    connection.prepare_cached(sql)?.execute(params![action, image, digest, before]).map(drop)
}

/// Removes the done marks of all places. Reconcile does not set its marks again until the place runs another
/// digest.
pub(in crate::store) fn unmark(connection: &Connection, image: &str) -> Result<()> {
    let sql = "UPDATE places SET done_digest = NULL, done_by = NULL,
            refused = CASE WHEN done_by IN ('reconcile', 'gone') THEN running ELSE refused END
        WHERE image = ?1 AND done_digest IS NOT NULL";
    connection.prepare_cached(sql)?.execute([image]).map(drop)
}

/// Restores the recorded state.
pub(in crate::store) fn restore(
    connection: &Connection,
    image: &str,
    before: &str,
    change: i64,
) -> Result<()> {
    let before: Before = serde_json::from_str(before).unwrap_or_default();
    let sql = "UPDATE updates SET acknowledged_at = ?2, acknowledged_digest = ?3,
        acknowledged_by = ?4, snoozed_until = ?5, note = ?6, changed = ?7 WHERE image = ?1";
    connection.prepare_cached(sql)?.execute(params![
        image,
        before.acknowledged_at,
        before.acknowledged_digest,
        before.acknowledged_by,
        before.snoozed_until,
        before.note,
        change,
    ])?;
    unmark(connection, image)?;
    let sql = "UPDATE places SET done_digest = ?5, done_by = ?6, refused = NULL
        WHERE image = ?1 AND hostname = ?2 AND provider = ?3 AND workload = ?4";
    let mut update = connection.prepare_cached(sql)?;
    for (host, provider, workload, digest, by) in &before.done {
        update.execute([image, host, provider, workload, digest, by])?;
    }
    Ok(())
}
