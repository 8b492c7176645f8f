DROP VIEW reports;
DROP TABLE older_reports;
ALTER TABLE updates DROP COLUMN times;
ALTER TABLE updates DROP COLUMN last_seen;
ALTER TABLE updates DROP COLUMN first_seen;
ALTER TABLE updates DROP COLUMN workload;
ALTER TABLE updates DROP COLUMN metadata;
