//! What each host has to do, and when it was last heard from.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Result};

use super::row::{text, time};
use super::selection::{NEEDED, condition};
use crate::inbox::update::{Host, State};

/// Reads every place once; an index by host would make each event dearer than this is.
pub(super) fn list(connection: &Connection, now: DateTime<Utc>) -> Result<Vec<Host>> {
    let pending = format!(
        "SELECT p.hostname, count(DISTINCT u.image) FROM updates u JOIN places p ON p.image = u.image
        WHERE {} AND {NEEDED} GROUP BY p.hostname",
        condition(State::Pending)
    );
    let pending: BTreeMap<String, u64> = connection
        .prepare_cached(&pending)?
        .query_map([now.timestamp_millis()], |row| Ok((text(row, 0)?, row.get(1)?)))?
        .collect::<Result<_>>()?;
    connection
        .prepare_cached(
            "SELECT hostname, max(last_seen) FROM places WHERE hostname <> '' GROUP BY hostname
            ORDER BY hostname",
        )?
        .query_map([], |row| {
            let name = text(row, 0)?;
            let pending = pending.get(&name).copied().unwrap_or_default();
            Ok(Host { name, pending, last_event: time(row, 1)? })
        })?
        .collect()
}
