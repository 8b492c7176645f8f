//! Places for so many at a time: the limits on connections and on requests being answered.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A number of places, shared by threads.
#[derive(Clone, Debug)]
pub(super) struct Slots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    taken: Mutex<usize>,
    freed: Condvar,
}

/// A place that is taken, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot(Arc<Inner>);

impl Slots {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Inner { most, taken: Mutex::new(0), freed: Condvar::new() }))
    }

    /// Takes a place, once there is one; `None` when there is none in time.
    pub(super) fn take(&self, within: Duration) -> Option<Slot> {
        let mut taken = self.wait(within, |taken| *taken >= self.0.most)?;
        *taken += 1;
        Some(Slot(Arc::clone(&self.0)))
    }

    /// Waits until all places are free. Gives whether they are.
    pub(super) fn all_free(&self, within: Duration) -> bool {
        self.wait(within, |taken| *taken > 0).is_some()
    }

    fn wait(
        &self,
        within: Duration,
        unfit: impl Fn(&usize) -> bool,
    ) -> Option<std::sync::MutexGuard<'_, usize>> {
        let deadline = Instant::now() + within;
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while unfit(&taken) {
            let left = deadline.checked_duration_since(Instant::now())?;
            let waited = self.0.freed.wait_timeout(taken, left);
            taken = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(taken)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_only_so_many_places() {
        let slots = Slots::new(1);
        let slot = slots.take(Duration::ZERO).unwrap();
        assert!(slots.take(Duration::from_millis(1)).is_none());
        assert!(!slots.all_free(Duration::ZERO));
        let waiting = slots.clone();
        let waiter = std::thread::spawn(move || waiting.take(Duration::from_secs(10)).is_some());
        drop(slot);
        assert!(waiter.join().unwrap());
        assert!(slots.all_free(Duration::from_secs(10)));
    }
}
