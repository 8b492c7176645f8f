//! A pool of threads: starting one takes longer than most requests.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a thread with nothing to do waits for more.
const KEPT: Duration = Duration::from_millis(500);

type Job = Box<dyn FnOnce() + Send>;

/// An unbounded pool that reuses idle threads: jobs never queue. The caller limits
/// how many there are.
pub(super) struct Threads(Arc<Inner>);

struct Inner {
    /// Of each thread, in bytes.
    stack: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Never more than there are waiting threads.
    jobs: VecDeque<Job>,
    waiting: usize,
}

impl Threads {
    pub(super) fn new(stack: usize) -> Self {
        Self(Arc::new(Inner { stack, state: Mutex::default(), changed: Condvar::new() }))
    }

    /// Runs a job in a thread of its own.
    ///
    /// # Errors
    ///
    /// No thread could be started. The job was dropped.
    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut state = self.0.lock();
        if state.waiting > state.jobs.len() {
            state.jobs.push_back(Box::new(job));
            drop(state);
            self.0.changed.notify_one();
            return Ok(());
        }
        drop(state);
        let inner = Arc::clone(&self.0);
        let run = move || {
            job();
            while let Some(job) = inner.next() {
                job();
            }
        };
        thread::Builder::new().stack_size(self.0.stack).spawn(run).map(drop)
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job; `None` if none came for a while.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        state.waiting += 1;
        let waited = self.changed.wait_timeout_while(state, KEPT, |state| state.jobs.is_empty());
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.waiting -= 1;
        state.jobs.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread::ThreadId;

    use super::*;

    const STACK: usize = 256 * 1024;
    const LONG: Duration = Duration::from_secs(20);

    /// Begins a job that tells its thread, and ends when the sender given back is dropped.
    fn begin(threads: &Threads) -> (Sender<()>, Receiver<ThreadId>) {
        let (hold, held) = channel::<()>();
        let (tell, told) = channel();
        let job = move || {
            tell.send(thread::current().id()).unwrap();
            let _ = held.recv();
        };
        threads.run(job).unwrap();
        (hold, told)
    }

    #[test]
    fn no_job_waits_for_another() {
        let threads = Threads::new(STACK);
        let held: Vec<_> = (0..20).map(|_| begin(&threads)).collect();
        let different: HashSet<_> =
            held.iter().map(|(_, told)| told.recv_timeout(LONG).unwrap()).collect();
        assert_eq!(different.len(), 20);
    }

    #[test]
    fn a_waiting_thread_gets_only_one_job() {
        let threads = Threads::new(STACK);
        // As if one had begun to wait, and were slow to take what it gets.
        threads.0.lock().waiting = 1;
        let (_held, taken) = begin(&threads);
        let (hold, told) = begin(&threads);
        told.recv_timeout(LONG).unwrap();
        drop(hold);
        taken.recv_timeout(LONG).unwrap();
    }

    #[test]
    fn a_thread_is_used_again_also_after_a_panic_in_another() {
        let threads = Threads::new(STACK);
        let mut seen = HashSet::new();
        // One that has not begun to wait for more is not used again yet.
        let mut is_used_again =
            || (0..1000).any(|_| !seen.insert(begin(&threads).1.recv_timeout(LONG).unwrap()));
        assert!(is_used_again());
        threads.run(|| panic!("on purpose")).unwrap();
        assert!(is_used_again());
    }
}
