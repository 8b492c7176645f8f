//! A counting semaphore; it limits connections and concurrent requests.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A number of permits that threads share.
#[derive(Clone, Debug)]
pub(super) struct Semaphore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    taken: Mutex<usize>,
    freed: Condvar,
}

/// One permit, returned when it is dropped.
#[derive(Debug)]
pub(super) struct Permit(Arc<Inner>);

impl Semaphore {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Inner { most, taken: Mutex::new(0), freed: Condvar::new() }))
    }

    /// Waits for a permit. Returns `None` if none is free in time.
    pub(super) fn take(&self, within: Duration) -> Option<Permit> {
        let mut taken = self.wait(within, |taken| *taken >= self.0.most)?;
        *taken += 1;
        Some(Permit(Arc::clone(&self.0)))
    }

    /// Waits until all permits are free. Returns whether they are.
    pub(super) fn all_free(&self, within: Duration) -> bool {
        self.wait(within, |taken| *taken > 0).is_some()
    }

    /// Whether more than half of the permits are taken.
    pub(super) fn is_half_taken(&self) -> bool {
        *self.0.lock() > self.0.most / 2
    }

    fn wait(
        &self,
        within: Duration,
        must_wait: impl Fn(&usize) -> bool,
    ) -> Option<MutexGuard<'_, usize>> {
        let deadline = Instant::now() + within;
        let mut taken = self.0.lock();
        while must_wait(&taken) {
            let left = deadline.checked_duration_since(Instant::now())?;
            let waited = self.0.freed.wait_timeout(taken, left);
            taken = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(taken)
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_limited_and_returned() {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.take(Duration::ZERO).unwrap();
        assert!(semaphore.take(Duration::from_millis(1)).is_none());
        assert!(!semaphore.all_free(Duration::ZERO));
        let waiting = semaphore.clone();
        let waiter = std::thread::spawn(move || waiting.take(Duration::from_secs(10)).is_some());
        drop(permit);
        assert!(waiter.join().unwrap());
        assert!(semaphore.all_free(Duration::from_secs(10)));
    }
}
