//! Queries: the same filters for the command line, HTTP and every engine.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

use super::update::State;
use crate::image::{ImageName, ImagePattern, is_pattern};

/// Which updates to select, and in which order. An update is selected if all fields match. A list matches if it is
/// empty or if one of its values matches.
#[derive(Clone, Debug)]
pub struct Query {
    /// The time of the query. It decides whether a snooze has ended.
    pub now: DateTime<Utc>,
    /// In one of these states.
    pub states: Vec<State>,
    /// One of these images.
    pub images: Vec<Wanted>,
    /// With this text in the image, the tag, a host or a workload, in upper or lower case.
    pub search: Option<String>,
    /// With one of these tags.
    pub tags: Vec<String>,
    /// Without a tag.
    pub untagged: bool,
    /// At a place on one of these hosts. If only pending updates are asked for, that place must
    /// still need the update.
    pub hosts: Vec<String>,
    /// At a place that one of these providers found; with `hosts`, at the same place.
    pub providers: Vec<String>,
    /// With one of these statuses in the newest event.
    pub statuses: Vec<String>,
    /// Whose digest became current at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Whose digest became current before this time.
    pub before: Option<DateTime<Utc>>,
    /// Changed after the change with this number.
    pub changed_after: Option<i64>,
    /// Whose snooze ended after the first time, up to the second.
    pub snooze_ended: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// The order of the result.
    pub sort: Sort,
    /// Whether the order is reversed.
    pub reverse: bool,
    /// At most this many.
    pub limit: Option<usize>,
    /// Only updates after this position.
    pub after: Option<Cursor>,
    /// How much of each update to read.
    pub detail: Detail,
    /// The number of the last change that the user has seen ([`super::update::Counts::as_of`]). Actions leave updates
    /// that changed later.
    pub as_of: Option<i64>,
}

/// An image filter.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// The image of this name. With a digest, an action applies only while it is the current one.
    Exact(ImageName, Option<String>),
    /// Every image that matches.
    Pattern(ImagePattern),
}

impl Wanted {
    /// Parses a name as users type it: a pattern, or a name with or without a digest.
    ///
    /// # Errors
    /// With a sentence that says what is wrong with it.
    pub fn typed(text: &str) -> Result<Self, String> {
        if is_pattern(text) {
            ImagePattern::new(text).map(Self::Pattern)
        } else {
            Self::exact(text)
        }
    }

    /// Parses a name that is never a pattern.
    ///
    /// # Errors
    /// With a sentence that says what is wrong with it.
    pub fn exact(text: &str) -> Result<Self, String> {
        ImageName::new(text).map(|name| Self::Exact(name, None))
    }
}

/// How much of each update to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// The columns of a table.
    Table,
    /// Also the kind of change.
    Item,
    /// Also the whole event and all places.
    Full,
}

/// What to sort by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// When the digest became current, newest first.
    #[default]
    Since,
    /// When the newest event was received, newest first.
    Received,
    /// When the image was built, newest first.
    Created,
    Image,
    Tag,
    Host,
    /// The order of the last changes. Only used internally.
    Changed,
}

/// The end of a page: the sort key of its last update. Only for the orders `Since` and `Image`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Milliseconds since 1970.
    pub since: i64,
    /// The image.
    pub image: String,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.since, self.image)
    }
}

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('.').and_then(|(since, image)| {
            Some(Self { since: since.parse().ok()?, image: image.to_owned() })
        });
        parsed.ok_or_else(|| "it is not a cursor: use the `next` of a page".to_owned())
    }
}

impl Query {
    /// Every update, newest first.
    pub fn all(now: DateTime<Utc>) -> Self {
        Self {
            now,
            states: Vec::new(),
            images: Vec::new(),
            search: None,
            tags: Vec::new(),
            untagged: false,
            hosts: Vec::new(),
            providers: Vec::new(),
            statuses: Vec::new(),
            since: None,
            before: None,
            changed_after: None,
            snooze_ended: None,
            sort: Sort::Since,
            reverse: false,
            limit: None,
            after: None,
            detail: Detail::Full,
            as_of: None,
        }
    }

