//! The database's schema, step by step: `migrations/NN-name/up.sql` and `down.sql`.
//!
//! A step only adds. The baseline is also what the Go program DiunDashboard uses, which must
//! still find its tables and columns as it left them.

use rusqlite_migration::{M, Migrations};

const STEPS: &[M<'_>] = &[
    M::up(include_str!("../../migrations/01-baseline/up.sql"))
        .down(include_str!("../../migrations/01-baseline/down.sql")),
    M::up(include_str!("../../migrations/02-reports/up.sql"))
        .down(include_str!("../../migrations/02-reports/down.sql")),
    M::up(include_str!("../../migrations/03-places/up.sql"))
        .down(include_str!("../../migrations/03-places/down.sql")),
];

/// All steps, for `rusqlite_migration` to apply. SQLite's `user_version` counts those applied.
pub const MIGRATIONS: Migrations<'static> = Migrations::from_slice(STEPS);

/// How many steps there are: the `user_version` of an up-to-date database.
pub const LATEST: usize = STEPS.len();

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
    fn up_down_and_up_again() {
        let mut connection = Connection::open_in_memory().unwrap();
        MIGRATIONS.to_latest(&mut connection).unwrap();
        let first = schema(&connection);
        assert!(first.len() > 3);
        MIGRATIONS.to_version(&mut connection, 0).unwrap();
        // SQLite keeps its own table of AUTOINCREMENT counters.
        assert_eq!(schema(&connection), ["CREATE TABLE sqlite_sequence(name,seq)"]);
        MIGRATIONS.to_latest(&mut connection).unwrap();
        assert_eq!(schema(&connection), first);
    }

    #[test]
    fn each_step_goes_down_to_what_was_before_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        for version in 1..LATEST {
            MIGRATIONS.to_version(&mut connection, version).unwrap();
            let before = schema(&connection);
            MIGRATIONS.to_version(&mut connection, version + 1).unwrap();
            assert_ne!(schema(&connection), before);
            MIGRATIONS.to_version(&mut connection, version).unwrap();
            assert_eq!(schema(&connection), before);
        }
    }
}
