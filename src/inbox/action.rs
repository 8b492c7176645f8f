//! Actions on updates, and their results.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use super::query::Query;
use super::update::State;

/// A decision about the updates that a query selects.
#[derive(Clone, Debug)]
pub struct Action {
    /// What was decided.
    pub kind: Kind,
    /// Which updates. An update that is named but cannot be taken is left, with the reason.
    pub query: Query,
    /// Only at the places on these hosts; everywhere if there are none. For [`Kind::Acknowledge`] alone.
    pub hosts: Vec<String>,
    /// When, whence and why.
    pub stamp: Stamp,
}

/// What goes with every decision.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// Where it came from.
    pub origin: Origin,
    /// The user; empty if not known.
    pub user: String,
    /// What the user says about it.
    pub note: Option<String>,
}

impl Action {
    /// A decision about all updates that a query selects. Without states in the query, it looks at
    /// those that such a decision is usually about.
    ///
    /// # Errors
    /// When everything would be reopened, which is more likely a slip than a wish.
    pub fn on_all(kind: Kind, mut query: Query, stamp: Stamp) -> Result<Self, String> {
        if query.states.is_empty() {
            if kind == Kind::Reopen && !query.is_filtered() {
                let message = "reopening needs a filter, or the state acknowledged or snoozed";
                return Err(message.to_owned());
            }
            query.states = match kind {
                Kind::Acknowledge | Kind::Snooze(_) => vec![State::Pending],
                Kind::Reopen => vec![State::Acknowledged, State::Snoozed],
            };
        }
        let hosts = match kind {
            Kind::Acknowledge => query.hosts.clone(),
            _ => Vec::new(),
        };
        Ok(Self { kind, query, hosts, stamp })
    }
}

impl Stamp {
    /// A decision from somewhere, without a user and a note.
    pub fn new(origin: Origin, at: DateTime<Utc>) -> Self {
        Self { at, origin, user: String::new(), note: None }
    }
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The current digest is dealt with.
    Acknowledge,
    /// It is not, whatever was decided before.
    Reopen,
    /// It can wait until this time, whatever arrives meanwhile.
    Snooze(DateTime<Utc>),
}

impl Kind {
    /// The states in which a pattern finds the updates that it is about.
    pub fn takes(self) -> &'static [State] {
        match self {
            Self::Acknowledge => &[State::Pending, State::Snoozed, State::Superseded],
            Self::Reopen => &[State::Snoozed, State::Acknowledged],
            Self::Snooze(_) => &[State::Pending, State::Snoozed],
        }
    }

    /// Its name, as in the history.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Reopen => "reopen",
            Self::Snooze(_) => "snooze",
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
    /// The page.
    Page,
    /// A comparison with what runs.
    Reconcile,
}

impl Origin {
    /// Its name, as in the history.
    pub fn name(self) -> &'static str {
        match self {
            Self::CommandLine => "command line",
            Self::Http => "http",
            Self::Page => "page",
            Self::Reconcile => "reconcile",
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
    /// This pattern of the user's matches it.
    Ignored(String),
    /// This newer image supersedes it.
    Folded(String),
    /// It is pending already.
    Pending,
    /// It is acknowledged already.
    Acknowledged,
    /// None of its places is on the hosts that were named.
    NoPlace,
    /// Something else was decided about it since.
    Decided,
    /// The tag that it had is deleted.
    NoTag,
    /// It has changed since the user looked.
    Changed,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => formatter.write_str("there is no update of it"),
            Self::Digest(digest) if digest.is_empty() => {
                formatter.write_str("its newest event has no digest")
            }
            Self::Digest(digest) => write!(formatter, "its digest is {digest} now"),
            Self::Ignored(pattern) => write!(formatter, "ignored by {pattern}"),
            Self::Folded(image) => write!(formatter, "folded under {image}"),
            Self::Pending => formatter.write_str("it is pending already"),
            Self::Acknowledged => formatter.write_str("it is acknowledged: reopen it first"),
            Self::NoPlace => formatter.write_str("it does not run on these hosts"),
            Self::Decided => formatter.write_str("it was decided on since"),
            Self::NoTag => formatter.write_str("the tag that it had is deleted"),
            Self::Changed => formatter.write_str("it has changed since it was listed"),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
