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
    /// Which updates. An update that is named but cannot be changed is left, with the reason.
    pub query: Query,
    /// Only the places on these hosts, or all places if the list is empty. Only for [`Kind::Acknowledge`].
    pub hosts: Vec<String>,
    /// Time, origin, user and note.
    pub stamp: Stamp,
}

/// The time, origin, user and note of a decision.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// Where it came from.
    pub origin: Origin,
    /// The user; empty if not known.
    pub user: String,
    /// The user's note.
    pub note: Option<String>,
}

impl Action {
    /// A decision about all updates that a query selects. If the query has no states, the usual states for this kind
    /// of decision are used.
    ///
    /// # Errors
    /// If it would reopen everything, which is probably a mistake.
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
    /// A stamp without a user and a note.
    pub fn new(origin: Origin, at: DateTime<Utc>) -> Self {
        Self { at, origin, user: String::new(), note: None }
    }
}

/// The kind of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The current digest is dealt with.
    Acknowledge,
    /// The current digest is not dealt with; earlier decisions are dropped.
    Reopen,
    /// The update is hidden until this time, whatever arrives meanwhile.
    Snooze(DateTime<Utc>),
}

impl Kind {
    /// The states in which a pattern finds updates for this kind.
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

/// The result of an action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Its number in the history; `None` if it changed nothing.
    pub id: Option<i64>,
    /// The images that are now in the requested state, changed or not.
    pub images: Vec<String>,
    /// The images that were not changed.
    pub left: Vec<Left>,
}

/// An image that an action did not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The image.
    pub image: String,
    /// Why.
    pub reason: Reason,
}

/// The reason why an action does not change an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It has no update.
    Missing,
    /// Its current digest is this one, not the one that was given.
    Digest(String),
    /// This pattern of the user's matches it.
    Ignored(String),
    /// This newer image supersedes it.
    Folded(String),
    /// It is pending already.
    Pending,
    /// It is acknowledged already.
    Acknowledged,
    /// None of its places is on the given hosts.
    NoPlace,
    /// It has a later decision.
    Decided,
    /// The tag that it had was deleted.
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
