-- What a user would do instead of `diunbox ingest` with PostgreSQL: the events in events.ndjson, copied and
-- upserted into the tables that diunbox has, in one transaction. An image that comes twice is written once:
-- one statement must not touch a row twice.
\set QUIET on
\set ON_ERROR_STOP on
BEGIN;
CREATE TEMP TABLE lines (number bigserial, event json);
\copy lines (event) FROM 'events.ndjson' WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
INSERT INTO updates (image, diun_version, hostname, status, provider, hub_link, mime_type, digest,
  created, platform, ctn_name, ctn_id, ctn_state, ctn_status, received_at, metadata, received, since, changed)
SELECT DISTINCT ON (event ->> 'image') event ->> 'image', event ->> 'diun_version', event ->> 'hostname',
  event ->> 'status', event ->> 'provider', event ->> 'hub_link', event ->> 'mime_type', event ->> 'digest',
  coalesce(event ->> 'created', ''), event ->> 'platform', coalesce(event #>> '{metadata,ctn_names}', ''),
  coalesce(event #>> '{metadata,ctn_id}', ''), coalesce(event #>> '{metadata,ctn_state}', ''),
  coalesce(event #>> '{metadata,ctn_status}', ''),
  to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), event ->> 'metadata',
  extract(epoch FROM now()) * 1000, extract(epoch FROM now()) * 1000, number
FROM lines ORDER BY event ->> 'image', number DESC
ON CONFLICT (image) DO UPDATE SET diun_version = excluded.diun_version, hostname = excluded.hostname,
  status = excluded.status, provider = excluded.provider, hub_link = excluded.hub_link,
  mime_type = excluded.mime_type, digest = excluded.digest, created = excluded.created,
  platform = excluded.platform, ctn_name = excluded.ctn_name, ctn_id = excluded.ctn_id,
  ctn_state = excluded.ctn_state, ctn_status = excluded.ctn_status, received_at = excluded.received_at,
  metadata = excluded.metadata, received = excluded.received, changed = excluded.changed, acknowledged_at = NULL,
  since = CASE WHEN updates.digest = excluded.digest THEN updates.since ELSE excluded.since END;
INSERT INTO places (image, hostname, provider, workload, digest, status, metadata, first_seen, last_seen, times)
SELECT DISTINCT ON (event ->> 'image', event ->> 'hostname', event #>> '{metadata,ctn_names}')
  event ->> 'image', event ->> 'hostname', event ->> 'provider', event #>> '{metadata,ctn_names}',
  event ->> 'digest', event ->> 'status', event ->> 'metadata',
  extract(epoch FROM now()) * 1000, extract(epoch FROM now()) * 1000, 1
FROM lines ORDER BY event ->> 'image', event ->> 'hostname', event #>> '{metadata,ctn_names}', number DESC
ON CONFLICT (image, hostname, provider, workload) DO UPDATE SET digest = excluded.digest,
  status = excluded.status, metadata = excluded.metadata, last_seen = excluded.last_seen,
  times = places.times + 1;
INSERT INTO digests
SELECT DISTINCT ON (event ->> 'image', event ->> 'digest') event ->> 'image', event ->> 'digest',
  event ->> 'created', event ->> 'platform', extract(epoch FROM now()) * 1000, extract(epoch FROM now()) * 1000
FROM lines
WHERE event ->> 'digest' <> (SELECT digest FROM updates u WHERE u.image = event ->> 'image')
ON CONFLICT (image, digest) DO UPDATE SET last_seen = excluded.last_seen;
COMMIT;
