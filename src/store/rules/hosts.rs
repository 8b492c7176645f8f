//! The table of hosts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Result, params};

use super::row::{text, time_or_null};
use super::scans;
use super::selection::{NEEDED, condition};
use crate::inbox::received::Received;
use crate::inbox::update::{Host, State};

/// Stores the time of the last event of each host.
pub(in crate::store) fn heard_from(connection: &Connection, received: &[Received]) -> Result<()> {
    let mut hosts = BTreeMap::new();
    for Received { event, at, .. } in received {
        let last = hosts.entry(event.hostname.as_str()).or_insert(*at);
        *last = (*at).max(*last);
    }
    hosts.remove("");
    let sql = "INSERT INTO hosts (name, last_event) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET last_event = max(coalesce(last_event, ?2), ?2)";
    let mut upsert = connection.prepare_cached(sql)?;
    hosts
        .iter()
        .try_for_each(|(name, at)| upsert.execute(params![name, at.timestamp_millis()]).map(drop))
}

/// Stores the time of a host's last comparison.
pub(in crate::store) fn reconciled(connection: &Connection, host: &str, at: i64) -> Result<()> {
    let sql = "INSERT INTO hosts (name, last_reconcile) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET last_reconcile = ?2";
    connection.prepare_cached(sql)?.execute(params![host, at]).map(drop)
}

/// Every host, from A to Z.
pub(in crate::store) fn list(connection: &Connection, now: DateTime<Utc>) -> Result<Vec<Host>> {
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
        .prepare_cached("SELECT name, last_event, last_reconcile, scans FROM hosts ORDER BY name")?
        .query_map([], |row| {
            let name = text(row, 0)?;
            let pending = pending.get(&name).copied().unwrap_or_default();
            let [last_event, last_reconcile] = [1, 2].map(|column| time_or_null(row, column));
            let (last_event, last_reconcile) = (last_event?, last_reconcile?);
            let scans = scans::read(&text(row, 3)?);
            Ok(Host { name, pending, last_event, last_reconcile, scans })
        })?
        .collect()
}
