//! Group commit: concurrent callers share one transaction and one fsync.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::busy::BUSY;
use super::core::{Core, lock};
use crate::inbox::received::Received;
use crate::store::{ErrorKind, Result, StoreError};

/// Events in one transaction. Others wait to write meanwhile.
const MOST: usize = 1_024;

/// Hands events to the thread that stores them. It is started by the first, and ends with the group.
#[derive(Debug, Default)]
pub(super) struct Group(Mutex<Option<(Sender<Job>, JoinHandle<()>)>>);

#[derive(Debug)]
struct Job {
    received: Received,
    deadline: Instant,
    done: Sender<Result<()>>,
}

impl Group {
    /// Stores an event, together with those of other callers.
    pub(super) fn upsert(&self, core: &Arc<Core>, received: Received) -> Result<()> {
        let (done, result) = channel();
        let job = Job { received, deadline: Instant::now() + BUSY, done };
        let sent = self.sender(core).and_then(|sender| sender.send(job).ok());
        let failed =
            || StoreError::new(ErrorKind::Other, "the thread that stores events has ended");
        sent.ok_or_else(failed)?;
        result.recv().unwrap_or_else(|_| Err(failed()))
    }

    fn sender(&self, core: &Arc<Core>) -> Option<Sender<Job>> {
        let mut started = lock(&self.0);
        if started.is_none() {
            let (sender, jobs) = channel();
            let core = Arc::clone(core);
            let thread = thread::Builder::new().name("store".into());
            *started = Some((sender, thread.spawn(move || run(&core, &jobs)).ok()?));
        }
        started.as_ref().map(|(sender, _)| sender.clone())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some((sender, thread)) = lock(&self.0).take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}

fn run(core: &Core, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        // The first has waited longest.
        let deadline = first.deadline;
        let mut batch = vec![first.received];
        let mut callers = vec![first.done];
        for job in jobs.try_iter().take(MOST - 1) {
            batch.push(job.received);
            callers.push(job.done);
        }
        // A defect must not end this thread: no event could be stored any more.
        let result = catch_unwind(AssertUnwindSafe(|| core.upsert(&batch, deadline)));
        let result = result.unwrap_or_else(|_| {
            Err(StoreError::new(ErrorKind::Other, "internal error; see the server log"))
        });
        if matches!(&result, Err(error) if error.kind == ErrorKind::Unavailable) {
            // These have waited too, and would wait as long again.
            callers.extend(jobs.try_iter().map(|job| job.done));
        }
        for caller in callers {
            let _ = caller.send(result.clone());
        }
    }
}
