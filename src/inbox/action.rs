//! A decision about updates, and what came of it.

use std::fmt;

use serde::{Serialize, Serializer};

use super::query::Query;

/// A decision about the updates that a query selects.
#[derive(Clone, Debug)]
pub struct Action {
    /// What was decided.
    pub kind: Kind,
    /// Which updates. An update that is named but cannot be taken is left, with the reason.
    pub query: Query,
    /// Only at the places on these hosts; everywhere if there are none.
    pub hosts: Vec<String>,
    /// What the user says about it.
    pub note: Option<String>,
    /// Where it came from.
    pub origin: Origin,
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The current digest is dealt with.
    Acknowledge,
    /// It is not, whatever was decided before.
    Reopen,
}

impl Kind {
    /// Its name, as in the history.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Reopen => "reopen",
        }
    }
}

/// Where an action came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    CommandLine,
    /// The HTTP API.
    Http,
}

impl Origin {
    /// Its name, as in the history.
    pub fn name(self) -> &'static str {
        match self {
            Self::CommandLine => "command line",
            Self::Http => "http",
        }
    }
}

/// What came of an action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Its number in the history; `None` if it changed nothing.
    pub id: Option<i64>,
    /// The images that are now as the action asked, whether or not it had to change them.
    pub images: Vec<String>,
    /// The images that were left alone.
    pub left: Vec<Left>,
}

/// An image that an action left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The image.
    pub image: String,
    /// Why.
    pub reason: Reason,
}

/// Why an action leaves an image alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no update of it.
    Missing,
    /// Its digest is this one, not the one that was named.
    Digest(String),
    /// A pattern of the user's matches it.
    Ignored,
    /// It is pending already.
    Pending,
    /// None of its places is on the hosts that were named.
    NoPlace,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("there is no update of it"),
            Self::Digest(digest) if digest.is_empty() => {
                formatter.write_str("its newest event has no digest")
            }
            Self::Digest(digest) => write!(formatter, "its digest is {digest} now"),
            Self::Ignored => formatter.write_str("it is ignored"),
            Self::Pending => formatter.write_str("it is pending already"),
            Self::NoPlace => formatter.write_str("it does not run on these hosts"),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
