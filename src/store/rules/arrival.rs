//! Converts an event to column values.

use std::cell::OnceCell;

use chrono::{DateTime, Utc};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Result, params};

use super::row::text;
use crate::event::Event;
use crate::inbox::fold::{Line, Standing};
use crate::inbox::received::Received;
use crate::inbox::time::rfc3339;

/// An event with the values that the rules need.
pub(in crate::store) struct Arrival<'a> {
    pub(in crate::store) event: &'a Event,
    received_at: DateTime<Utc>,
    /// The time of receipt in milliseconds since 1970.
    pub(in crate::store) at: i64,
    workload: String,
    metadata: String,
    /// The number of this change.
    change: i64,
    /// Computed on demand: most events are repeats and do not need it.
    standing: OnceCell<Option<Standing>>,
}

/// The columns that [`Arrival::bind`] binds, without the image.
pub(in crate::store) const COLUMNS: &str =
    "diun_version = ?2, hostname = ?3, status = ?4, provider = ?5,
    hub_link = ?6, mime_type = ?7, digest = ?8, created = ?9, platform = ?10, ctn_name = ?11,
    ctn_id = ?12, ctn_state = ?13, ctn_status = ?14, received_at = ?15, metadata = ?16,
    received = ?17, changed = ?18";

/// Adds a place that has reported once.
pub(in crate::store) const NEW_PLACE: &str =
    "INSERT INTO places (image, hostname, provider, workload, digest,
    status, metadata, first_seen, last_seen, times) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 1)";

impl<'a> Arrival<'a> {
    pub(in crate::store) fn new(received: &'a Received, change: i64) -> Self {
        let event = &received.event;
        Self {
            event,
            received_at: received.at,
            at: received.at.timestamp_millis(),
            workload: event.workload(),
            // A map of strings can always be serialised.
            metadata: serde_json::to_string(&event.metadata).unwrap_or_default(),
            change,
            standing: OnceCell::new(),
        }
    }

    /// The build time as text; empty if it is unknown.
    pub(in crate::store) fn created(&self) -> &'a str {
        self.event.created.as_deref().unwrap_or_default()
    }

    /// Stores the first event of an image.
    pub(in crate::store) fn insert(&self, connection: &Connection, is_ignored: bool) -> Result<()> {
        let standing = self.standing();
        let (series, rank) =
            standing.map(|standing| (&standing.line.series, &standing.rank)).unzip();
        let sql = "INSERT INTO updates (image, diun_version, hostname, status, provider, hub_link,
                mime_type, digest, created, platform, ctn_name, ctn_id, ctn_state, ctn_status,
                received_at, metadata, received, changed, since, ignored, series, rank)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                ?18, ?17, ?19, ?20, ?21)";
        let mut statement = connection.prepare_cached(sql)?;
        self.bind(&mut statement)?;
        statement.raw_bind_parameter(19, is_ignored)?;
        statement.raw_bind_parameter(20, series)?;
        statement.raw_bind_parameter(21, rank)?;
        statement.raw_execute().map(drop)
    }

    /// The line of the image and its rank in it, as of this event.
    pub(in crate::store) fn standing(&self) -> Option<&Standing> {
        self.standing.get_or_init(|| Standing::new(&self.event.image, self.at)).as_ref()
    }

    /// The line of the image, if it has one. Pinned digests are ranked by their last event.
    pub(in crate::store) fn settle(&self, connection: &Connection) -> Result<Option<Line>> {
        let Some(standing) = self.standing() else { return Ok(None) };
        if standing.version.is_none() {
            let sql = "SELECT received FROM updates WHERE image = ?1";
            let image = &self.event.image;
            let received = connection.prepare_cached(sql)?.query_row([image], |row| row.get(0))?;
            let rank = Standing::new(image, received).map(|standing| standing.rank);
            let sql = "UPDATE updates SET rank = ?2 WHERE image = ?1";
            connection.prepare_cached(sql)?.execute(params![image, rank])?;
        }
        Ok(Some(standing.line.clone()))
    }

    /// Binds the image and the [`COLUMNS`] to the parameters 1 to 18.
    pub(in crate::store) fn bind(&self, statement: &mut CachedStatement<'_>) -> Result<()> {
        let event = self.event;
        let get = |keys: &[&str]| {
            let found = keys.iter().find_map(|key| event.metadata.get(*key));
            found.map(String::as_str).unwrap_or_default()
        };
        let received_at = rfc3339(self.received_at);
        let texts = [
            event.image.as_str(),
            &event.diun_version,
            &event.hostname,
            &event.status,
            &event.provider,
            &event.hub_link,
            &event.mime_type,
            &event.digest,
            self.created(),
            &event.platform,
            get(&["ctn_names", "ctn_name"]),
            get(&["ctn_id"]),
            get(&["ctn_state"]),
            get(&["ctn_status"]),
            &received_at,
            &self.metadata,
        ];
        for (index, text) in (1..).zip(texts) {
            statement.raw_bind_parameter(index, text)?;
        }
        statement.raw_bind_parameter(17, self.at)?;
        statement.raw_bind_parameter(18, self.change)
    }

    /// The place's key.
    pub(in crate::store) fn key(&self) -> [&str; 4] {
        [&self.event.image, &self.event.hostname, &self.event.provider, &self.workload]
    }

    /// The digest that the place last reported, if it is known.
    pub(in crate::store) fn known(&self, connection: &Connection) -> Result<Option<String>> {
        let sql = "SELECT digest FROM places WHERE image = ?1 AND hostname = ?2 AND provider = ?3
            AND workload = ?4";
        connection.prepare_cached(sql)?.query_row(self.key(), |row| text(row, 0)).optional()
    }

    /// Stores the report of a place.
    pub(in crate::store) fn report(&self, connection: &Connection, is_known: bool) -> Result<()> {
        // A place that was recorded as gone exists again.
        let sql = if is_known {
            "UPDATE places SET digest = ?5, status = ?6, metadata = ?7, last_seen = max(last_seen, ?8),
                times = times + 1,
                done_digest = CASE WHEN done_by IS NOT 'gone' THEN done_digest END,
                done_by = nullif(done_by, 'gone')
            WHERE image = ?1 AND hostname = ?2 AND provider = ?3 AND workload = ?4"
        } else {
            NEW_PLACE
        };
        let [image, hostname, provider, workload] = self.key();
        let Event { digest, status, .. } = self.event;
        let values =
            params![image, hostname, provider, workload, digest, status, self.metadata, self.at];
        connection.prepare_cached(sql)?.execute(values).map(drop)
    }

    /// Marks the place as done with the event's digest.
    pub(in crate::store) fn done(&self, connection: &Connection, by: &str) -> Result<()> {
        let sql = "UPDATE places SET done_digest = digest, done_by = ?5
            WHERE image = ?1 AND hostname = ?2 AND provider = ?3 AND workload = ?4";
        let [image, hostname, provider, workload] = self.key();
        connection.prepare_cached(sql)?.execute([image, hostname, provider, workload, by]).map(drop)
    }
}
