//! SIGTERM and SIGINT: requests in progress are finished, and the WAL is checkpointed.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use diunbox::http::Limits;
use rusqlite::Connection;
use rustix::process::Signal;

use super::inside::{Inside, LONG, SHORT, patient};
use crate::common::server::{Server, event, eventually, notification};

/// A client that has sent all of an event but its last byte.
fn almost_sent(server: &Server, request: &str) -> TcpStream {
    let mut stream = server.connect();
    stream.write_all(&request.as_bytes()[..request.len() - 1]).unwrap();
    stream
}

#[test]
fn requests_in_progress_are_finished() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start();
        let request = notification("a:1");
        let mut stream = almost_sent(&server, &request);
        server.signal(signal);
        server.logged("stopping");
        eventually("nobody new gets in", || TcpStream::connect(server.host()).is_err());
        stream.write_all(&request.as_bytes()[request.len() - 1..]).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
        drop(stream);
        assert_eq!(server.wait().code(), Some(0));
        assert_eq!(server.inbox.output(["list", "-q"]), "docker.io/library/a:1\n");
    }
}

#[test]
fn idle_clients_do_not_delay_the_shutdown() {
    let mut server = Inside::start(Limits { drain: LONG, ..patient() });
    let _clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    server.signal();
    eventually("it stops", || server.has_stopped());
    server.wait();
}

#[test]
fn half_a_request_delays_the_shutdown_for_a_limited_time() {
    let mut server = Inside::start(Limits { request: SHORT, drain: LONG, ..patient() });
    let request = notification("a:1");
    let mut stream = server.connect();
    stream.write_all(&request.as_bytes()[..request.len() - 1]).unwrap();
    server.signal();
    eventually("it stops", || server.has_stopped());
    server.wait();
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start();
    let _stream = almost_sent(&server, &notification("a:1"));
    server.signal(Signal::TERM);
    server.logged("stopping");
    server.signal(Signal::INT);
    // Otherwise it ends with 0, when the client has used up its time.
    assert_eq!(server.wait().code(), Some(2));
}

#[test]
fn the_write_ahead_log_is_emptied() {
    let mut server = Server::start();
    // While another program has the database open, closing it does not checkpoint the WAL.
    let other = Connection::open(server.inbox.database()).unwrap();
    other.query_row("SELECT count(*) FROM updates", [], |_| Ok(())).unwrap();
    assert_eq!(server.send("POST", "/webhook", &[], event("a:1")).status, 204);
    let wal = server.inbox.path("diunbox.db-wal");
    assert!(fs::metadata(&wal).unwrap().len() > 0);
    server.stop();
    assert_eq!(fs::metadata(&wal).unwrap().len(), 0);
    let pending: u64 =
        other.query_row("SELECT count(*) FROM updates", [], |row| row.get(0)).unwrap();
    assert_eq!(pending, 1);
}

#[test]
fn a_failing_checkpoint_does_not_fail_the_shutdown() {
    let mut server = Server::start();
    assert_eq!(server.send("POST", "/webhook", &[], event("a:1")).status, 204);
    for end in ["", "-wal", "-shm"] {
        let name = server.inbox.path(&format!("diunbox.db{end}"));
        fs::rename(&name, server.inbox.path(&format!("aside.db{end}"))).unwrap();
    }
    server.stop();
    server.logged("was removed or replaced");
    for end in ["", "-wal", "-shm"] {
        let name = server.inbox.path(&format!("aside.db{end}"));
        let _ = fs::rename(&name, server.inbox.path(&format!("diunbox.db{end}")));
    }
    assert_eq!(server.inbox.output(["list", "-q"]), "docker.io/library/a:1\n");
}
