-- The newest report of an image shares its row in updates: most images have no other, and there it
-- costs next to nothing. A column with a constant default is added without touching a row.
ALTER TABLE updates ADD COLUMN metadata TEXT NOT NULL DEFAULT '';
ALTER TABLE updates ADD COLUMN workload TEXT NOT NULL DEFAULT '';
-- Milliseconds since 1970, UTC. Where last_seen is not the time in received_at, another program
-- wrote the row, and knows nothing of these five columns.
ALTER TABLE updates ADD COLUMN first_seen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE updates ADD COLUMN last_seen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE updates ADD COLUMN times INTEGER NOT NULL DEFAULT 0;

-- Image and digest are long and repeat, so the key holds 64-bit SipHashes of them. With the
-- short rest in clear, the key alone answers "who runs it".
CREATE TABLE older_reports (
  image TEXT NOT NULL, digest TEXT NOT NULL,
  hostname TEXT NOT NULL, provider TEXT NOT NULL, workload TEXT NOT NULL,
  status TEXT NOT NULL, metadata TEXT NOT NULL,
  first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, times INTEGER NOT NULL,
  image_key INTEGER NOT NULL, digest_key INTEGER NOT NULL,
  UNIQUE (image_key, digest_key, hostname, provider, workload));

CREATE VIEW reports AS
  SELECT image, digest, hostname, provider, workload, status, metadata, first_seen, last_seen, times
  FROM updates
  UNION ALL
  SELECT image, digest, hostname, provider, workload, status, metadata, first_seen, last_seen, times
  FROM older_reports;
