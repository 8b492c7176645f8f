//! What every test of the program needs: an inbox of its own.

pub mod answer;
#[cfg(feature = "postgres")]
pub mod cluster;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod server;
pub mod terminal;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

use assert_cmd::Command;
use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with a database in it, both gone when the test ends.
pub struct Inbox {
    folder: TempDir,
}

impl Inbox {
    /// An inbox without a database yet.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// An inbox with the events of a fixture.
    pub fn with(name: &str) -> Self {
        let inbox = Self::new();
        inbox.diunbox(["ingest"]).arg(fixture(name)).assert().success();
        inbox
    }

    /// A path in the inbox's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the database is, or will be.
    pub fn database(&self) -> PathBuf {
        self.path("diunbox.db")
    }

    /// The program with some arguments, on this inbox and in an environment that holds nothing else.
    pub fn diunbox<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(program());
        command.env_clear().env("DIUNBOX_DB", self.database()).args(arguments);
        command.timeout(server::DEADLINE);
        command
    }

    /// What the program prints with some arguments; it must succeed.
    pub fn output<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        let output = self.diunbox(arguments).assert().success().get_output().stdout.clone();
        String::from_utf8(output).unwrap()
    }
}

/// More of an inbox, for the tests of the command line.
impl Inbox {
    /// Takes events in from a pipe.
    pub fn take(&self, events: &[Value]) {
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        self.diunbox(["ingest"]).write_stdin(lines.join("\n")).assert().success();
    }

    /// Takes an event in that was received some hours ago.
    pub fn take_aged(&self, event: &Value, hours: i64) {
        let time = Utc::now() - TimeDelta::hours(hours);
        let time = time.to_rfc3339_opts(SecondsFormat::Secs, true);
        self.take(&[json!({"event": event, "received_at": time})]);
    }

    /// The JSON that the program prints with some arguments.
    pub fn json<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Value {
        let output = self.diunbox(arguments).args(["--format", "json"]).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The lines that the program prints with some arguments.
    pub fn lines<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        self.output(arguments).lines().map(str::to_owned).collect()
    }

    /// The database itself, for what the program has no command for.
    pub fn sql(&self, statements: &str) {
        rusqlite::Connection::open(self.database()).unwrap().execute_batch(statements).unwrap();
    }
}

/// An event of a container on `edge-1`, named as the image's last part.
pub fn event(image: &str) -> Value {
    let last = image.rsplit('/').next().unwrap().split(':').next().unwrap();
    json!({
        "diun_version": "4.33.0", "hostname": "edge-1", "status": "update", "provider": "docker",
        "image": image, "hub_link": "", "mime_type": "application/json", "digest": "sha256:01",
        "created": "2026-11-20T08:15:30Z", "platform": "linux/amd64",
        "metadata": {"ctn_names": last},
    })
}

/// An event with some fields changed.
pub fn event_with(image: &str, changes: &Value) -> Value {
    let mut event = event(image);
    for (field, value) in changes.as_object().unwrap() {
        event[field] = value.clone();
    }
    event
}

/// The events of a fixture.
pub fn events(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(fixture(name)).unwrap();
    serde_json::Deserializer::from_str(&text).into_iter().map(Result::unwrap).collect()
}

/// Waits until something is so; fails where it takes too long.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::yield_now();
    }
}

/// Says why a test is skipped. The gate skips none.
#[cfg(feature = "postgres")]
pub fn skipped<T>(reason: &str) -> Option<T> {
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    eprintln!("skipped: {reason}");
    None
}

/// The program.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_diunbox"))
}

/// A file of `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Takes NUL out of the fields that must not have it.
pub fn without_nul(event: &mut Value) {
    for (name, value) in event.as_object_mut().unwrap() {
        if let (Some(text), true) = (value.as_str(), name != "metadata") {
            *value = text.replace('\0', "").into();
        }
    }
}
