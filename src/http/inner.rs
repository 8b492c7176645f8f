//! The HTTP server proper: tiny_http, behind a private socket.
//!
//! tiny_http has no time-outs and no limits, and stops accepting for good after its first error.
//! So it never meets a stranger: the gate reads each request to its end, and hands it over here
//! whole, small and well-formed, on a connection that takes no time.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use percent_encoding::{CONTROLS, utf8_percent_encode};
use tiny_http::{Header, Server};

use super::head::Received;
use super::message::{Request, Response};
use super::route::{Context, route};
use super::threads::Threads;

/// An answer takes no longer than the store waits for a lock; this is for when something is stuck.
const ANSWER_TIME: Duration = Duration::from_secs(30);
const THREAD_STACK: usize = 512 * 1024;

/// The server, until it is dropped.
pub(super) struct Inner {
    socket: PathBuf,
    stopping: Arc<AtomicBool>,
    dispatcher: Option<thread::JoinHandle<()>>,
}

impl Inner {
    /// Starts answering on a socket in a folder that nobody else can look into.
    pub(super) fn start(context: Arc<Context>, folder: &Path) -> io::Result<Self> {
        let socket = folder.join("http");
        let listener = UnixListener::bind(&socket)?;
        let stopping = Arc::new(AtomicBool::new(false));
        let dispatcher = thread::Builder::new().name("dispatcher".into()).spawn({
            let stopping = Arc::clone(&stopping);
            move || dispatch(&listener, &context, &stopping)
        })?;
        Ok(Self { socket, stopping, dispatcher: Some(dispatcher) })
    }

    /// Has a request answered: the answer as it goes over the wire.
    pub(super) fn answer(&self, received: &Received) -> io::Result<Vec<u8>> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(ANSWER_TIME))?;
        stream.set_write_timeout(Some(ANSWER_TIME))?;
        // tiny_http takes nothing but ASCII.
        let target = utf8_percent_encode(&received.target, CONTROLS);
        let mut request = Vec::with_capacity(512 + received.body.len());
        write!(request, "{} {target} HTTP/1.1\r\nConnection: close\r\n", received.method)?;
        for (name, value) in &received.headers {
            write!(request, "{name}: {value}\r\n")?;
        }
        write!(request, "Content-Length: {}\r\n\r\n", received.body.len())?;
        request.extend(&received.body);
        stream.write_all(&request)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        if answer.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(answer) }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // One more connection wakes the accepting thread, which then sees that it is to stop.
        let _ = UnixStream::connect(&self.socket);
        if let Some(dispatcher) = self.dispatcher.take() {
            let _ = dispatcher.join();
        }
    }
}

/// Has each request answered in a thread of its own; the gate limits how many there are.
fn dispatch(listener: &UnixListener, context: &Arc<Context>, stopping: &AtomicBool) {
    let threads = Threads::new(THREAD_STACK);
    while !stopping.load(Ordering::SeqCst) {
        let server = listener.try_clone().map_err(Into::into);
        let server = server.and_then(|listener| Server::from_listener(listener, None));
        let Ok(server) = server else {
            context.log.problem("out of descriptors or threads; trying again");
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        // It ends at tiny_http's first error, after which a new server must take over.
        while !stopping.load(Ordering::SeqCst) {
            let request = match server.recv_timeout(Duration::from_millis(200)) {
                Ok(Some(request)) => request,
                Ok(None) => continue,
                Err(_) => break,
            };
            let context = Arc::clone(context);
            // Where no thread can be had the request is dropped, and the gate answers 503.
            let _ = threads.run(move || respond(request, &context));
        }
    }
}

fn respond(mut request: tiny_http::Request, context: &Context) {
    let mut body = Vec::new();
    if request.as_reader().read_to_end(&mut body).is_err() {
        return;
    }
    let response = catch_unwind(AssertUnwindSafe(|| {
        let header = |name: &str| {
            let headers = request.headers().iter();
            headers
                .filter(|header| header.field.as_str() == name)
                .map(|header| header.value.as_str())
                .next()
        };
        let (method, target) = (request.method(), request.url());
        route(&Request { method, target, header: &header, body: &body }, context)
    }))
    .unwrap_or_else(|_| Response::error(500, "diunbox failed to answer this; its log says more"));
    let headers = response.headers.iter();
    let headers =
        headers.filter_map(|(name, value)| Header::from_bytes(*name, value.as_bytes()).ok());
    let answer = tiny_http::Response::new(
        response.status.into(),
        headers.collect(),
        response.body.as_slice(),
        Some(response.body.len()),
        None,
    );
    // Where the gate has gone there is nobody left to answer.
    let _ = request.respond(answer.with_chunked_threshold(usize::MAX));
}
