//! `watch`: updates as they become pending.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{Inbox, program};

/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(120);

/// A watch, ended when it is dropped.
struct Watch {
    child: Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    receive
}

impl Watch {
    /// A watch that has begun.
    fn start(inbox: &Inbox, arguments: &[&str]) -> Self {
        let mut command = Command::new(program());
        command.arg("watch").args(arguments).env("DIUNBOX_DB", inbox.database());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let watch = Self { child, lines: lines(out), errors: lines(errors) };
        assert!(watch.errors.recv_timeout(LONG).unwrap().contains("watching "));
        watch
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(LONG).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn event(image: &str, digest: &str, host: &str) -> Value {
    json!({"image": image, "digest": digest, "hostname": host, "provider": "docker",
        "status": "update", "metadata": {"ctn_names": "web"}})
}

#[test]
fn what_becomes_pending_is_printed_once() {
    let inbox = Inbox::new();
    inbox.take(&[event("old:1", "sha256:1", "nas")]);
    let watch = Watch::start(&inbox, &["--format", "ndjson"]);
    inbox.take(&[event("a:1", "sha256:1", "nas")]);
    let line = watch.json();
    assert_eq!((&line["name"], &line["where"]), (&json!("a:1"), &json!("nas/web")));
    // The same digest from another place is not news, and neither is a decision.
    inbox.take(&[event("a:1", "sha256:1", "edge-1")]);
    inbox.output(["ack", "a:1"]);
    inbox.take(&[event("b:1", "sha256:1", "nas")]);
    assert_eq!(watch.json()["name"], "b:1");
    // Another digest is, and what is opened again.
    inbox.take(&[event("a:1", "sha256:2", "nas")]);
    assert_eq!(watch.json()["name"], "a:1");
    inbox.output(["ack", "old:1"]);
    inbox.output(["snooze", "b:1", "--for", "2s"]);
    assert_eq!(watch.json()["name"], "b:1");
    inbox.output(["reopen", "old:1"]);
    assert_eq!(watch.json()["name"], "old:1");
}

#[test]
fn those_that_are_pending_can_come_first() {
    let inbox = Inbox::new();
    inbox.take_aged(&event("a:1", "sha256:1", "nas"), 5);
    inbox.take_aged(&event("b:1", "sha256:1", "nas"), 2);
    let mut command = Command::new(program());
    command.args(["watch", "--all"]).env("DIUNBOX_DB", inbox.database()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    let lines = lines(child.stdout.take().unwrap());
    assert_eq!(lines.recv_timeout(LONG).unwrap(), "a:1  new  nas/web  5 hours ago");
    assert_eq!(lines.recv_timeout(LONG).unwrap(), "b:1  new  nas/web  2 hours ago");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_command_is_run_for_each_update_and_its_failure_is_reported() {
    let inbox = Inbox::new();
    let command = "echo \"$DIUNBOX_NAME at $DIUNBOX_WHERE: $DIUNBOX_DIGEST\"; \
        [ \"$DIUNBOX_NAME\" = b:1 ] && exit 3; cat";
    let watch = Watch::start(&inbox, &["--format", "ndjson", "--exec", command]);
    let hostile = "c;$(id)`id`:1";
    for image in ["a:1", "b:1", hostile] {
        inbox.take(&[event(image, "sha256:1", "nas")]);
    }
    let mut seen = Vec::new();
    while seen.len() < 8 {
        seen.push(watch.line());
    }
    assert_eq!(seen[1], "a:1 at nas/web: sha256:1");
    assert_eq!(seen[0], seen[2], "the command gets the JSON");
    assert_eq!(seen[4], "b:1 at nas/web: sha256:1");
    assert!(seen[6].starts_with("c;$(id)`id`:1 at "), "{seen:?}");
    let error = watch.errors.recv_timeout(LONG).unwrap();
    assert!(error.contains("exit status: 3") && error.contains("b:1"), "{error}");
}

#[test]
fn the_command_gets_each_host_once() {
    let inbox = Inbox::new();
    for (host, container) in [("nas", "web"), ("edge-1", "web"), ("nas", "db")] {
        let mut event = event("a:1", "sha256:1", host);
        event["metadata"]["ctn_names"] = json!(container);
        inbox.take(&[event]);
    }
    let watch = Watch::start(&inbox, &["--all", "--exec", "echo $DIUNBOX_HOSTS"]);
    assert!(watch.line().starts_with("a:1 "));
    assert_eq!(watch.line(), "edge-1 nas");
}

#[cfg(feature = "postgres")]
#[test]
fn a_server_that_is_away_is_reported_once_and_asked_again() {
    let Some(cluster) = crate::common::cluster::Cluster::start(&[]) else { return };
    let (inbox, url) = (Inbox::new(), cluster.url());
    let ingest = |image: &str| {
        let mut ingest = inbox.diunbox(["ingest", "-q"]);
        let event = crate::common::server::event(image);
        ingest.env("DIUNBOX_DB", &url).write_stdin(event).assert().success();
    };
    let watch = Watch::start(&inbox, &["--db", &url, "--db-timeout", "1"]);
    ingest("a:1");
    assert!(watch.line().contains("a:1"));
    cluster.stop("fast");
    assert!(watch.errors.recv_timeout(LONG).unwrap().contains("cannot be reached"));
    cluster.again();
    ingest("b:1");
    assert!(watch.line().contains("b:1"));
    assert!(watch.errors.try_recv().is_err());
}
