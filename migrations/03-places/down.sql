ALTER TABLE updates DROP COLUMN first_workload;
ALTER TABLE updates DROP COLUMN first_provider;
ALTER TABLE updates DROP COLUMN first_hostname;
ALTER TABLE updates DROP COLUMN places;
