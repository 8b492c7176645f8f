-- How many places run the current digest, and the first of them by host, provider and workload, so
-- that a list need not read the reports. 0 where that is not known, as in rows that are older than
-- these columns; nor does it count where another program wrote the row, see 02-reports.
ALTER TABLE updates ADD COLUMN places INTEGER NOT NULL DEFAULT 0;
ALTER TABLE updates ADD COLUMN first_hostname TEXT NOT NULL DEFAULT '';
ALTER TABLE updates ADD COLUMN first_provider TEXT NOT NULL DEFAULT '';
ALTER TABLE updates ADD COLUMN first_workload TEXT NOT NULL DEFAULT '';
