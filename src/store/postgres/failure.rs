//! Failures of an attempt: whether another attempt can help, and what the user is told.

use tokio_postgres::error::SqlState;

use super::url::Address;
use crate::store::{ErrorKind, StoreError};

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection ended, or the server did not answer in time. It may have done what was sent.
    Lost(String),
    /// No server can be reached.
    Unreachable(String),
    /// The server refused a statement, and rolled the transaction back.
    Refused { code: SqlState, message: String },
    /// The database cannot be used: what is wrong with it, and what to do.
    Unfit(ErrorKind, String),
    /// An earlier attempt stored the change.
    Stored,
    /// Any other failure. Another attempt would fail as well.
    Final(StoreError),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refused) => Self::Refused {
                code: refused.code().clone(),
                message: refused.message().to_owned(),
            },
            None => Self::Lost(reason(&error)),
        }
    }
}

/// SQLite failed on the working copy.
impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let message = format!("the rows that were read cannot be used: {error}");
        Self::Final(StoreError::new(ErrorKind::Other, message))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Final(error)
    }
}

impl Failure {
    /// A failure to connect.
    pub(super) fn of_connecting(error: tokio_postgres::Error) -> Self {
        if error.as_db_error().is_some() {
            return error.into();
        }
        let reason = reason(&error);
        if reason.contains("TLS") {
            let advice =
                "set sslrootcert to the certificates that it is signed by, or sslmode=disable";
            return Self::Unfit(
                ErrorKind::Unusable,
                format!("cannot be trusted: {reason}: {advice}"),
            );
        }
        if reason.contains("password") {
            let advice = "asks for a password: set PGPASSWORD or a password file";
            return Self::Unfit(ErrorKind::Denied, advice.into());
        }
        Self::Unreachable(reason)
    }

    /// Whether another attempt may succeed.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Lost(_) | Self::Unreachable(_) => true,
            Self::Refused { code, .. } => {
                let class = &code.code()[..2];
                ["08", "40", "53", "57"].contains(&class)
                    || [
                        SqlState::LOCK_NOT_AVAILABLE,
                        SqlState::READ_ONLY_SQL_TRANSACTION,
                        // The statement was prepared before a migration.
                        SqlState::FEATURE_NOT_SUPPORTED,
                    ]
                    .contains(code)
            }
            Self::Stored | Self::Unfit(..) | Self::Final(_) => false,
        }
    }

    /// Whether the connection must be closed: it is broken, or leads to a standby.
    pub(super) fn ends_connection(&self) -> bool {
        match self {
            Self::Refused { code, .. } => {
                code.code().starts_with("57P")
                    || code.code().starts_with("08")
                    || [SqlState::READ_ONLY_SQL_TRANSACTION, SqlState::FEATURE_NOT_SUPPORTED]
                        .contains(code)
            }
            Self::Lost(_) | Self::Unreachable(_) => true,
            // The answer to a statement may still be outstanding.
            Self::Stored | Self::Unfit(..) | Self::Final(_) => false,
        }
    }

    /// Whether the server refused the data itself. The rest of the batch may be stored without it.
    pub(super) fn is_about_data(&self) -> bool {
        match self {
            Self::Refused { code, .. } => ["21", "22", "23", "54"].contains(&&code.code()[..2]),
            _ => false,
        }
    }

    /// The error for the user: what failed, where, and what to do next.
    pub(super) fn explain(self, address: &Address) -> StoreError {
        let (user, name) = address.names();
        let new = |kind, message: String| StoreError::new(kind, message);
        let (code, message) = match self {
            Self::Final(error) => return error,
            Self::Unreachable(reason) => {
                return new(
                    ErrorKind::Unavailable,
                    format!(
                        "{address} cannot be reached: {reason}: check that the server runs, and the URL"
                    ),
                );
            }
            Self::Unfit(kind, what) => return new(kind, format!("{address} {what}")),
            Self::Stored => return new(ErrorKind::Other, "it was stored before".into()),
            Self::Lost(reason) => {
                return new(
                    ErrorKind::Unavailable,
                    format!("{address} does not answer: {reason}: try again"),
                );
            }
            Self::Refused { code, message } => (code, message),
        };
        let (kind, what) = match code.code() {
            "28P01" | "28000" => (
                ErrorKind::Denied,
                format!(
                    "refuses the user {user} ({message}): set PGPASSWORD or a password file, or change pg_hba.conf"
                ),
            ),
            "3D000" => (
                ErrorKind::Unusable,
                format!("has no database {name}: create it with `createdb --owner={user} {name}`"),
            ),
            "42501" => (
                ErrorKind::Denied,
                format!(
                    "does not let {user} do this ({message}): grant the rights that docs/POSTGRESQL.md lists"
                ),
            ),
            "42P01" | "3F000" => (
                ErrorKind::Unusable,
                format!("lacks a table ({message}): restore a backup, or use another database"),
            ),
            "25006" => (
                ErrorKind::Unavailable,
                "can only be read: add the primary server to the URL's hosts".into(),
            ),
            "53300" => (
                ErrorKind::Unavailable,
                format!(
                    "has no connection left ({message}): raise max_connections, or use a pooler"
                ),
            ),
            "53100" => (
                ErrorKind::Full,
                format!("has no space left on its disk ({message}): free some space and try again"),
            ),
            "42P05" | "26000" => (
                ErrorKind::Unusable,
                format!(
                    "shares connections with prepared statements ({message}): add prepared_statements=false to the URL, or let the pooler keep them apart"
                ),
            ),
            "55P03" | "57014" | "40001" | "40P01" => {
                (ErrorKind::Unavailable, format!("was too busy ({message}): try again"))
            }
            other if ["08", "53", "57"].contains(&&other[..2]) => {
                (ErrorKind::Unavailable, format!("is not available ({message}): try again"))
            }
            other => (ErrorKind::Other, format!("refused a statement ({other}: {message})")),
        };
        new(kind, format!("{address} {what}"))
    }
}

/// The message of the library's error with its sources. The first one is only a heading.
pub(super) fn reason(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        // Some errors repeat their source.
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}
