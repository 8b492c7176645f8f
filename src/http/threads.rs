//! Threads that are used again: starting one takes longer than most requests.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a thread with nothing to do waits for more.
const KEPT: Duration = Duration::from_secs(1);

type Job = Box<dyn FnOnce() + Send>;

/// As many threads as there are jobs: none ever waits for another. Whoever gives the jobs limits
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
    /// No more than there are threads that wait for one.
    jobs: VecDeque<Job>,
    waiting: usize,
}

impl Threads {
    pub(super) fn new(stack: usize) -> Self {
        Self(Arc::new(Inner { stack, state: Mutex::default(), changed: Condvar::new() }))
    }

    /// Does a job in a thread that does nothing else meanwhile.
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

    /// The next job; `None` when there was none for a while.
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
    use std::sync::mpsc::{Sender, channel};
    use std::thread::ThreadId;

    use super::*;

    /// Does a job that tells its thread, and ends when the sender given back is dropped.
    fn hold(threads: &Threads) -> (Sender<()>, ThreadId) {
        let (hold, held) = channel::<()>();
        let (tell, told) = channel();
        let job = move || {
            tell.send(thread::current().id()).unwrap();
            let _ = held.recv();
        };
        threads.run(job).unwrap();
        (hold, told.recv().unwrap())
    }

    #[test]
    fn no_job_waits_for_another() {
        let threads = Threads::new(64 * 1024);
        let held: Vec<_> = (0..20).map(|_| hold(&threads)).collect();
        let different: HashSet<_> = held.iter().map(|(_, id)| id).collect();
        assert_eq!(different.len(), 20);
    }

    #[test]
    fn a_thread_is_used_again() {
        let threads = Threads::new(64 * 1024);
        let mut seen = HashSet::new();
        // One that has not begun to wait for more is not used again yet.
        assert!((0..1000).any(|_| !seen.insert(hold(&threads).1)));
    }

    #[test]
    fn a_job_that_panics_takes_only_its_thread_along() {
        let threads = Threads::new(64 * 1024);
        threads.run(|| panic!("on purpose")).unwrap();
        let (sender, receiver) = channel();
        threads.run(move || sender.send(()).unwrap()).unwrap();
        receiver.recv().unwrap();
    }
}
