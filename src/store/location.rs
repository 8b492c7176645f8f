//! The location of the database: a file, or a PostgreSQL server.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

#[cfg(feature = "postgres")]
pub use super::postgres::Address;

/// The address type of a build without PostgreSQL. It has no values.
#[cfg(not(feature = "postgres"))]
#[derive(Clone, Debug)]
pub enum Address {}

/// Where a store is. Printed without a password.
#[derive(Clone, Debug)]
pub enum Location {
    /// An SQLite file.
    File(PathBuf),
    /// A database of PostgreSQL.
    Postgres(Box<Address>),
}

impl Location {
    /// Parses the value of `--db`: a path, or a PostgreSQL URL.
    ///
    /// # Errors
    /// A sentence that says what is wrong. It never quotes a password.
    pub fn parse(text: &OsStr) -> Result<Self, String> {
        let Some((scheme, _)) = text.to_str().and_then(|text| text.split_once("://")) else {
            return Ok(Self::File(text.into()));
        };
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+.-".contains(c);
        if scheme.is_empty() || scheme.starts_with('.') || !scheme.chars().all(is_scheme) {
            return Ok(Self::File(text.into()));
        }
        if scheme != "postgres" && scheme != "postgresql" {
            return Err(format!(
                "a database cannot be at a URL of the kind {scheme}://: give a path, or postgres://…"
            ));
        }
        Self::postgres(&text.to_string_lossy())
    }

    #[cfg(feature = "postgres")]
    fn postgres(url: &str) -> Result<Self, String> {
        Address::parse(url).map(|address| Self::Postgres(Box::new(address)))
    }

    #[cfg(not(feature = "postgres"))]
    fn postgres(_: &str) -> Result<Self, String> {
        Err("this diunbox was built without PostgreSQL: build it with `--features postgres`".into())
    }

    /// The path, if it is a file.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// Returns false if there is no such file. A server is not asked.
    pub fn may_exist(&self) -> bool {
        self.path().is_none_or(Path::exists)
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            #[cfg(feature = "postgres")]
            Self::Postgres(address) => address.fmt(formatter),
            #[cfg(not(feature = "postgres"))]
            Self::Postgres(address) => match **address {},
        }
    }
}

/// The location of the database: the value of `--db`, else the content of the file that `DIUNBOX_DB_FILE`
/// names, else `DIUNBOX_DB`, else a path in the user's data directory.
///
/// # Errors
/// A sentence that says what to set.
pub fn choose(chosen: Option<&OsStr>) -> Result<Location, String> {
    if let Some(text) = chosen {
        let location = named(text)?;
        #[cfg(feature = "postgres")]
        if matches!(&location, Location::Postgres(address) if address.has_password()) {
            return Err(
                "a password in --db can be seen by everybody on this machine: set DIUNBOX_DB, \
                        DIUNBOX_DB_FILE or PGPASSWORD instead"
                    .into(),
            );
        }
        return Ok(location);
    }
    if let Some(file) = std::env::var_os("DIUNBOX_DB_FILE") {
        let text = std::fs::read_to_string(&file).map_err(|error| {
            let file = Path::new(&file).display();
            format!("cannot read {file}, which DIUNBOX_DB_FILE names: {error}")
        })?;
        return named(&OsString::from(text.trim()));
    }
    if let Some(text) = std::env::var_os("DIUNBOX_DB") {
        return named(&text);
    }
    etcetera::choose_base_strategy()
        .map(|folders| Location::File(folders.data_dir().join("diunbox/diunbox.db")))
        .map_err(|_| "there is no home directory: set --db to the path of the database".into())
}

fn named(text: &OsStr) -> Result<Location, String> {
    if text.is_empty() {
        return Err("the database has no name: set --db or DIUNBOX_DB to a path".into());
    }
    Location::parse(text)
}
