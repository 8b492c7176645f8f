//! The location of the database.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

/// The path that was chosen, otherwise that in `DIUNBOX_DB`, otherwise one in the user's data directory.
///
/// # Errors
/// With a sentence that says what to set.
pub fn choose(chosen: Option<&Path>) -> Result<PathBuf, &'static str> {
    let environment = || std::env::var_os("DIUNBOX_DB").map(PathBuf::from);
    match chosen.map(Path::to_owned).or_else(environment) {
        Some(path) if path.as_os_str().is_empty() => {
            Err("the database has no name: set --db or DIUNBOX_DB to a path")
        }
        Some(path) => Ok(path),
        None => etcetera::choose_base_strategy()
            .map(|folders| folders.data_dir().join("diunbox/diunbox.db"))
            .map_err(|_| "there is no home directory: set --db to the path of the database"),
    }
}
