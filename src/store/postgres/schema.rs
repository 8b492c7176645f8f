//! The schema on a server: `migrations/postgres/NN-name/up.sql` and `down.sql`.
//!
//! The baseline is the schema of the Go program DiunDashboard. Its rows are converted by the same rules as those
//! in an SQLite file.

use super::connection::{Connection, nothing};
use super::copy::Copy;
use super::failure::Failure;
use super::transaction::changes;
use super::value::Statement;
use crate::store::ErrorKind;

/// All steps.
const STEPS: [&str; 2] = [
    include_str!("../../../migrations/postgres/01-baseline/up.sql"),
    include_str!("../../../migrations/postgres/02-model/up.sql"),
];
/// The version of an up-to-date schema.
const LATEST: i64 = 2;
/// Only one process migrates at a time. The number of the lock is an arbitrary constant.
const BEGIN: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(4918284613786)";
/// The version, whether there are tables called `updates`, and whether they are DiunDashboard's.
const STATE: &str =
    "SELECT to_regclass('diunbox_schema') IS NOT NULL, to_regclass('updates') IS NOT NULL,
    (SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema()
        AND table_name = 'updates'
        AND column_name IN ('image', 'digest', 'received_at', 'acknowledged_at')) = 4";

/// Brings the schema up to date.
pub(super) fn prepare(connection: &Connection) -> Result<(), Failure> {
    match connection.version {
        LATEST => Ok(()),
        version if version > LATEST => {
            let what = format!(
                "was made by a newer diunbox (schema {version}, this one knows {LATEST}): update diunbox"
            );
            Err(Failure::Unfit(ErrorKind::Unusable, what))
        }
        _ => migrate(connection),
    }
}

fn migrate(connection: &Connection) -> Result<(), Failure> {
    connection.run(BEGIN)?;
    let ask = |sql: &str| connection.query(&Statement::new(sql, Vec::new()));
    let state = ask(STATE)?.pop().ok_or_else(nothing)?;
    // Another process migrated meanwhile.
    if state.try_get(0)? {
        return connection.run("ROLLBACK");
    }
    let (has_updates, is_adoptable) = (state.try_get::<_, bool>(1)?, state.try_get::<_, bool>(2)?);
    if has_updates && !is_adoptable {
        let what = "holds tables of another program: create a database for diunbox".into();
        return Err(Failure::Unfit(ErrorKind::Unusable, what));
    }
    let [baseline, model] = STEPS;
    connection.run(baseline)?;
    let mut adopted = Vec::new();
    if has_updates {
        let copy = Copy::before_model(|table, select, load| {
            connection.each(&Statement::new(select, Vec::new()), |row| load(table, row))
        })?;
        for sql in ["DELETE FROM tag_assignments", "DELETE FROM updates"] {
            adopted.push(Statement::new(sql, Vec::new()));
        }
        changes(&copy, |statement, _| {
            adopted.push(statement);
            Ok(())
        })?;
    }
    connection.run(model)?;
    for statement in &adopted {
        connection.query(statement)?;
    }
    connection.run("COMMIT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_says_its_version() {
        let version = format!("INSERT INTO diunbox_schema VALUES ({LATEST});");
        assert_eq!(usize::try_from(LATEST), Ok(STEPS.len()));
        assert!(STEPS[STEPS.len() - 1].contains(&version));
    }
}
