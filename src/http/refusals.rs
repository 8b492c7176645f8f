//! Counts refused webhook requests. A separate thread stores the counts, once per second at most, so that
//! requests do not wait for that and a flood of them costs little.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::Utc;

use crate::inbox::refused::{Reason, Refused};
use crate::store::{Result, Store};

/// The pause between two transactions.
const PAUSE: Duration = Duration::from_secs(1);

/// The counts that are not stored yet.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    state: Mutex<State>,
    changed: Condvar,
    /// Held while counts are being stored.
    storing: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    counts: BTreeMap<Reason, Refused>,
    is_stopping: bool,
}

impl Refusals {
    /// Counts a refused webhook request.
    pub(super) fn count(&self, reason: Reason) {
        self.lock().add(Refused { reason, count: 1, last: Utc::now() });
        self.changed.notify_all();
    }

    /// Stores counts as they come, until the server stops.
    pub(super) fn watch(&self, store: &dyn Store) {
        loop {
            let idle = |state: &mut State| state.counts.is_empty() && !state.is_stopping;
            let state = self.changed.wait_while(self.lock(), idle);
            if state.unwrap_or_else(PoisonError::into_inner).is_stopping {
                return;
            }
            self.store(|refused| store.keep_refused(refused));
            let runs = |state: &mut State| !state.is_stopping;
            drop(self.changed.wait_timeout_while(self.lock(), PAUSE, runs));
        }
    }

    /// Ends [`Refusals::watch`], and stores the remaining counts.
    pub(super) fn stop(&self, store: &dyn Store) {
        self.lock().is_stopping = true;
        self.changed.notify_all();
        self.store(|refused| store.keep_refused(refused));
    }

    /// Stores the counts. If that fails, they are stored together with the next ones.
    fn store(&self, keep: impl FnOnce(&[Refused]) -> Result<()>) {
        let _turn = self.storing.lock().unwrap_or_else(PoisonError::into_inner);
        let counts: Vec<_> = std::mem::take(&mut self.lock().counts).into_values().collect();
        if !counts.is_empty() && keep(&counts).is_err() {
            let mut state = self.lock();
            for refused in counts {
                state.add(refused);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, more: Refused) {
        let kept = self.counts.entry(more.reason).or_insert(Refused { count: 0, ..more });
        kept.count += more.count;
        kept.last = kept.last.max(more.last);
    }
}

/// The reason behind the status of a webhook request. 405 is not counted: a person gets it who opens the address
/// in a browser.
pub(super) fn reason(status: u16) -> Option<Reason> {
    match status {
        400 => Some(Reason::Event),
        401 => Some(Reason::Token),
        403 => Some(Reason::Forbidden),
        405 => None,
        408 => Some(Reason::Timeout),
        413 => Some(Reason::Size),
        402..=499 => Some(Reason::Request),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ErrorKind, StoreError};

    #[test]
    fn counts_that_cannot_be_stored_are_stored_later() {
        let refusals = Refusals::default();
        let token = reason(401).unwrap();
        assert_eq!(reason(204), None);
        refusals.count(token);
        refusals.count(token);
        refusals.store(|_| Err(StoreError::new(ErrorKind::Unavailable, String::new())));
        refusals.count(token);
        let mut kept = Vec::new();
        for _ in 0..2 {
            refusals.store(|counts| {
                kept.extend_from_slice(counts);
                Ok(())
            });
        }
        assert_eq!((kept.len(), kept[0].reason, kept[0].count), (1, Reason::Token, 3));
    }
}
