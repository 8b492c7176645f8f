//! The waiting connections. They can be closed to make room, and at shutdown.

use std::collections::BTreeMap;
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use socket2::Socket;

/// How long a client may wait with an unfinished head while others wait to be accepted.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The first byte of the first request.
    New,
    /// The rest of a head.
    Head,
    /// The rest of a body. Such a connection is never closed early, as it may bring an event.
    Body,
    /// Another request, or the end of the connection. It can be closed at any time.
    Idle,
}

/// The waiting connections, shared by threads.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_stopping: bool,
    next: u64,
    /// In the order in which they began to wait.
    connections: BTreeMap<u64, (Arc<Socket>, Phase, Instant)>,
}

impl Waiting {
    /// Runs `wait`. Returns `None` if the connection was ended meanwhile, or at once if it is idle
    /// and the server is stopping.
    pub(super) fn during<T>(
        &self,
        socket: &Arc<Socket>,
        phase: Phase,
        wait: impl FnOnce() -> T,
    ) -> Option<T> {
        let mut state = self.lock();
        if state.is_stopping && phase == Phase::Idle {
            return None;
        }
        let id = state.next;
        state.next += 1;
        state.connections.insert(id, (Arc::clone(socket), phase, Instant::now()));
        drop(state);
        let result = wait();
        self.lock().connections.remove(&id).map(|_| result)
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().is_stopping
    }

    /// Ends the connection that has waited longest, of those that may be ended now.
    pub(super) fn end_oldest(&self) {
        let mut state = self.lock();
        let patient = Instant::now().checked_sub(PATIENCE);
        let oldest = state.connections.iter().find(|(_, (_, phase, since))| match phase {
            Phase::Idle => true,
            Phase::New | Phase::Head => patient.is_some_and(|patient| *since <= patient),
            Phase::Body => false,
        });
        if let Some(id) = oldest.map(|(id, _)| *id) {
            state.end(|waiting, _| waiting == id);
        }
    }

    /// Ends all idle connections, now and from now on.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.is_stopping = true;
        state.end(|_, phase| phase == Phase::Idle);
    }

    /// Ends the connections on which nothing was ever received.
    pub(super) fn end_new(&self) {
        self.lock().end(|_, phase| phase == Phase::New);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&mut self, which: impl Fn(u64, Phase) -> bool) {
        self.connections.retain(|id, (socket, phase, _)| {
            let ends = which(*id, *phase);
            if ends {
                // Wakes the thread that polls it. A client that has gone has done so already.
                let _ = socket.shutdown(Shutdown::Read);
            }
            !ends
        });
    }
}
