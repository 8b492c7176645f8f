-- The same columns as in SQLite, in the same order; numbers are BIGINT.
-- Times are milliseconds since 1970, UTC: received_at and acknowledged_at may hold what other programs
-- wrote, which does not sort as text.
ALTER TABLE updates ADD COLUMN metadata TEXT NOT NULL DEFAULT '';
ALTER TABLE updates ADD COLUMN received BIGINT NOT NULL DEFAULT 0;
-- When the current digest became current.
ALTER TABLE updates ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
-- The digest that was last acknowledged, and whether by a person or because all places are done.
ALTER TABLE updates ADD COLUMN acknowledged_digest TEXT;
ALTER TABLE updates ADD COLUMN acknowledged_by TEXT;
ALTER TABLE updates ADD COLUMN snoozed_until BIGINT;
ALTER TABLE updates ADD COLUMN ignored BIGINT NOT NULL DEFAULT 0;
-- From when on a newer image of the same line supersedes it: 0 for already, later for the end of that
-- one's snooze.
ALTER TABLE updates ADD COLUMN superseded_from BIGINT;
-- How many are folded under it while it is pending; NULL where that depends on the time.
ALTER TABLE updates ADD COLUMN older BIGINT DEFAULT 0;
-- What its version is compared with, and a text that sorts as versions do.
ALTER TABLE updates ADD COLUMN series TEXT COLLATE "C";
ALTER TABLE updates ADD COLUMN rank TEXT COLLATE "C";
ALTER TABLE updates ADD COLUMN note TEXT;
-- Grows with each change of any row, so that readers can ask for what is new.
ALTER TABLE updates ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;

-- The largest number of a change to an update that was removed since: numbers are never used again.
CREATE TABLE removed (changed BIGINT NOT NULL);
INSERT INTO removed VALUES (0);

CREATE INDEX updates_since ON updates (since);
CREATE INDEX updates_changed ON updates (changed);
-- The first condition alone: a server finds it in every query.
CREATE INDEX updates_open ON updates (since) WHERE acknowledged_at IS NULL AND ignored = 0;
CREATE INDEX updates_ignored ON updates (since) WHERE ignored <> 0;
CREATE INDEX updates_series ON updates (series, rank) WHERE series IS NOT NULL;

-- Where an image runs, with the place's last report. Done with a digest means that it runs that one.
CREATE TABLE places (
  image TEXT NOT NULL, hostname TEXT NOT NULL, provider TEXT NOT NULL, workload TEXT NOT NULL,
  digest TEXT NOT NULL, status TEXT NOT NULL, metadata TEXT NOT NULL,
  first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL, times BIGINT NOT NULL,
  done_digest TEXT, done_by TEXT,
  -- As JSON the digests that it was seen running, and those for which a person said that it is not done.
  running TEXT, refused TEXT,
  -- Since when it was seen running them; what the last comparison found, and with which digest.
  running_since BIGINT, verdict TEXT, compared TEXT,
  PRIMARY KEY (image, hostname, provider, workload));

-- The digests that an image had before the current one.
CREATE TABLE digests (
  image TEXT NOT NULL, digest TEXT NOT NULL, created TEXT NOT NULL, platform TEXT NOT NULL,
  first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL,
  PRIMARY KEY (image, digest));

-- What the labels of an image say. They come with what runs, and with Diun's list.
CREATE TABLE labels (
  image TEXT NOT NULL, digest TEXT NOT NULL, version TEXT NOT NULL, source TEXT NOT NULL,
  changelog TEXT NOT NULL,
  PRIMARY KEY (image, digest));

-- When an event last named a host, and when what runs there was last compared; the secret of its Diun's
-- heartbeats, and as JSON what they said.
CREATE TABLE hosts (
  name TEXT PRIMARY KEY, last_event BIGINT, last_reconcile BIGINT, ping_secret TEXT,
  scans TEXT NOT NULL DEFAULT '');

-- How many webhook requests were refused, by reason, and when the last one was.
CREATE TABLE refusals (
  reason TEXT PRIMARY KEY, count BIGINT NOT NULL, last BIGINT NOT NULL);

-- What was decided. The uid tells actions apart across databases. Only actions about the same thing
-- (state, tag or pattern) come in one another's way when they are taken back.
CREATE TABLE actions (
  id BIGSERIAL PRIMARY KEY, uid TEXT NOT NULL UNIQUE,
  at BIGINT NOT NULL, kind TEXT NOT NULL, about TEXT NOT NULL, detail TEXT, origin TEXT NOT NULL,
  "user" TEXT NOT NULL, note TEXT, undoes BIGINT, undone_by BIGINT);
-- The images that an action changed: their digest then, and as JSON what the row and its places held
-- before.
CREATE TABLE action_images (
  action BIGINT NOT NULL REFERENCES actions (id) ON DELETE CASCADE, image TEXT NOT NULL,
  digest TEXT NOT NULL, before TEXT NOT NULL, undone BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (action, image));
CREATE INDEX action_images_image ON action_images (image);

-- Patterns of images that never become pending.
CREATE TABLE ignores (
  pattern TEXT PRIMARY KEY, note TEXT, added BIGINT NOT NULL);

-- The last change that each writer has stored, so that none is stored twice when its answer was lost.
CREATE TABLE writers (writer TEXT PRIMARY KEY, seq BIGINT NOT NULL, at BIGINT NOT NULL);

CREATE TABLE diunbox_schema (version BIGINT NOT NULL);
INSERT INTO diunbox_schema VALUES (2);
