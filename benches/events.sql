-- Prints NDJSON as Diun sends it, 600 bytes an event; one image in five comes again with another
-- digest. Set the number of events first: .param set :events 1000
.mode list
WITH numbered AS (
  SELECT value AS n, CASE WHEN value % 5 = 0 THEN value * 7919 % :events + 1 ELSE value END AS k
  FROM generate_series(1, :events))
SELECT json_object(
  'diun_version', '4.33.0', 'hostname', 'edge-' || (n % 40),
  'status', CASE WHEN n = k THEN 'new' ELSE 'update' END, 'provider', 'docker',
  'image', printf('ghcr.io/acme/team-%d/service-%d:%d.%d', k % 97, k, k % 7, k % 13),
  'hub_link', printf('https://ghcr.io/acme/team-%d/service-%d', k % 97, k),
  'mime_type', 'application/vnd.docker.distribution.manifest.list.v2+json',
  'digest', printf('sha256:%016x%016x%016x%016x', n, n * 31, n * 961, n * 29791),
  'created', '2026-11-23T21:45:52.442751Z', 'platform', 'linux/amd64',
  'metadata', json_object(
    'ctn_command', '/bin/api --serve', 'ctn_createdat', '2023-11-14 22:13:23 +0000 UTC',
    'ctn_id', printf('%032x', n), 'ctn_names', 'service-' || k,
    'ctn_size', '0B', 'ctn_state', 'running', 'ctn_status', 'Up 3 days'))
FROM numbered;
