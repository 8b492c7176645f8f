//! Errors of the store.

/// The result of a store's operation.
pub type Result<T> = std::result::Result<T, StoreError>;

/// An error of the store: a kind that callers match on, and a sentence that says what failed, where, and
/// what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// The kind that callers match on.
    pub kind: ErrorKind,
    /// What failed, where, and what to do next.
    pub message: String,
}

/// The kinds of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A tag of this name exists.
    TagExists,
    /// The text cannot be the name of a tag.
    TagName,
    /// There is no such tag.
    UnknownTag,
    /// The action was already taken back.
    Undone,
    /// The database is locked or does not answer. Trying again may help.
    Unavailable,
    /// The disk is full.
    Full,
    /// The database may not be read or written by this user.
    Denied,
    /// The database is not an inbox that this version can use.
    Unusable,
    /// The database's files were removed or replaced while it was open.
    Replaced,
    /// Anything else.
    Other,
}

impl StoreError {
    /// An error of a kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}
