DROP TABLE tag_assignments;
DROP TABLE tags;
DROP TABLE updates;
