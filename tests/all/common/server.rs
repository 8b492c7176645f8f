//! `diunbox serve` as a process: started on a free port, stopped by SIGTERM.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::common::answer::Answer;
use crate::common::{Inbox, program};

/// Longer than anything may take, so that a test that waits in vain ends.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A running server, with an inbox of its own.
pub struct Server {
    /// Its inbox.
    pub inbox: Inbox,
    child: Child,
    address: String,
    log: Arc<Shared>,
    stopped: bool,
}

#[derive(Default)]
struct Shared {
    lines: Mutex<Vec<String>>,
    grown: Condvar,
}

impl Server {
    /// A server on a free port of 127.0.0.1 with an empty inbox.
    pub fn start() -> Self {
        Self::with(Inbox::new(), &[])
    }

    /// The same, with more arguments.
    pub fn with(inbox: Inbox, arguments: &[&str]) -> Self {
        let mut command = Self::command(&inbox);
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        Self::spawn(inbox, command)
    }

    /// `diunbox serve` on an inbox, in an environment that holds nothing else.
    pub fn command(inbox: &Inbox) -> Command {
        let mut command = Self::program(inbox, program());
        command.arg("serve");
        command
    }

    /// A program that starts a server on an inbox. What a killed one leaves goes with the inbox.
    pub fn program(inbox: &Inbox, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("DIUNBOX_DB", inbox.database()).env("TMPDIR", inbox.path(""));
        command
    }

    /// Starts a server, and waits until its log says where it listens.
    pub fn spawn(inbox: Inbox, command: Command) -> Self {
        let mut server = Self::spawn_quiet(inbox, command);
        let line = server.logged("listens on ");
        let (_, address) = line.split_once("listens on ").unwrap();
        let end = address.find([' ', ',']).unwrap();
        address[..end].clone_into(&mut server.address);
        server
    }

    /// Starts a server that does not say where it listens.
    pub fn spawn_quiet(inbox: Inbox, mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::<Shared>::default();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in stderr.lines().map_while(Result::ok) {
                    log.lines.lock().unwrap().push(line);
                    log.grown.notify_all();
                }
            }
        });
        Self { inbox, child, address: String::new(), log, stopped: false }
    }

    /// The first address it listens on, such as `http://127.0.0.1:40123` or `unix:/path`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The same without `http://`.
    pub fn host(&self) -> &str {
        self.address.strip_prefix("http://").unwrap()
    }

    /// Sends a request without a body.
    pub fn ask(&self, method: &str, path: &str) -> Answer {
        self.send(method, path, &[], "")
    }

    /// Sends a request.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Answer {
        send(&format!("{}{path}", self.address), method, headers, body.as_ref())
    }

    /// A connection on which anything can be sent.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.host()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    /// Sends these bytes and closes this end, and returns all that comes back.
    pub fn raw(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        // A server that refuses the request may stop reading before it has all of it.
        let _ = stream.write_all(request.as_ref());
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The log so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lines.lock().unwrap().clone()
    }

    /// Waits for a line of the log that holds this.
    pub fn logged(&self, text: &str) -> String {
        let lines = self.log.lines.lock().unwrap();
        let found = |lines: &[String]| lines.iter().find(|line| line.contains(text)).cloned();
        let waited = self.log.grown.wait_timeout_while(lines, DEADLINE, |l| found(l).is_none());
        let lines = waited.unwrap().0;
        found(&lines).unwrap_or_else(|| panic!("no {text:?} in the log: {lines:#?}"))
    }

    /// Takes away the table that every operation needs.
    pub fn break_database(&self) {
        self.inbox.sql("ALTER TABLE updates RENAME TO aside");
    }

    /// Puts the table back.
    pub fn mend_database(&self) {
        self.inbox.sql("ALTER TABLE aside RENAME TO updates");
    }

    /// A file of `/proc/PID`.
    pub fn process(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }

    /// A number of `/proc/PID/status`.
    pub fn status(&self, key: &str) -> u64 {
        let text = self.process("status");
        let line = text.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the server ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        self.stopped = true;
        status.unwrap()
    }

    /// Stops it by SIGTERM: it must exit with 0.
    pub fn stop(&mut self) {
        self.signal(Signal::TERM);
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "{:#?}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        } else if !self.stopped {
            self.stop();
        }
    }
}

/// Sends a request with a real HTTP client.
pub fn send(url: &str, method: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(DEADLINE))
        .proxy(None);
    let agent: ureq::Agent = config.build().into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let result = if body.is_empty() && !["POST", "PUT", "PATCH"].contains(&method) {
        agent.run(request.body(()).unwrap())
    } else {
        let request = agent.configure_request(request.body(body).unwrap());
        agent.run(request.allow_non_standard_methods(true).build())
    };
    let mut response = result.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let body = response.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
    Answer { status: response.status().as_u16(), headers: response.headers().clone(), body }
}

/// The answer on a Unix socket to a request of these bytes, once a server listens there.
pub fn ask_unix(socket: &Path, request: &str) -> String {
    let mut stream = None;
    eventually("it listens", || {
        stream = UnixStream::connect(socket).ok();
        stream.is_some()
    });
    let mut stream = stream.unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Keeps tests that need the whole machine from slowing each other down, until it is dropped.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until something holds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A Diun event of an image.
pub fn event(image: &str) -> String {
    serde_json::json!({
        "diun_version": "4.33.0", "hostname": "edge-1", "status": "update", "provider": "docker",
        "image": image, "hub_link": "", "mime_type": "", "digest": format!("sha256:{image}"),
        "created": "2026-11-23T21:45:52Z", "platform": "linux/amd64",
        "metadata": {"ctn_names": "web-1"},
    })
    .to_string()
}

/// A request as today's Diun sends it by default: GET, with a body.
pub fn notification(image: &str) -> String {
    let event = event(image);
    let length = event.len();
    format!(
        "GET /webhook HTTP/1.1\r\nHost: localhost\r\nUser-Agent: diun/4.33.0\r\n\
         Content-Length: {length}\r\nAccept-Encoding: gzip\r\n\r\n{event}"
    )
}
