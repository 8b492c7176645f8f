//! Taking events in: each becomes its image's update, and a report of who runs it.
//!
//! The newest report is part of the update's row. When an event comes from elsewhere, or of
//! another digest, the report that was the newest moves to `older_reports`.

use std::rc::Rc;

use chrono::{SecondsFormat, Utc};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, params};

use super::reports::{SELECT_NEWEST, Stored, key};
use crate::event::{Event, Metadata};
use crate::store::Events;

/// Most images come once. So their rows are inserted without a look whether they are there.
const INSERT_UPDATE: &str = "
    INSERT INTO updates (image, diun_version, hostname, status, provider, hub_link, mime_type,
        digest, created, platform, ctn_name, ctn_id, ctn_state, ctn_status, received_at, metadata,
        workload, first_seen, last_seen, times)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
    ON CONFLICT (image) DO NOTHING";

const REPLACE_UPDATE: &str = "
    UPDATE updates SET diun_version = ?2, hostname = ?3, status = ?4, provider = ?5, hub_link = ?6,
        mime_type = ?7, digest = ?8, created = ?9, platform = ?10, ctn_name = ?11, ctn_id = ?12,
        ctn_state = ?13, ctn_status = ?14, received_at = ?15, metadata = ?16, workload = ?17,
        first_seen = ?18, last_seen = ?19, times = ?20, acknowledged_at = NULL
    WHERE image = ?1";

const TAKE_OLDER: &str = "
    DELETE FROM older_reports WHERE image_key = ?1 AND digest_key = ?2 AND hostname = ?3
        AND provider = ?4 AND workload = ?5
    RETURNING first_seen, times";

/// A report that is there already is left from an update that another program deleted.
const INSERT_OLDER: &str = "
    INSERT INTO older_reports (image, digest, hostname, provider, workload, status, metadata,
        first_seen, last_seen, times, image_key, digest_key)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    ON CONFLICT (image_key, digest_key, hostname, provider, workload) DO UPDATE SET
        status = excluded.status, metadata = excluded.metadata, last_seen = excluded.last_seen,
        times = times + excluded.times";

/// Takes events in, in one transaction. Gives how many there were.
pub(super) fn upsert(
    connection: &mut Connection,
    events: &mut dyn Events,
) -> rusqlite::Result<usize> {
    let transaction = connection.transaction()?;
    let mut upsert = Upsert::prepare(&transaction)?;
    let mut count = 0;
    while let Some(event) = events.next() {
        upsert.one(event)?;
        count += 1;
    }
    drop(upsert);
    transaction.commit()?;
    Ok(count)
}

/// The statements, and the time at which the events of one transaction are received.
struct Upsert<'a> {
    newest: CachedStatement<'a>,
    take_older: CachedStatement<'a>,
    insert_older: CachedStatement<'a>,
    insert: CachedStatement<'a>,
    replace: CachedStatement<'a>,
    received_at: Rc<str>,
    now: i64,
}

impl<'a> Upsert<'a> {
    fn prepare(transaction: &'a Transaction<'_>) -> rusqlite::Result<Self> {
        let now = Utc::now();
        Ok(Self {
            newest: transaction.prepare_cached(SELECT_NEWEST)?,
            take_older: transaction.prepare_cached(TAKE_OLDER)?,
            insert_older: transaction.prepare_cached(INSERT_OLDER)?,
            insert: transaction.prepare_cached(INSERT_UPDATE)?,
            replace: transaction.prepare_cached(REPLACE_UPDATE)?,
            received_at: now.to_rfc3339_opts(SecondsFormat::Millis, true).into(),
            now: now.timestamp_millis(),
        })
    }

    fn one(&mut self, event: &Event) -> rusqlite::Result<()> {
        let workload = event.workload();
        let container = Container::of(event);
        let created = event.created.as_deref().unwrap_or_default();
        let metadata = json(&event.metadata);
        let (received_at, now) = (Rc::clone(&self.received_at), self.now);
        let write = |statement: &mut CachedStatement<'_>, first_seen: i64, times: i64| {
            statement.execute(params![
                event.image,
                event.diun_version,
                event.hostname,
                event.status,
                event.provider,
                event.hub_link,
                event.mime_type,
                event.digest,
                created,
                event.platform,
                container.name,
                container.id,
                container.state,
                container.status,
                received_at,
                metadata,
                workload,
                first_seen,
                now,
                times,
            ])
        };
        if write(&mut self.insert, now, 1)? == 0 {
            let (first_seen, times) = self.seen_before(event, &workload)?;
            write(&mut self.replace, first_seen, times + 1)?;
        }
        Ok(())
    }

    /// When the event's report was first seen, and how often so far. The report that was the newest
    /// until now is kept.
    fn seen_before(&mut self, event: &Event, workload: &str) -> rusqlite::Result<(i64, i64)> {
        let newest = self.newest.query_row([&event.image], Stored::newest)?;
        if newest.is_of(event, workload) {
            return Ok((newest.first_seen, newest.times));
        }
        let image_key = key(&event.image);
        let before = self
            .take_older
            .query_row(
                params![image_key, key(&event.digest), event.hostname, event.provider, workload],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        self.insert_older.execute(params![
            event.image,
            newest.digest,
            newest.place.hostname,
            newest.place.provider,
            newest.place.workload,
            newest.status,
            newest.metadata,
            newest.first_seen,
            newest.last_seen,
            newest.times,
            image_key,
            key(&newest.digest),
        ])?;
        Ok(before.unwrap_or((self.now, 0)))
    }
}

/// The four metadata values that have columns of their own in `updates`.
struct Container<'a> {
    name: &'a str,
    id: &'a str,
    state: &'a str,
    status: &'a str,
}

impl<'a> Container<'a> {
    fn of(event: &'a Event) -> Self {
        let get = |key| event.metadata.get(key).map(String::as_str);
        Self {
            name: get("ctn_names").or_else(|| get("ctn_name")).unwrap_or_default(),
            id: get("ctn_id").unwrap_or_default(),
            state: get("ctn_state").unwrap_or_default(),
            status: get("ctn_status").unwrap_or_default(),
        }
    }
}

/// Metadata as the database holds it: a JSON object, or nothing.
pub(super) fn json(metadata: &Metadata) -> String {
    if metadata.is_empty() {
        return String::new();
    }
    // A map of texts always has a JSON form.
    serde_json::to_string(metadata).unwrap_or_default()
}
