//! Checkpoints beside the writer.
//!
//! A commit appends to SQLite's write-ahead log, and a checkpoint copies the log into the database:
//! that takes as long again. A thread does it meanwhile, with a connection of its own.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

/// After this many events the log is worth a checkpoint. An event takes about four pages of it.
const EVENTS: usize = 250;
/// The same within a bulk, where an event takes less than a page, and many change the same ones.
const BULK: usize = 32 * 1024;

/// The thread, once there was something to do for it.
#[derive(Debug, Default)]
pub(super) struct Checkpointer {
    events: usize,
    thread: Option<(SyncSender<()>, JoinHandle<()>)>,
}

impl Checkpointer {
    /// Events were committed, and more may follow at once. `connect` gives the thread its connection when
    /// it is needed first.
    pub(super) fn committed<E>(
        &mut self,
        events: usize,
        are_followed: bool,
        connect: impl FnOnce() -> Result<Connection, E>,
    ) {
        self.events += events;
        let enough = if are_followed { BULK } else { EVENTS };
        if self.events < enough {
            return;
        }
        self.events = 0;
        if self.thread.is_none() {
            // Without it the writer's own checkpoints have to do.
            let Ok(connection) = connect() else { return };
            let (wake, woken) = sync_channel(1);
            let run = move || woken.iter().for_each(|()| checkpoint(&connection));
            let thread = thread::Builder::new().name("checkpointer".into()).spawn(run);
            self.thread = thread.ok().map(|thread| (wake, thread));
        }
        if let Some((wake, _)) = &self.thread {
            // If it is full, a checkpoint is about to begin anyway.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        if let Some((wake, thread)) = self.thread.take() {
            drop(wake);
            let _ = thread.join();
        }
    }
}

/// Copies what it can without waiting for anyone. What it cannot is copied the next time.
pub(super) fn checkpoint(connection: &Connection) {
    let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
}
