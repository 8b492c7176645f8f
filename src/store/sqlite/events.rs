//! Taking events in: each becomes its image's update, and a report of who runs it.
//!
//! The newest report is part of the update's row. When an event comes from elsewhere, or of
//! another digest, the report that was the newest moves to `older_reports`.

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::types::Null;
use rusqlite::{CachedStatement, Connection, OptionalExtension, ToSql, Transaction, params};

use super::reports::{Keys, SELECT_NEWEST, Stored, Whereabouts, key, whereabouts};
use crate::store::{Arrival, Arrivals, Place, TEXTS};

/// The parameters up to `?16` are an [`Arrival`]'s texts. Most images come once, so a row is inserted
/// without a look whether the image has one. If it has, nothing happens as long as `?19` is null:
/// what else the row will hold depends on it.
const UPSERT_UPDATE: &str = "
    INSERT INTO updates (image, diun_version, hostname, status, provider, hub_link, mime_type,
        digest, created, platform, ctn_name, ctn_id, ctn_state, ctn_status, metadata, workload,
        received_at, first_seen, last_seen, times, places)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?18, 1, 1)
    ON CONFLICT (image) DO UPDATE SET diun_version = ?2, hostname = ?3, status = ?4, provider = ?5,
        hub_link = ?6, mime_type = ?7, digest = ?8, created = ?9, platform = ?10, ctn_name = ?11,
        ctn_id = ?12, ctn_state = ?13, ctn_status = ?14, metadata = ?15, workload = ?16,
        received_at = ?17, last_seen = ?18, first_seen = ?19, times = ?20, places = ?21,
        first_hostname = ?22, first_provider = ?23, first_workload = ?24, acknowledged_at = NULL
    WHERE ?19 IS NOT NULL";

const SELECT_OLDER: &str = "
    SELECT rowid, first_seen, times FROM older_reports
    WHERE image_key = ?1 AND digest_key = ?2 AND hostname = ?3 AND provider = ?4 AND workload = ?5";

const DELETE_OLDER: &str = "DELETE FROM older_reports WHERE rowid = ?1";

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
    arrivals: &mut dyn Arrivals,
) -> rusqlite::Result<usize> {
    let transaction = connection.transaction()?;
    let mut upsert = Upsert::prepare(&transaction)?;
    let mut count = 0;
    while let Some(arrival) = arrivals.next() {
        upsert.one(arrival)?;
        count += 1;
    }
    drop(upsert);
    transaction.commit()?;
    Ok(count)
}

/// The statements, and the time at which the events of one transaction are received.
struct Upsert<'a> {
    connection: &'a Connection,
    update: UpsertUpdate<'a>,
    newest: CachedStatement<'a>,
    insert_older: CachedStatement<'a>,
    older: CachedStatement<'a>,
    delete_older: CachedStatement<'a>,
    /// In milliseconds since 1970.
    now: i64,
}

impl<'a> Upsert<'a> {
    fn prepare(transaction: &'a Transaction<'_>) -> rusqlite::Result<Self> {
        let now = Utc::now();
        Ok(Self {
            connection: transaction,
            update: UpsertUpdate::prepare(transaction, now)?,
            newest: transaction.prepare_cached(SELECT_NEWEST)?,
            insert_older: transaction.prepare_cached(INSERT_OLDER)?,
            older: transaction.prepare_cached(SELECT_OLDER)?,
            delete_older: transaction.prepare_cached(DELETE_OLDER)?,
            now: now.timestamp_millis(),
        })
    }

    fn one(&mut self, arrival: &Arrival) -> rusqlite::Result<()> {
        let texts = arrival.texts();
        if self.update.insert(texts)? {
            return Ok(());
        }
        let before = self.before(texts)?;
        self.update.replace(&before)
    }

