//! Updates grouped by host, repository or tag.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::columns::{Column, cell, print};
use super::fit;
use super::json::seconds;
use super::place::hosts;
use super::terminal::Terminal;
use super::time::ago;
use crate::image::{repository, short_name};
use crate::inbox::update::Update;

/// The key to group updates by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The hosts that need the update.
    Host,
    /// The image's name without its tag.
    Repository,
    /// The user's tag.
    Tag,
}

/// The updates with the same key.
#[derive(Debug, Serialize)]
pub struct Group<'a> {
    /// The key; `None` for updates without a host or a tag.
    pub group: Option<&'a str>,
    count: usize,
    #[serde(serialize_with = "seconds")]
    oldest: DateTime<Utc>,
    images: Vec<&'a str>,
}

/// The groups of some updates, the largest first.
pub fn groups(updates: &[Update], by: By) -> Vec<Group<'_>> {
    let mut groups = BTreeMap::<Option<&str>, Vec<&Update>>::new();
    for update in updates {
        let names = match by {
            By::Host => hosts(update),
            By::Repository => vec![repository(&update.event.image)],
            By::Tag => update.tag.iter().map(|tag| tag.name.as_str()).collect(),
        };
        let has_none = names.is_empty().then_some(None);
        for name in names.into_iter().map(Some).chain(has_none) {
            groups.entry(name).or_default().push(update);
        }
    }
    let mut groups: Vec<_> = groups
        .into_iter()
        .map(|(group, updates)| Group {
            group,
            count: updates.len(),
            oldest: updates.iter().map(|update| update.since).min().unwrap_or_default(),
            images: updates.iter().map(|update| update.event.image.as_str()).collect(),
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups
}

/// Prints groups, one per line.
///
/// # Errors
/// When they cannot be written.
pub fn table(
    out: &mut dyn Write,
    groups: &[Group<'_>],
    by: By,
    now: DateTime<Utc>,
    terminal: Terminal,
) -> io::Result<()> {
    let rows = groups.iter().map(|group| {
        let name = group.group.map_or("-", short_name);
        vec![cell(name), group.count.to_string(), ago(group.oldest, now)]
    });
    let heading = match by {
        By::Host => "HOST",
        By::Repository => "REPOSITORY",
        By::Tag => "TAG",
    };
    let columns = [
        Column::fitted(heading, fit::name),
        Column::fitted("UPDATES", fit::end),
        Column::fitted("OLDEST", fit::end),
    ];
    print(out, &columns, rows, std::iter::empty(), terminal)
}
