-- What a user would do instead of `diunbox ingest`, into the tables that diunbox has: the events in
-- events.ndjson, taken apart by SQLite's JSON operators and upserted in one transaction.
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -40960;
.read ../../migrations/sqlite/01-baseline/up.sql
.read ../../migrations/sqlite/02-model/up.sql
CREATE TEMP TABLE lines (event TEXT);
.mode ascii
.separator "\037" "\n"
.import events.ndjson lines
BEGIN;
INSERT INTO updates (image, diun_version, hostname, status, provider, hub_link, mime_type, digest,
  created, platform, ctn_name, ctn_id, ctn_state, ctn_status, received_at, metadata, received, since,
  changed)
SELECT event ->> 'image', event ->> 'diun_version', event ->> 'hostname', event ->> 'status',
  event ->> 'provider', event ->> 'hub_link', event ->> 'mime_type', event ->> 'digest',
  coalesce(event ->> 'created', ''), event ->> 'platform',
  coalesce(event ->> '$.metadata.ctn_names', event ->> '$.metadata.ctn_name', ''),
  coalesce(event ->> '$.metadata.ctn_id', ''), coalesce(event ->> '$.metadata.ctn_state', ''),
  coalesce(event ->> '$.metadata.ctn_status', ''), strftime('%Y-%m-%dT%H:%M:%SZ'),
  event -> 'metadata', unixepoch() * 1000 + rowid / 100, unixepoch() * 1000 + rowid / 100, rowid
FROM lines WHERE true
ON CONFLICT (image) DO UPDATE SET diun_version = excluded.diun_version,
  hostname = excluded.hostname, status = excluded.status, provider = excluded.provider,
  hub_link = excluded.hub_link, mime_type = excluded.mime_type, digest = excluded.digest,
  created = excluded.created, platform = excluded.platform, ctn_name = excluded.ctn_name,
  ctn_id = excluded.ctn_id, ctn_state = excluded.ctn_state, ctn_status = excluded.ctn_status,
  received_at = excluded.received_at, metadata = excluded.metadata, received = excluded.received,
  since = CASE WHEN digest = excluded.digest THEN since ELSE excluded.since END,
  changed = excluded.changed, acknowledged_at = NULL;
INSERT INTO places (image, hostname, provider, workload, digest, status, metadata, first_seen, last_seen,
  times)
SELECT event ->> 'image', event ->> 'hostname', event ->> 'provider', event ->> '$.metadata.ctn_names',
  event ->> 'digest', event ->> 'status', event -> 'metadata', unixepoch() * 1000, unixepoch() * 1000, 1
FROM lines WHERE true
ON CONFLICT (image, hostname, provider, workload) DO UPDATE SET digest = excluded.digest,
  status = excluded.status, metadata = excluded.metadata, last_seen = excluded.last_seen,
  times = times + 1;
INSERT INTO digests
SELECT event ->> 'image', event ->> 'digest', event ->> 'created', event ->> 'platform',
  unixepoch() * 1000, unixepoch() * 1000
FROM lines WHERE event ->> 'digest' <> (SELECT digest FROM updates u WHERE u.image = event ->> 'image')
ON CONFLICT (image, digest) DO UPDATE SET last_seen = excluded.last_seen;
COMMIT;
