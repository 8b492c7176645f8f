//! Counts of webhook requests that were refused.

use rusqlite::{Connection, Result, params};

use super::row::{text, time};
use crate::inbox::refused::{Reason, Refused};

/// Adds to the counts, and updates the times.
pub(in crate::store) fn keep(connection: &Connection, refused: &[Refused]) -> Result<()> {
    let sql = "INSERT INTO refusals (reason, count, last) VALUES (?1, ?2, ?3)
        ON CONFLICT (reason) DO UPDATE SET count = count + ?2, last = max(last, ?3)";
    let mut upsert = connection.prepare_cached(sql)?;
    refused.iter().try_for_each(|Refused { reason, count, last }| {
        upsert.execute(params![reason.name(), count, last.timestamp_millis()]).map(drop)
    })
}

/// The counts, the latest first.
pub(in crate::store) fn list(connection: &Connection) -> Result<Vec<Refused>> {
    let sql = "SELECT reason, count, last FROM refusals ORDER BY last DESC, reason";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([])?;
    let mut refused = Vec::new();
    while let Some(row) = rows.next()? {
        // A newer diunbox may know more reasons.
        let Some(reason) = Reason::of(&text(row, 0)?) else { continue };
        refused.push(Refused { reason, count: row.get(1)?, last: time(row, 2)? });
    }
    Ok(refused)
}
