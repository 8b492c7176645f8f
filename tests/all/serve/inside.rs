//! `serve` inside the test program, so that its deadlines can be short.

use std::io;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use diunbox::http::{Access, Format, Level, Limits, Listener, Log, Server, Settings};
use diunbox::store::{SqliteStore, Store};

use crate::common::Inbox;
use crate::common::answer::Answer;
use crate::common::server::{DEADLINE, send};

/// Longer than anything here takes, where a deadline must not be met.
pub(crate) const LONG: Duration = Duration::from_secs(600);
/// A deadline that is to be met.
pub(crate) const SHORT: Duration = Duration::from_millis(200);

/// Limits whose deadlines are never met.
pub(crate) fn patient() -> Limits {
    Limits { request: LONG, idle: LONG, progress: LONG, linger: LONG, ..Limits::default() }
}

/// A server with an inbox of its own, stopped when it is dropped.
pub(crate) struct Inside {
    pub(crate) inbox: Inbox,
    address: String,
    stop: UnixStream,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Inside {
    pub(crate) fn start(limits: Limits) -> Self {
        Self::with(Inbox::new(), limits)
    }

    pub(crate) fn with(inbox: Inbox, limits: Limits) -> Self {
        let store = SqliteStore::open(&inbox.database()).unwrap();
        Self::of(Box::new(store), inbox, limits)
    }

    pub(crate) fn of(store: Box<dyn Store>, inbox: Inbox, limits: Limits) -> Self {
        let listeners = Listener::bind("127.0.0.1:0").unwrap();
        let address = listeners[0].to_string();
        let (stopped, stop) = UnixStream::pair().unwrap();
        let log = Log { format: Format::Json, level: Level::Quiet };
        let (access, base_path) = (Access::default(), String::new());
        let settings = Settings { access, base_path, log, limits };
        let server = Server { store, listeners, settings };
        let thread = Some(thread::spawn(move || server.run(stopped)));
        Self { inbox, address, stop, thread }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address.strip_prefix("http://").unwrap()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: impl AsRef<[u8]>) -> Answer {
        send(&format!("{}{path}", self.address), method, &[], body.as_ref())
    }

    /// Asks the server to stop, as SIGTERM does.
    pub(crate) fn signal(&mut self) {
        self.stop.write_all(b"x").unwrap();
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until it has stopped.
    pub(crate) fn wait(&mut self) {
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if self.thread.is_some() && !thread::panicking() {
            self.signal();
            self.wait();
        }
    }
}

/// Reads one answer's head and the body that its `Content-Length` tells.
pub(crate) fn read_answer(stream: &mut impl io::Read) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer.clone()).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    head + std::str::from_utf8(&body).unwrap()
}
