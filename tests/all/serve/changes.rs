//! `/api/changes`: changes as they come.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use diunbox::http::Limits;
use serde_json::{Value, json};

use crate::common::Inbox;
use crate::common::server::{Server, event, eventually};
use crate::serve::inside::{Inside, patient};

/// An open feed.
struct Feed(BufReader<TcpStream>);

/// What a feed says: the name of the event, its number and its data.
#[derive(Debug, PartialEq)]
struct Message {
    event: String,
    id: Option<i64>,
    data: Value,
}

impl Feed {
    fn open(stream: TcpStream, headers: &str) -> Self {
        Self::from(stream, "/api/changes", headers)
    }

    fn from(mut stream: TcpStream, path: &str, headers: &str) -> Self {
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").unwrap();
        let mut feed = Self(BufReader::new(stream));
        assert_eq!(feed.line(), "HTTP/1.1 200 OK");
        while !feed.line().is_empty() {}
        feed
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next message; `None` at the end. Each chunk's size is a line of its own.
    fn next(&mut self) -> Option<Message> {
        let (mut event, mut id) = (String::new(), None);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            let line = line.trim_end();
            if let Some(name) = line.strip_prefix("event: ") {
                name.clone_into(&mut event);
            } else if let Some(number) = line.strip_prefix("id: ") {
                id = Some(number.parse().unwrap());
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some(Message { event, id, data: serde_json::from_str(data).unwrap() });
            } else if line == "0" {
                return None;
            }
        }
    }

    /// The name of the image of the next update.
    fn update(&mut self) -> (Option<i64>, String) {
        let message = self.next().unwrap();
        assert_eq!(message.event, "update");
        (message.id, message.data["name"].as_str().unwrap().to_owned())
    }
}

#[test]
fn changes_of_every_process_are_sent() {
    let server = Server::start();
    assert_eq!(server.send("POST", "/webhook", &[], event("a:1")).status, 204);
    let mut feed = Feed::open(server.connect(), "");
    let hello = feed.next().unwrap();
    assert_eq!((hello.event.as_str(), hello.id), ("ping", Some(1)));
    server.send("POST", "/webhook", &[], event("b:1"));
    assert_eq!(feed.update(), (Some(2), "b:1".to_owned()));
    // As another process does it.
    server.inbox.diunbox(["-q", "ack", "a:1"]).assert().success();
    let message = feed.next().unwrap();
    assert_eq!(
        (&message.data["name"], &message.data["state"]),
        (&json!("a:1"), &json!("acknowledged"))
    );
    // A client that was away gets what it missed.
    let mut again = Feed::open(server.connect(), "Last-Event-ID: 1\r\n");
    assert_eq!(again.next().unwrap().event, "ping");
    assert_eq!([again.update().1, again.update().1], ["b:1", "a:1"]);
    // So does one that has just read a list.
    let mut listed = Feed::from(server.connect(), "/api/changes?after=2", "");
    assert_eq!(
        (listed.next().unwrap().event.as_str(), listed.update().1.as_str()),
        ("ping", "a:1")
    );
    let mut again = Feed::from(server.connect(), "/api/changes?after=1", "Last-Event-ID: 2\r\n");
    assert_eq!((again.next().unwrap().id, again.update().1.as_str()), (Some(2), "a:1"));
    assert_eq!(server.ask("GET", "/api/changes?since=1").status, 400);
    // A client with an unknown id gets a `reset` event.
    for id in ["999", "-1", "x"] {
        let mut other = Feed::open(server.connect(), &format!("Last-Event-ID: {id}\r\n"));
        assert_eq!(other.next().unwrap().event, "reset", "{id}");
    }
}

#[test]
fn the_end_of_a_snooze_is_told() {
    let server = Server::start();
    server.send("POST", "/webhook", &[], event("a:1"));
    let until = chrono::Utc::now() + chrono::TimeDelta::milliseconds(1_500);
    let body = json!({"action": "snooze", "images": ["a:1"], "until": until.to_rfc3339()});
    assert_eq!(server.send("POST", "/api/actions", &[], body.to_string()).status, 200);
    let mut feed = Feed::open(server.connect(), "");
    assert_eq!(feed.next().unwrap().event, "ping");
    let message = feed.next().unwrap();
    assert_eq!((&message.data["name"], &message.data["state"]), (&json!("a:1"), &json!("pending")));
}

#[test]
fn a_feed_without_news_beats_and_ends_with_the_server() {
    let limits = Limits { heartbeat: Duration::from_millis(20), ..patient() };
    let mut server = Inside::start(limits);
    let mut feed = Feed::open(server.connect(), "");
    assert_eq!(feed.next().unwrap().id, Some(0));
    for _ in 0..3 {
        let beat = Message { event: "ping".into(), id: None, data: json!({}) };
        assert_eq!(feed.next().unwrap(), beat);
    }
    server.signal();
    while let Some(message) = feed.next() {
        assert_eq!(message.event, "ping");
    }
    server.wait();
}

#[test]
fn sixty_four_feeds_cost_little_and_one_more_is_refused() {
    let server = Server::with(Inbox::new(), &[]);
    server.send("POST", "/webhook", &[], event("a:1"));
    let before = server.status("VmRSS:");
    let mut feeds: Vec<Feed> = (0..64).map(|_| Feed::open(server.connect(), "")).collect();
    let cost = server.status("VmRSS:").saturating_sub(before);
    assert!(cost < 8 * 1024, "{cost} KiB");
    assert_eq!(server.ask("GET", "/api/changes").status, 503);
    server.send("POST", "/webhook", &[], event("b:1"));
    for feed in &mut feeds {
        assert_eq!(feed.next().unwrap().event, "ping");
        assert_eq!(feed.update().1, "b:1");
    }
    // The places of clients that have gone are free again once their feed finds out.
    drop(feeds);
    server.send("POST", "/webhook", &[], event("c:1"));
    eventually("a feed is free", || {
        server.send("POST", "/webhook", &[], event("c:1"));
        let answer = server.raw("HEAD /api/changes HTTP/1.1\r\nHost: localhost\r\n\r\n");
        answer.starts_with("HTTP/1.1 200")
    });
}
