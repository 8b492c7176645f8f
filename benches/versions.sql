-- Prints NDJSON as Diun sends it: :each tags of each repository, in a mixed order. With :fold 1 they are
-- versions of one line, with 0 tags that fold with nothing. Set :events, :each and :fold first.
.mode list
SELECT json_object(
  'diun_version', '4.33.0', 'hostname', 'edge-1', 'status', 'new', 'provider', 'docker',
  'image', printf('ghcr.io/acme/service-%d:%s%d', n % (:events / :each),
    CASE WHEN :fold THEN '1.0.' ELSE 'build-' END, n / (:events / :each)),
  'hub_link', '', 'mime_type', 'application/vnd.docker.distribution.manifest.list.v2+json',
  'digest', printf('sha256:%064x', n), 'created', '2026-11-23T21:45:52.442751Z',
  'platform', 'linux/amd64',
  'metadata', json_object('ctn_names', 'service-' || (n % (:events / :each)), 'ctn_state', 'running'))
FROM (SELECT value * 7919 % :events AS n FROM generate_series(0, :events - 1));
