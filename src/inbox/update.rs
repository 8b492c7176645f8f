//! An update: the current state of one image name, and the places that run it.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use super::labels::Labels;
use super::scan::Scans;
use super::seen::Verdict;
use super::version::Change;
use crate::event::{Event, Metadata};

/// The current state of one image name: its newest event, and what was decided about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The newest event. Without details it has only image, status, link and digest.
    pub event: Event,
    /// When that event was received.
    pub received_at: DateTime<Utc>,
    /// When its digest became the current one.
    pub since: DateTime<Utc>,
    /// Its state at the time of the query.
    pub state: State,
    /// When it was acknowledged; `None` while it is not.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// The end of its snooze, if that is set.
    pub snoozed_until: Option<DateTime<Utc>>,
    /// The note of the last action on it.
    pub note: Option<String>,
    /// The user's tag for the image.
    pub tag: Option<Tag>,
    /// The places that run the image, ordered by host, provider and workload. Without details only their keys are
    /// set, and whether they need the update.
    pub places: Vec<Place>,
    /// The number of its last change. Numbers grow with each change of any update.
    pub changed: i64,
    /// The number of images that are folded under this one.
    pub older: u64,
    /// These images, newest first. Empty without details.
    pub supersedes: Vec<String>,
    /// The kind of change since the digest that was acknowledged last, or else since the previous digest. Unknown
    /// if the query did not ask for it.
    pub change: Change,
    /// The version before the change, if it differs.
    pub previous: Option<String>,
    /// The labels of its image. Empty without details.
    pub labels: Labels,
}

impl Update {
    /// The places that do not run the current digest yet.
    pub fn needed(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(|place| place.is_needed)
    }

    /// The kind of change, and the version before if it is known: `minor from 1.0.9`.
    pub fn change_from(&self) -> String {
        match &self.previous {
            Some(previous) => format!("{} from {previous}", self.change.name()),
            None => self.change.name().to_owned(),
        }
    }

    /// Until when it is snoozed; `None` in any other state.
    pub fn snooze_end(&self) -> Option<DateTime<Utc>> {
        self.snoozed_until.filter(|_| self.state == State::Snoozed)
    }

    /// The places that are not gone.
    pub fn present(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(|place| !place.is_gone())
    }
}

/// The state of an update. The first that applies counts: ignored, acknowledged, superseded,
/// snoozed, pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// No other state applies.
    Pending,
    /// Hidden until a set time.
    Snoozed,
    /// Folded under a newer pending version.
    Superseded,
    /// The current digest is dealt with.
    Acknowledged,
    /// A pattern of the user matches the image.
    Ignored,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Snoozed, Self::Superseded, Self::Acknowledged, Self::Ignored];

    /// Its name, as in JSON and in filters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Snoozed => "snoozed",
            Self::Superseded => "superseded",
            Self::Acknowledged => "acknowledged",
            Self::Ignored => "ignored",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("\"{}\" is not a state: use one of {names}", name.escape_debug())
        })
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A place that runs an image: a workload on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The host.
    pub hostname: String,
    /// The provider through which Diun found it there.
    pub provider: String,
    /// The container, pod, service or task; empty where the provider names none.
    pub workload: String,
    /// The digest that it last reported.
    pub digest: String,
    /// The status of that report.
    pub status: String,
    /// The metadata of that report.
    pub metadata: Metadata,
    /// When it first reported the image.
    pub first_seen: DateTime<Utc>,
    /// When it last reported the image.
    pub last_seen: DateTime<Utc>,
    /// The number of its reports.
    pub times: u64,
    /// Whether it still needs the update's digest.
    pub is_needed: bool,
    /// What marked it as done (`person`, `reconcile`, `gone`, `name`); empty if it is not done.
    pub done_by: String,
    /// The result of its last comparison with what runs. `None` without details.
    pub runs: Option<Runs>,
}

impl Place {
    /// Whether it has a done mark.
    pub fn is_done(&self) -> bool {
        !self.done_by.is_empty()
    }

    /// Whether the last comparison found it gone.
    pub fn is_gone(&self) -> bool {
        self.done_by == "gone"
    }
}

/// The last comparison of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runs {
    /// Every digest of the image that it runs.
    pub digests: Vec<String>,
    /// Since when it was seen running them.
    pub since: DateTime<Utc>,
    /// Whether it runs the update's digest; `None` if that has not been compared yet.
    pub verdict: Option<Verdict>,
}

/// A digest that an image had before the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The digest.
    pub digest: String,
    /// When the image was built, as Diun sent it.
    pub created: Option<String>,
    /// The platform, such as `linux/amd64`.
    pub platform: String,
    /// When it became the current digest.
    pub first_seen: DateTime<Utc>,
    /// When it was last reported.
    pub last_seen: DateTime<Utc>,
}

/// A user's label. An image has at most one, and keeps it when new events arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// Its number, which stays when it is renamed.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// A host that runs images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name, as Diun sends it.
    pub name: String,
    /// The pending updates that it still needs.
    pub pending: u64,
    /// When an event last named it.
    pub last_event: Option<DateTime<Utc>>,
    /// When what runs there was last compared with the inbox.
    pub last_reconcile: Option<DateTime<Utc>>,
    /// The heartbeats of its Diun.
    pub scans: Scans,
}

/// The number of updates in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub pending: u64,
    pub snoozed: u64,
    pub superseded: u64,
    pub acknowledged: u64,
    pub ignored: u64,
    /// The number of the last change of any update.
    pub as_of: i64,
    /// When the digest of the oldest pending update became current.
    pub oldest_pending: Option<DateTime<Utc>>,
    /// The same of the newest pending update.
    pub newest_pending: Option<DateTime<Utc>>,
}
