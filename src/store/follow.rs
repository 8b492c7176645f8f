//! Reads changed updates as they come, whichever process changed them.

use chrono::{DateTime, Utc};

use super::{Result, Store};
use crate::inbox::query::{Detail, Query, Sort};
use crate::inbox::update::Update;

/// The maximum number of changed updates read at a time.
const BATCH: usize = 200;

/// A position in the changes of a store.
#[derive(Clone, Copy, Debug)]
pub struct Follow {
    /// The last change that was read.
    pub after: i64,
    /// When the next snooze ends.
    pub next_end: Option<DateTime<Utc>>,
    /// The time up to which ended snoozes were read.
    snoozes: DateTime<Utc>,
}

impl Follow {
    /// Follows the changes after one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(store: &dyn Store, after: i64, now: DateTime<Utc>) -> Result<Self> {
        Ok(Self { after, snoozes: now, next_end: store.next_snooze_end(now)? })
    }

    /// The updates that changed since the last call, and those whose snooze ended since. Many are returned in
    /// parts, over several calls. If nothing has changed, only the number of the last change is read.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn next(&mut self, store: &dyn Store, now: DateTime<Utc>) -> Result<Vec<Update>> {
        let all = Query { detail: Detail::Item, sort: Sort::Changed, ..Query::all(now) };
        let last = store.last_change()?;
        let is_over = self.next_end.is_some_and(|end| end <= now);
        // Kept only when nothing has failed: otherwise the next call reads the same again.
        let mut next = Self { snoozes: now, ..*self };
        let mut updates = Vec::new();
        if is_over {
            let snooze_ended = Some((self.snoozes, now));
            updates = store.select(&Query { snooze_ended, ..all.clone() })?;
        }
        if last > self.after {
            let query = Query { changed_after: Some(self.after), limit: Some(BATCH), ..all };
            let changed = store.select(&query)?;
            // Changes to updates that were removed since count as read.
            let read = changed.last().map_or(last, |update| update.changed);
            next.after = if changed.len() < BATCH { read.max(last) } else { read };
            updates.extend(changed);
        }
        if is_over || !updates.is_empty() {
            next.next_end = store.next_snooze_end(now)?;
        }
        *self = next;
        Ok(updates)
    }
}