    /// What there is of an event's report already, and who runs the digest now. If another report
    /// was the image's newest until now, that is kept.
    fn before(&mut self, texts: [&str; TEXTS]) -> rusqlite::Result<Before> {
        let [image, _, hostname, _, provider, _, _, digest, .., workload] = texts;
        let [hostname, provider, workload] = [hostname, provider, workload].map(str::to_owned);
        let here = Place { hostname, provider, workload };
        let newest = self.newest.query_row([image], Stored::newest)?;
        let keys = (key(image), key(digest));
        let is_same_digest = newest.digest == digest;
        if is_same_digest && newest.place == here {
            let (first_seen, times) = (newest.first_seen, newest.times);
            let whereabouts = match newest.whereabouts {
                Some(known) => known,
                None => whereabouts(self.connection, keys, here)?,
            };
            return Ok(Before { first_seen, times, whereabouts });
        }
        self.keep(image, keys.0, &newest)?;
        let known = newest.whereabouts.filter(|_| is_same_digest);
        let is_known = known.is_some();
        let mut whereabouts = match known {
            Some(known) => known,
            None => whereabouts(self.connection, keys, here.clone())?,
        };
        let older = if whereabouts.count > 1 { self.take(keys, &here)? } else { None };
        if is_known && older.is_none() {
            whereabouts.add(here);
        }
        let (first_seen, times) = older.unwrap_or((self.now, 0));
        Ok(Before { first_seen, times, whereabouts })
    }

    /// Makes an image's newest report an older one.
    fn keep(&mut self, image: &str, image_key: i64, newest: &Stored) -> rusqlite::Result<()> {
        let digest_key = key(&newest.digest);
        self.insert_older.execute(params![
            image,
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
            digest_key,
        ])?;
        Ok(())
    }

    /// Takes a report out of the older ones, if it is there: when it was first seen, and how often.
    fn take(&mut self, keys: Keys, place: &Place) -> rusqlite::Result<Option<(i64, i64)>> {
        let (image_key, digest_key) = keys;
        let found = self.older.query_row(
            params![image_key, digest_key, place.hostname, place.provider, place.workload],
            |row| Ok((row.get::<_, i64>(0)?, (row.get(1)?, row.get(2)?))),
        );
        let Some((rowid, report)) = found.optional()? else { return Ok(None) };
        self.delete_older.execute([rowid])?;
        Ok(Some(report))
    }
}

/// [`UPSERT_UPDATE`]. Events have many texts in common with the one before, and SQLite remembers what
/// was bound: only what differs is bound anew.
struct UpsertUpdate<'a> {
    statement: CachedStatement<'a>,
    bound: [Option<String>; TEXTS],
}

impl<'a> UpsertUpdate<'a> {
    fn prepare(transaction: &'a Transaction<'_>, now: DateTime<Utc>) -> rusqlite::Result<Self> {
        let mut statement = transaction.prepare_cached(UPSERT_UPDATE)?;
        statement.raw_bind_parameter(17, now.to_rfc3339_opts(SecondsFormat::Millis, true))?;
        statement.raw_bind_parameter(18, now.timestamp_millis())?;
        Ok(Self { statement, bound: Default::default() })
    }

    /// Inserts an image's update if it has none yet, and tells whether it had none.
    fn insert(&mut self, texts: [&str; TEXTS]) -> rusqlite::Result<bool> {
        for (index, (text, bound)) in (1_usize..).zip(texts.into_iter().zip(&mut self.bound)) {
            if bound.as_deref() != Some(text) {
                self.statement.raw_bind_parameter(index, text)?;
                let bound = bound.get_or_insert_default();
                bound.clear();
                bound.push_str(text);
            }
        }
        Ok(self.statement.raw_execute()? > 0)
    }

    /// Replaces the update that was not inserted just now, as its image had one.
    fn replace(&mut self, before: &Before) -> rusqlite::Result<()> {
        let Place { hostname, provider, workload } = &before.whereabouts.first;
        let (times, places) = (before.times + 1, before.whereabouts.count);
        let values: [&dyn ToSql; 6] =
            [&before.first_seen, &times, &places, hostname, provider, workload];
        for (index, value) in (19_usize..).zip(values) {
            self.statement.raw_bind_parameter(index, value)?;
        }
        self.statement.raw_execute()?;
        self.statement.raw_bind_parameter(19, Null)
    }
}

/// What there was of an event's report before it.
struct Before {
    first_seen: i64,
    times: i64,
    /// With that event's place.
    whereabouts: Whereabouts,
}