    /// The pending updates, newest first.
    pub fn pending(now: DateTime<Utc>) -> Self {
        Self { states: vec![State::Pending], ..Self::all(now) }
    }

    /// The update of one image.
    pub fn of(image: ImageName, now: DateTime<Utc>) -> Self {
        Self { images: vec![Wanted::Exact(image, None)], ..Self::all(now) }
    }

    /// Sets a filter or the order from the text of an option or a parameter. Values are added to lists.
    ///
    /// # Errors
    /// With a sentence about the value, or about the name if there is no such filter.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        self.set_unnamed(name, value).map_err(|reason| format!("`{name}`: {reason}"))
    }

    fn set_unnamed(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "state" => self.set_states(value)?,
            "image" => self.images.push(Wanted::Pattern(ImagePattern::new(value)?)),
            "search" => self.search = Some(value.to_owned()),
            "tag" => self.tags.push(value.to_owned()),
            "untagged" => self.untagged = flag(value)?,
            "host" => self.hosts.push(value.to_owned()),
            "provider" => self.providers.push(value.to_owned()),
            "status" => self.statuses.push(value.to_owned()),
            "since" => self.since = Some(ago(value, self.now)?),
            "before" => self.before = Some(ago(value, self.now)?),
            "sort" => self.sort = sort(value)?,
            "reverse" => self.reverse = flag(value)?,
            "limit" => self.limit = Some(value.parse().map_err(|_| "it is not a number")?),
            "after" => self.after = Some(value.parse()?),
            "as_of" => self.as_of = Some(value.parse().map_err(|_| "it is not a number")?),
            _ => return Err("there is no such filter".to_owned()),
        }
        Ok(())
    }

    fn set_states(&mut self, value: &str) -> Result<(), String> {
        for name in value.split(',') {
            if name == "all" {
                self.states.extend(State::ALL);
            } else {
                self.states.push(name.parse()?);
            }
        }
        Ok(())
    }

    /// Whether any field besides the states limits the result.
    pub fn is_filtered(&self) -> bool {
        let lists = [&self.tags, &self.hosts, &self.providers, &self.statuses];
        !self.images.is_empty()
            || lists.iter().any(|values| !values.is_empty())
            || self.untagged
            || self.search.is_some()
            || self.since.is_some()
            || self.before.is_some()
    }

    /// Whether only pending updates are selected.
    pub fn is_pending_only(&self) -> bool {
        self.states == [State::Pending]
    }
}

fn flag(value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("it is neither true nor false".to_owned()),
    }
}

/// An age such as `7d`.
pub(super) fn age(text: &str) -> Result<TimeDelta, String> {
    let age = humantime::parse_duration(text).ok().and_then(|age| TimeDelta::from_std(age).ok());
    age.ok_or_else(|| {
        format!("\"{}\" is not an age: write it as 90m, 12h, 7d or 2weeks", text.escape_debug())
    })
}

/// The time that was an age, such as `7d`, ago. A larger age than can be represented means the earliest time.
///
/// # Errors
/// With a sentence that says how ages are written.
pub fn ago(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let age = age(text)?;
    Ok(now.checked_sub_signed(age).unwrap_or(DateTime::<Utc>::MIN_UTC))
}

fn sort(value: &str) -> Result<Sort, String> {
    Ok(match value {
        "since" => Sort::Since,
        "received" => Sort::Received,
        "created" => Sort::Created,
        "image" => Sort::Image,
        "tag" => Sort::Tag,
        "host" => Sort::Host,
        _ => {
            let keys = "since, received, created, image, tag, host";
            return Err(format!("\"{}\" is not one of {keys}", value.escape_debug()));
        }
    })
}

#[cfg(test)]
mod tests;
