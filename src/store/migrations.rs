//! The schema of SQLite databases, step by step: `migrations/sqlite/NN-name/up.sql` and `down.sql`.
//!
//! A step only adds tables and columns. The baseline is the schema of the Go program DiunDashboard, which
//! can still use its tables afterwards.

use rusqlite_migration::{M, Migrations};

use super::rules::adopt;

/// The `user_version` of an up-to-date database, which is the number of steps.
pub(super) const LATEST: usize = 2;

/// All steps. SQLite's `user_version` counts those applied.
pub(super) fn migrations() -> Migrations<'static> {
    Migrations::new(vec![
        M::up(include_str!("../../migrations/sqlite/01-baseline/up.sql"))
            .down(include_str!("../../migrations/sqlite/01-baseline/down.sql")),
        M::up_with_hook(
            include_str!("../../migrations/sqlite/02-model/up.sql"),
            |transaction: &rusqlite::Transaction<'_>| Ok(adopt::rows(transaction)?),
        )
        .down(include_str!("../../migrations/sqlite/02-model/down.sql")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    fn schema(connection: &Connection) -> Vec<String> {
        connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    #[test]
    fn each_step_goes_down_to_what_was_before_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        let migrations = migrations();
        let mut before = vec![schema(&connection)];
        for version in 1..=LATEST {
            migrations.to_version(&mut connection, version).unwrap();
            assert!(!before.contains(&schema(&connection)));
            before.push(schema(&connection));
        }
        for version in (0..LATEST).rev() {
            migrations.to_version(&mut connection, version).unwrap();
            let mut expected = before[version].clone();
            if version == 0 {
                // SQLite keeps its own table of AUTOINCREMENT counters.
                expected.push("CREATE TABLE sqlite_sequence(name,seq)".to_owned());
            }
            assert_eq!(schema(&connection), expected, "{version}");
        }
        migrations.to_latest(&mut connection).unwrap();
        assert_eq!(schema(&connection), before[LATEST]);
    }
}
