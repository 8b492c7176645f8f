//! One client's connection: its requests, one after another, and their answers.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use socket2::Socket;
use tiny_http::ResponseBox;

use super::budget::Share;
use super::client::Client;
use super::context::Context;
use super::error::Error;
use super::head::{Framing, Head};
use super::limits::{Class, FREE_MEMORY};
use super::log::{Entry, milliseconds};
use super::ping;
use super::reader::{Failure, Reader};
use super::refusals;
use super::response::{self, Sending};
use super::route::{self, Found, Request};
use super::waiting::{Phase, Waiting};
use super::webhook;

/// Serves a client until its connection ends.
pub(super) fn serve(socket: Socket, peer: &str, context: &Arc<Context>, waiting: &Waiting) {
    let deadline = Instant::now() + context.limits.request;
    let client = Client::new(socket, waiting.clone(), deadline);
    let mut connection =
        Connection { reader: Reader::new(client), peer, context, waiting, has_asked: false };
    while connection.exchange() {
        let client = &mut connection.reader.stream;
        (client.phase, client.deadline) = (Phase::Idle, Instant::now() + context.limits.idle);
    }
    if !connection.has_asked {
        context.log.detail(&format!("{peer} asked for nothing"));
    }
}

struct Connection<'a> {
    reader: Reader<Client>,
    peer: &'a str,
    context: &'a Arc<Context>,
    waiting: &'a Waiting,
    has_asked: bool,
}

impl Connection<'_> {
    /// Reads a request and answers it. Returns whether the client may send another.
    fn exchange(&mut self) -> bool {
        let mut began = Instant::now();
        let time = self.context.limits.request;
        let head = self.reader.head(|client| {
            began = Instant::now();
            // A new client's time began when it connected.
            if client.phase == Phase::Idle {
                client.deadline = began + time;
            }
            client.phase = Phase::Head;
        });
        let (head, mut result, is_read, closes) = match head {
            Err(Failure::Nothing) => return false,
            Err(Failure::Refused(head, error)) => (head, Err(error), false, true),
            Ok(head) => {
                let (result, is_read, closes) = self.answer(&head);
                (head, result, is_read, closes)
            }
        };
        self.has_asked = true;
        // A long answer takes its share of the memory until the client has read it.
        let mut memory = self.context.capacity.answers.share();
        let length = result.as_ref().ok().and_then(ResponseBox::data_length).unwrap_or(0);
        if length > FREE_MEMORY && !memory.resize(length) {
            result = Err(Error::unavailable("too many large responses at once: try again", "1"));
        }
        self.log(&head, &result, began);
        let response = result.unwrap_or_else(|error| ResponseBox::from(&error));
        let closes = closes || !head.is_1_1 || head.asks_to_close || self.is_crowded();
        let how = Sending { head_only: head.method == "HEAD", is_1_1: head.is_1_1, closes };
        let client = &mut self.reader.stream;
        let sent = response::send(response, how, &mut client.writer(self.context.limits.progress));
        if let Err(error) = sent {
            self.context.log.detail(&format!("{}: the answer was cut off: {error}", self.peer));
            client.tear();
            return false;
        }
        if closes && !(is_read && self.reader.is_drained()) {
            // It fails if the client has gone, which is fine.
            let _ = self.reader.stream.linger(&self.context.limits);
        }
        !closes
    }

    /// The answer to a request, whether its body was read to the end, and whether the connection
    /// must be closed after it.
    fn answer(&mut self, head: &Head) -> (response::Answer, bool, bool) {
        let Found { route, rest, caller } = match route::check(head, self.peer, self.context) {
            Ok(found) => found,
            Err(error) => return (Err(error), head.framing == Framing::Length(0), true),
        };
        // The body's share of the memory is held as long as the body.
        let (body, _memory) = match self.body(head, route.body_limit()) {
            Ok(read) => read,
            Err(error) => return (Err(error), false, true),
        };
        let request = Request { head, rest: &rest, body: &body, caller: &caller };
        let permit = self.context.capacity.take(route.class, &self.context.limits);
        let result = match permit {
            None => Err(Error::unavailable("the server is too busy: try again", "1")),
            Some(_permit) => {
                catch_unwind(AssertUnwindSafe(|| route.answer(&request, self.context)))
                    .unwrap_or_else(|_| Err(Error::new(500, "internal error; see the server log")))
            }
        };
        if let Some(error) = result.as_ref().err().filter(|error| error.is_fatal) {
            self.context.give_up(&error.message);
        }
        let is_event = route.class == Class::Event;
        if is_event && result.as_ref().is_err_and(|error| error.status >= 500) {
            webhook::rescue(&body, self.context);
        }
        // A kept-alive connection may be closed just when Diun sends the next event, which it would not send again.
        (result, true, is_event)
    }

    fn body(&mut self, head: &Head, limit: usize) -> Result<(Vec<u8>, Share), Error> {
        let is_too_large = matches!(head.framing, Framing::Length(length) if length > limit);
        if head.expects_continue && !is_too_large {
            let mut writer = self.reader.stream.writer(self.context.limits.progress);
            let _ = writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        self.reader.stream.phase = Phase::Body;
        let mut memory = self.context.capacity.bodies.share();
        let reserve = |bytes| bytes <= FREE_MEMORY || memory.resize(bytes);
        let body = self.reader.body(head.framing, limit, reserve)?;
        Ok((body, memory))
    }

    /// Whether connections are needed for others, or the server is stopping.
    fn is_crowded(&self) -> bool {
        self.context.capacity.connections.is_half_taken() || self.waiting.is_stopping()
    }

    fn log(&self, head: &Head, result: &response::Answer, began: Instant) {
        let status = match result {
            Ok(response) => response.status_code().0,
            Err(error) => error.status,
        };
        self.context.metrics.answered(status);
        if let Some(reason) = refusals::reason(status) {
            if route::is_webhook(head, self.context) {
                self.context.refusals.count(reason);
                self.context.metrics.refused();
            }
        }
        let path = ping::without_secret(&head.target);
        self.context.log.request(Entry {
            method: if head.method.is_empty() { "-" } else { &head.method },
            path: if head.target.is_empty() { "-" } else { &path },
            status,
            ms: milliseconds(began.elapsed()),
            client: self.peer,
            error: result.as_ref().err().map(|error| error.message.as_str()),
        });
    }
}
