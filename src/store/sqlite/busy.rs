//! Waiting for locks of SQLite and of this process.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

/// Polls at this pace. SQLite's built-in handler backs off, and would miss the gaps between a busy
/// writer's transactions.
pub(super) const STEP: Duration = Duration::from_millis(2);

thread_local! {
    /// When this thread's operation gives up.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Runs an operation that stops waiting for locks at a deadline.
pub(super) fn until<T>(deadline: Instant, work: impl FnOnce() -> T) -> T {
    /// Also after a panic: the thread may go on with other work.
    struct Done;
    impl Drop for Done {
        fn drop(&mut self) {
            DEADLINE.set(None);
        }
    }
    let _done = Done;
    DEADLINE.set(Some(deadline));
    work()
}

/// SQLite's busy handler: whether to try again.
pub(super) fn wait(_: i32) -> bool {
    let in_time = DEADLINE.get().is_some_and(|deadline| Instant::now() < deadline);
    if in_time {
        thread::sleep(STEP);
    }
    in_time
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn a_panic_leaves_no_deadline_behind() {
        catch_unwind(|| until(Instant::now() + Duration::from_secs(60), || panic!("on purpose")))
            .unwrap_err();
        assert!(!wait(0));
    }
}
