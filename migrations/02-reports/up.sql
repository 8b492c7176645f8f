-- A column with a constant default is added without touching a row.
ALTER TABLE updates ADD COLUMN metadata TEXT NOT NULL DEFAULT '';

-- Image and digest are long and repeat, so the key holds 64-bit SipHashes of them. With the
-- short rest in clear, the key alone answers "who runs it" and stays a tenth of the table.
CREATE TABLE reports (
  image TEXT NOT NULL, digest TEXT NOT NULL,
  hostname TEXT NOT NULL, provider TEXT NOT NULL, workload TEXT NOT NULL,
  status TEXT NOT NULL, metadata TEXT NOT NULL,
  first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, -- milliseconds since 1970, UTC
  times INTEGER NOT NULL,
  image_key INTEGER NOT NULL, digest_key INTEGER NOT NULL,
  UNIQUE (image_key, digest_key, hostname, provider, workload));
