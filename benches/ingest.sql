-- What a user would do instead of `diunbox ingest`: the baseline columns of the events in
-- events.ndjson, taken apart by SQLite's JSON operators and upserted in one transaction.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
.read ../../migrations/sqlite/01-baseline/up.sql
CREATE TEMP TABLE lines (event TEXT);
.mode ascii
.separator "\037" "\n"
.import events.ndjson lines
BEGIN;
INSERT INTO updates (image, diun_version, hostname, status, provider, hub_link, mime_type, digest,
  created, platform, ctn_name, ctn_id, ctn_state, ctn_status, received_at)
SELECT event ->> 'image', event ->> 'diun_version', event ->> 'hostname', event ->> 'status',
  event ->> 'provider', event ->> 'hub_link', event ->> 'mime_type', event ->> 'digest',
  coalesce(event ->> 'created', ''), event ->> 'platform',
  coalesce(event ->> '$.metadata.ctn_names', event ->> '$.metadata.ctn_name', ''),
  coalesce(event ->> '$.metadata.ctn_id', ''), coalesce(event ->> '$.metadata.ctn_state', ''),
  coalesce(event ->> '$.metadata.ctn_status', ''), strftime('%Y-%m-%dT%H:%M:%fZ')
FROM lines WHERE true
ON CONFLICT (image) DO UPDATE SET diun_version = excluded.diun_version,
  hostname = excluded.hostname, status = excluded.status, provider = excluded.provider,
  hub_link = excluded.hub_link, mime_type = excluded.mime_type, digest = excluded.digest,
  created = excluded.created, platform = excluded.platform, ctn_name = excluded.ctn_name,
  ctn_id = excluded.ctn_id, ctn_state = excluded.ctn_state, ctn_status = excluded.ctn_status,
  received_at = excluded.received_at, acknowledged_at = NULL;
COMMIT;
