//! A memory budget shared by all requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of bytes that threads share.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    most: usize,
    used: Arc<AtomicUsize>,
}

/// The part of a budget that one request uses, returned when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    pub(super) fn new(most: usize) -> Self {
        Self { most, used: Arc::default() }
    }

    pub(super) fn share(&self) -> Share {
        Share { budget: self.clone(), bytes: 0 }
    }
}

impl Share {
    /// Changes the size of this share, in bytes. Returns false and changes nothing if the budget is exhausted.
    pub(super) fn resize(&mut self, bytes: usize) -> bool {
        let change = |used: usize| {
            let used = used - self.bytes + bytes;
            (bytes <= self.bytes || used <= self.budget.most).then_some(used)
        };
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        let changed = self.budget.used.fetch_update(set, fetch, change).is_ok();
        if changed {
            self.bytes = bytes;
        }
        changed
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_take_no_more_than_the_budget_and_return_it() {
        let budget = Budget::new(10);
        let (mut one, mut two) = (budget.share(), budget.share());
        assert!(one.resize(4) && one.resize(7));
        assert!(!two.resize(4) && two.resize(3));
        assert!(!one.resize(8) && one.resize(1));
        assert!(two.resize(9));
        drop(two);
        assert!(one.resize(10));
    }
}
