//! `/api/changes`: new and changed updates, as
//! [server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html).
//!
//! One thread polls the store for the number of its last change, as other processes change it too, and wakes
//! the feeds. Each feed then reads the changes that it has not sent.

use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;

use super::context::Context;
use super::error::Error;
use super::limits::Class;
use super::response::{Answer, stream, with};
use super::route::{Request, unknown_parameter};
use super::semaphore::Permit;
use crate::render::item::ItemView;
use crate::render::json::line;
use crate::store::follow::Follow;

/// How often the store is asked for its last change while there are feeds.
const PERIOD: Duration = Duration::from_millis(250);

/// What feeds wait for.
#[derive(Debug, Default)]
pub(super) struct Changes {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// The number of the last change.
    last: i64,
    feeds: usize,
    is_stopping: bool,
}

impl Changes {
    /// Watches the store while there are feeds, until the server stops.
    pub(super) fn watch(&self, context: &Context) {
        loop {
            let mut state = self.lock();
            while state.feeds == 0 && !state.is_stopping {
                state = self.wait(state, None);
            }
            if state.is_stopping {
                return;
            }
            let known = state.last;
            drop(state);
            // If the store fails now, the next poll finds the change.
            let last = context.store.last_change().unwrap_or(known);
            let mut state = self.lock();
            state.last = last;
            if last != known {
                self.changed.notify_all();
            }
            // A new feed ends this wait early, which does no harm.
            drop(self.wait(state, Some(PERIOD)));
        }
    }

    /// Ends all feeds.
    pub(super) fn stop(&self) {
        self.lock().is_stopping = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        time: Option<Duration>,
    ) -> MutexGuard<'a, State> {
        let Some(time) = time else {
            return self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        self.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// A feed of the changes after `Last-Event-ID`, otherwise after `?after=`, otherwise from now on.
pub(super) fn get(request: &Request<'_>, context: &Arc<Context>) -> Answer {
    let mut from = None;
    for (name, value) in request.parameters() {
        match &*name {
            "after" => from = Some(value.into_owned()),
            _ => return Err(unknown_parameter(&name)),
        }
    }
    let busy = || Error::unavailable("too many open feeds: try again", "5");
    let permit = context.capacity.feed().ok_or_else(busy)?;
    let last = context.store.last_change()?;
    // A client that reconnects still has the parameter in its address.
    let known = request.head.header("last-event-id").or(from.as_deref());
    // A number beyond the last change is of another database, or of one that was restored since.
    let after = known.map(|id| id.parse().ok().filter(|id| (0..=last).contains(id)));
    let is_unknown = matches!(after, Some(None));
    let after = after.flatten().unwrap_or(last);
    let event = if is_unknown { "reset" } else { "ping" };
    let text = format!("retry: 2000\nid: {after}\nevent: {event}\ndata: {{}}\n\n").into_bytes();
    let heartbeat = Instant::now() + context.limits.heartbeat;
    let follow = Follow::new(&*context.store, after, Utc::now())?;
    context.changes.lock().feeds += 1;
    context.changes.changed.notify_all();
    let context = Arc::clone(context);
    let feed = Feed { context, _permit: permit, follow, text, sent: 0, heartbeat };
    // Otherwise nginx buffers the stream.
    Ok(with(
        stream("text/event-stream", feed),
        &[("X-Accel-Buffering", "no"), ("Cache-Control", "no-store")],
    ))
}

/// The body of a feed. A read blocks until there is something to send.
struct Feed {
    context: Arc<Context>,
    _permit: Permit,
    follow: Follow,
    text: Vec<u8>,
    sent: usize,
    heartbeat: Instant,
}

impl Feed {
    /// Waits for something to send. Returns false once the server stops.
    fn wait(&mut self) -> bool {
        let context = Arc::clone(&self.context);
        let changes = &context.changes;
        let mut state = changes.lock();
        loop {
            let left = self.heartbeat.saturating_duration_since(Instant::now());
            if state.is_stopping {
                return false;
            }
            if left.is_zero() {
                self.text.extend(b"event: ping\ndata: {}\n\n");
                return true;
            }
            let snooze = self.follow.next_end.map_or(Duration::MAX, |end| {
                // The time until a snooze that has ended is zero.
                (end - Utc::now()).to_std().unwrap_or_default()
            });
            if state.last > self.follow.after || snooze.is_zero() {
                drop(state);
                if self.read_changes().is_some() {
                    return true;
                }
                // The store failed: try again after the next wake-up.
                state = changes.wait(changes.lock(), Some(left.min(PERIOD)));
            } else {
                state = changes.wait(state, Some(left.min(snooze)));
            }
        }
    }

    /// Reads what is new. Returns `None` if the store does not answer.
    fn read_changes(&mut self) -> Option<()> {
        let Context { store, capacity, limits, .. } = &*self.context;
        let _permit = capacity.take(Class::Read, limits)?;
        for update in self.follow.next(&**store, Utc::now()).ok()? {
            let number = update.changed.min(self.follow.after);
            let _ = write!(self.text, "id: {number}\nevent: update\ndata: ");
            // Writing to memory cannot fail.
            let _ = line(&mut self.text, &ItemView::from(&update));
            self.text.push(b'\n');
        }
        Some(())
    }
}

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.sent == self.text.len() {
            (self.sent, self.text) = (0, Vec::new());
            if !self.wait() {
                return Ok(0);
            }
            if !self.text.is_empty() {
                self.heartbeat = Instant::now() + self.context.limits.heartbeat;
            }
        }
        let read = (&self.text[self.sent..]).read(buffer)?;
        self.sent += read;
        Ok(read)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.context.changes.lock().feeds -= 1;
    }
}
