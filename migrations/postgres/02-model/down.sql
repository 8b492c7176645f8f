DROP TABLE diunbox_schema;
DROP TABLE writers;
DROP TABLE ignores;
DROP TABLE action_images;
DROP TABLE actions;
DROP TABLE refusals;
DROP TABLE hosts;
DROP TABLE removed;
DROP TABLE labels;
DROP TABLE digests;
DROP TABLE places;
DROP INDEX updates_series;
DROP INDEX updates_ignored;
DROP INDEX updates_open;
DROP INDEX updates_changed;
DROP INDEX updates_since;
ALTER TABLE updates DROP COLUMN changed, DROP COLUMN note, DROP COLUMN rank, DROP COLUMN series,
  DROP COLUMN older, DROP COLUMN superseded_from, DROP COLUMN ignored, DROP COLUMN snoozed_until,
  DROP COLUMN acknowledged_by, DROP COLUMN acknowledged_digest, DROP COLUMN since, DROP COLUMN received,
  DROP COLUMN metadata;
