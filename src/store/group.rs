//! Group commit: concurrent callers share one transaction and one fsync.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::{ErrorKind, Result, StoreError, lock};
use crate::inbox::received::Received;

/// The most events in one transaction. Other writers wait meanwhile.
const MOST: usize = 1_024;

/// Stores a batch of events of concurrent callers.
pub(super) trait Sink: Send + Sync + 'static {
    /// Stores events in order, and returns a result for each.
    fn store(&self, batch: &[Received], deadline: Instant) -> Vec<Result<()>>;
}

/// Hands events to the thread that stores them. The first event starts the thread; it ends when the group
/// is dropped.
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
    pub(super) fn upsert<S: Sink>(
        &self,
        sink: &Arc<S>,
        received: Received,
        deadline: Instant,
    ) -> Result<()> {
        let (done, result) = channel();
        let job = Job { received, deadline, done };
        let sent = self.sender(sink).and_then(|sender| sender.send(job).ok());
        let failed =
            || StoreError::new(ErrorKind::Other, "the thread that stores events has ended");
        sent.ok_or_else(failed)?;
        result.recv().unwrap_or_else(|_| Err(failed()))
    }

    fn sender<S: Sink>(&self, sink: &Arc<S>) -> Option<Sender<Job>> {
        let mut started = lock(&self.0);
        if started.is_none() {
            let (sender, jobs) = channel();
            let sink = Arc::clone(sink);
            let thread = thread::Builder::new().name("store".into());
            *started = Some((sender, thread.spawn(move || run(&*sink, &jobs)).ok()?));
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

fn run(sink: &impl Sink, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        // The first event of the batch has waited longest.
        let deadline = first.deadline;
        let mut batch = vec![first.received];
        let mut callers = vec![first.done];
        for job in jobs.try_iter().take(MOST - 1) {
            batch.push(job.received);
            callers.push(job.done);
        }
        // A defect must not end this thread: no event could be stored any more.
        let results = catch_unwind(AssertUnwindSafe(|| sink.store(&batch, deadline)));
        let results = results.unwrap_or_else(|_| {
            let error = StoreError::new(ErrorKind::Other, "internal error; see the server log");
            vec![Err(error); batch.len()]
        });
        if let Some(error @ Err(StoreError { kind: ErrorKind::Unavailable, .. })) = results.last() {
            // The queued events have waited as long, and would wait as long again.
            for job in jobs.try_iter() {
                let _ = job.done.send(error.clone());
            }
        }
        for (caller, result) in callers.into_iter().zip(results) {
            let _ = caller.send(result);
        }
    }
}
