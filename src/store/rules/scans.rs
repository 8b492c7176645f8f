//! Heartbeats of each host's Diun.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Result, params};
use serde::{Deserialize, Serialize};

use super::row::text;
use crate::inbox::scan::{Beat, Scans};

/// The stored form. Times are milliseconds since 1970.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Kept {
    ended: Vec<i64>,
    has_failed: bool,
    scanned: Option<u64>,
    failed: Option<u64>,
}

/// The scans of the hosts that may send heartbeats, from A to Z.
pub(in crate::store) fn list(connection: &Connection) -> Result<Vec<(String, Scans)>> {
    connection
        .prepare_cached(
            "SELECT name, scans FROM hosts WHERE ping_secret IS NOT NULL ORDER BY name",
        )?
        .query_map([], |row| Ok((text(row, 0)?, read(&text(row, 1)?))))?
        .collect()
}

/// The secret with which a host may send heartbeats.
pub(in crate::store) fn secret(connection: &Connection, host: &str) -> Result<Option<String>> {
    let sql = "SELECT ping_secret FROM hosts WHERE name = ?1";
    let secret = connection.prepare_cached(sql)?.query_row([host], |row| row.get(0)).optional()?;
    Ok(secret.flatten())
}

/// The same. It is created if the host has none.
pub(in crate::store) fn allow(connection: &Connection, host: &str) -> Result<String> {
    let sql = "INSERT INTO hosts (name, ping_secret) VALUES (?1, lower(hex(randomblob(16))))
        ON CONFLICT (name) DO UPDATE SET ping_secret = coalesce(ping_secret, excluded.ping_secret)
        RETURNING ping_secret";
    connection.query_row(sql, [host], |row| row.get(0))
}

/// Stores a heartbeat.
pub(in crate::store) fn take(
    connection: &Connection,
    host: &str,
    beat: &Beat,
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = "SELECT scans FROM hosts WHERE name = ?1";
    let kept = connection.prepare_cached(sql)?.query_row([host], |row| text(row, 0)).optional()?;
    let Some(kept) = kept else { return Ok(()) };
    let mut scans = read(&kept);
    scans.take(beat, now);
    let kept = Kept {
        ended: scans.ended.iter().map(DateTime::timestamp_millis).collect(),
        has_failed: scans.has_failed,
        scanned: scans.scanned,
        failed: scans.failed,
    };
    let sql = "UPDATE hosts SET scans = ?2 WHERE name = ?1";
    let kept = serde_json::to_string(&kept).unwrap_or_default();
    connection.prepare_cached(sql)?.execute(params![host, kept]).map(drop)
}

pub(in crate::store) fn read(kept: &str) -> Scans {
    let Kept { ended, has_failed, scanned, failed } =
        serde_json::from_str(kept).unwrap_or_default();
    let ended = ended.into_iter().filter_map(DateTime::from_timestamp_millis).collect();
    Scans { ended, has_failed, scanned, failed }
}
