//! Errors of the store.

/// What an operation returns.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Why an operation failed: a kind to act on, and a sentence from the engine that says what was
/// wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// What kind of failure this is.
    pub kind: ErrorKind,
    /// What was wrong, where, and what to do.
    pub message: String,
}

/// Kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A tag of this name exists.
    TagExists,
    /// It cannot be a tag's name.
    TagName,
    /// There is no such tag.
    UnknownTag,
    /// It cannot be taken back: that was done before.
    Undone,
    /// Others use it, or it does not answer: trying again may help.
    Unavailable,
    /// There is no space left.
    Full,
    /// It may not be read or written.
    Denied,
    /// It is not an inbox that this diunbox can use.
    Unusable,
    /// Its files were removed or replaced while it was open.
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
