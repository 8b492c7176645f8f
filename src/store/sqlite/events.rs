//! Taking events in: each becomes its image's update, and a report of who runs it.

use std::hash::Hasher;

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::{Connection, params};
use siphasher::sip::SipHasher13;

use crate::event::Event;

const UPSERT_UPDATE: &str = "
    INSERT INTO updates (image, diun_version, hostname, status, provider, hub_link, mime_type,
        digest, created, platform, ctn_name, ctn_id, ctn_state, ctn_status, received_at, metadata)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
    ON CONFLICT (image) DO UPDATE SET diun_version = excluded.diun_version,
        hostname = excluded.hostname, status = excluded.status, provider = excluded.provider,
        hub_link = excluded.hub_link, mime_type = excluded.mime_type, digest = excluded.digest,
        created = excluded.created, platform = excluded.platform, ctn_name = excluded.ctn_name,
        ctn_id = excluded.ctn_id, ctn_state = excluded.ctn_state, ctn_status = excluded.ctn_status,
        received_at = excluded.received_at, metadata = excluded.metadata, acknowledged_at = NULL";

const UPSERT_REPORT: &str = "
    INSERT INTO reports (image, digest, hostname, provider, workload, status, metadata,
        first_seen, last_seen, times, image_key, digest_key)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 1, ?9, ?10)
    ON CONFLICT (image_key, digest_key, hostname, provider, workload) DO UPDATE SET
        status = excluded.status, metadata = excluded.metadata, last_seen = excluded.last_seen,
        times = times + 1";

/// Takes events in, in one transaction.
pub(super) fn upsert<'a>(
    connection: &mut Connection,
    events: impl Iterator<Item = &'a Event>,
) -> rusqlite::Result<()> {
    let now = Utc::now();
    let transaction = connection.transaction()?;
    {
        let mut update = transaction.prepare_cached(UPSERT_UPDATE)?;
        let mut report = transaction.prepare_cached(UPSERT_REPORT)?;
        let received_at = now.to_rfc3339_opts(SecondsFormat::Millis, true);
        for event in events {
            let metadata = json(event);
            let container = Container::of(event);
            update.execute(params![
                event.image,
                event.diun_version,
                event.hostname,
                event.status,
                event.provider,
                event.hub_link,
                event.mime_type,
                event.digest,
                event.created.as_deref().unwrap_or_default(),
                event.platform,
                container.name,
                container.id,
                container.state,
                container.status,
                received_at,
                metadata,
            ])?;
            report.execute(params![
                event.image,
                event.digest,
                event.hostname,
                event.provider,
                event.workload(),
                event.status,
                metadata,
                milliseconds(now),
                key(&event.image),
                key(&event.digest),
            ])?;
        }
    }
    transaction.commit()
}

/// The four metadata values that have columns of their own in `updates`.
#[derive(PartialEq, Eq)]
pub(super) struct Container<'a> {
    pub(super) name: &'a str,
    pub(super) id: &'a str,
    pub(super) state: &'a str,
    pub(super) status: &'a str,
}

impl<'a> Container<'a> {
    pub(super) fn of(event: &'a Event) -> Self {
        let get = |key| event.metadata.get(key).map(String::as_str);
        Self {
            name: get("ctn_names").or_else(|| get("ctn_name")).unwrap_or_default(),
            id: get("ctn_id").unwrap_or_default(),
            state: get("ctn_state").unwrap_or_default(),
            status: get("ctn_status").unwrap_or_default(),
        }
    }
}

/// The 64 bits that stand for an image or a digest in the key of `reports`: SipHash-1-3 with a
/// zero key, as SQLite's signed integer. Databases hold them, so they never change.
pub(super) fn key(text: &str) -> i64 {
    let mut hasher = SipHasher13::new();
    hasher.write(text.as_bytes());
    hasher.finish().cast_signed()
}

/// The form in which `reports` holds a time.
pub(super) fn milliseconds(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

fn json(event: &Event) -> String {
    if event.metadata.is_empty() {
        return String::new();
    }
    // A map of texts always has a JSON form.
    serde_json::to_string(&event.metadata).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_never_change() {
        assert_eq!(key(""), -3_315_872_660_926_475_476);
        assert_eq!(key("docker.io/library/nginx:1.27"), -3_093_289_436_704_775_810);
    }
}
