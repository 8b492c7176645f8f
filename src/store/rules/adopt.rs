//! Converts the rows that DiunDashboard wrote, once.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::arrival::NEW_PLACE;
use super::lines::{self, Lines};
use super::row::{metadata, parse_time, text};
use crate::event::Event;
use crate::image::ImageName;
use crate::inbox::fold::Standing;

/// A row of DiunDashboard: the time of receipt, the image as it was written, and the columns of a place.
struct Found {
    received: i64,
    rowid: i64,
    image: String,
    event: Event,
    is_acknowledged: bool,
}

/// Fills in the new columns and the places of all rows, and normalises the image names. If two rows have
/// the same normalised name, the newer one is kept.
pub(in crate::store) fn rows(connection: &Connection) -> rusqlite::Result<()> {
    let mut newest = BTreeMap::<String, Found>::new();
    let mut doubles = Vec::new();
    for found in read(connection)? {
        let name = normal(&found.image);
        match newest.get(&name) {
            Some(other) if other.received >= found.received => doubles.push(found.rowid),
            _ => doubles.extend(newest.insert(name, found).map(|older| older.rowid)),
        }
    }
    for rowid in doubles {
        connection.execute("DELETE FROM updates WHERE rowid = ?1", [rowid])?;
    }
    let mut lines = Lines::default();
    for (image, found) in &newest {
        let digest = found.is_acknowledged.then_some(&found.event.digest);
        let by = found.is_acknowledged.then_some("person");
        let json = serde_json::to_string(&found.event.metadata).unwrap_or_default();
        let sql = "UPDATE updates SET image = ?2, metadata = ?3, received = ?4, since = ?4,
            acknowledged_digest = ?5, acknowledged_by = ?6 WHERE rowid = ?1";
        let values = params![found.rowid, image, json, found.received, digest, by];
        connection.execute(sql, values)?;
        if let Some(standing) = Standing::new(image, found.received) {
            let sql = "UPDATE updates SET series = ?2, rank = ?3 WHERE image = ?1";
            connection.execute(sql, params![image, standing.line.series, standing.rank])?;
            lines.changed(Some(standing.line));
        }
        let Event { hostname, provider, digest, status, .. } = &found.event;
        let workload = found.event.workload();
        connection.execute(
            NEW_PLACE,
            params![image, hostname, provider, workload, digest, status, json, found.received],
        )?;
    }
    connection.execute(
        "INSERT INTO hosts (name, last_event) SELECT hostname, max(last_seen) FROM places WHERE hostname <> '' GROUP BY hostname",
        [],
    )?;
    assignments(connection)?;
    lines::fold(connection, lines)
}

fn assignments(connection: &Connection) -> rusqlite::Result<()> {
    let images: Vec<String> = connection
        .prepare("SELECT image FROM tag_assignments")?
        .query_map([], |row| text(row, 0))?
        .collect::<rusqlite::Result<_>>()?;
    for image in images {
        let sql = "UPDATE OR IGNORE tag_assignments SET image = ?2 WHERE image = ?1";
        connection.execute(sql, params![image, normal(&image)])?;
    }
    Ok(())
}

/// The normalised name, or the text itself if it is not a valid name.
fn normal(image: &str) -> String {
    ImageName::new(image).map_or_else(|_| image.to_owned(), |name| name.as_str().to_owned())
}

fn read(connection: &Connection) -> rusqlite::Result<Vec<Found>> {
    let sql = "SELECT rowid, image, hostname, status, provider, digest, received_at,
        acknowledged_at IS NOT NULL, ctn_name, ctn_id, ctn_state, ctn_status FROM updates";
    let mut select = connection.prepare(sql)?;
    let row = |row: &rusqlite::Row<'_>| {
        let provider = text(row, 4)?;
        // DiunDashboard stores only the metadata of containers.
        let name = if provider == "docker" { "ctn_names" } else { "ctn_name" };
        let mut event = Event {
            hostname: text(row, 2)?,
            status: text(row, 3)?,
            digest: text(row, 5)?,
            provider,
            metadata: metadata("{}"),
            ..Event::default()
        };
        for (key, column) in [(name, 8), ("ctn_id", 9), ("ctn_state", 10), ("ctn_status", 11)] {
            let value = text(row, column)?;
            if !value.is_empty() {
                event.metadata.insert(key.to_owned(), value);
            }
        }
        Ok(Found {
            rowid: row.get(0)?,
            image: text(row, 1)?,
            received: parse_time(&text(row, 6)?).timestamp_millis(),
            is_acknowledged: row.get(7)?,
            event,
        })
    };
    select.query_map([], row)?.collect()
}
