//! SIGTERM and SIGINT: what is in flight is finished, and the database is left tidy.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rustix::process::Signal;

use crate::common::server::{Server, event, eventually, notification};

/// A client that has sent all of an event but its last byte.
fn almost_sent(server: &Server, request: &str) -> TcpStream {
    let mut stream = server.connect();
    stream.write_all(&request.as_bytes()[..request.len() - 1]).unwrap();
    stream
}

#[test]
fn what_is_in_flight_is_finished() {
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
fn clients_that_ask_for_nothing_do_not_hold_up_the_end() {
    let mut server = Server::start();
    let _clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    eventually("they are in", || server.status("Threads:") > 20);
    let began = Instant::now();
    server.stop();
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn half_a_request_holds_up_the_end_for_a_time_only() {
    let mut server = Server::start();
    let _stream = almost_sent(&server, &notification("a:1"));
    let began = Instant::now();
    server.stop();
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start();
    let _stream = almost_sent(&server, &notification("a:1"));
    server.signal(Signal::TERM);
    server.logged("stopping");
    let began = Instant::now();
    server.signal(Signal::INT);
    assert_eq!(server.wait().code(), Some(2));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn the_write_ahead_log_is_emptied() {
    let mut server = Server::start();
    // As long as somebody has the database open, its last page does not go home by itself.
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
fn a_database_that_cannot_be_tidied_is_no_reason_to_fail() {
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
