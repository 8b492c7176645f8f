DROP TABLE reports;
ALTER TABLE updates DROP COLUMN metadata;
