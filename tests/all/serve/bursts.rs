//! Many clients at once. Diun sends each notification on a connection of its own, once, and waits 10 s. A later answer
//! is lost.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::server::{Server, alone, event, eventually, notification};
use crate::common::{Inbox, program};

/// Reads one answer's status line and headers, as a client does that keeps the connection open.
fn head(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "no whole answer: {head}");
    }
    head
}

/// A server closes an idle connection after this time. No request may wait for that.
const IDLE: Duration = Duration::from_secs(10);

/// Clients that behave like Diun's: they arrive together, and keep their connection open unless the answer says to
/// close it. Returns how long the slowest waited for its answer.
fn burst(server: &Server, clients: usize) -> Duration {
    let (start, end) = (Barrier::new(clients), Barrier::new(clients));
    let client = |n: usize| {
        let request = notification(&format!("ghcr.io/acme/{n}:1"));
        start.wait();
        let began = Instant::now();
        let mut stream = server.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let head = head(&stream);
        let took = began.elapsed();
        assert!(head.starts_with("HTTP/1.1 204"), "{head}");
        if head.to_ascii_lowercase().contains("\r\nconnection: close\r\n") {
            drop(stream);
        } else {
            end.wait();
        }
        took
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..clients).map(|n| scope.spawn(move || client(n))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).max().unwrap()
    })
}

#[test]
fn bursts_are_answered_at_once() {
    let _alone = alone();
    let server = Server::start();
    for clients in [10, 50, 200] {
        let slowest = burst(&server, clients);
        println!("{clients} clients: the slowest waited {slowest:?}");
        assert!(slowest < IDLE, "{clients} clients: {slowest:?}");
    }
    assert_eq!(server.ask("GET", "/api/summary").json()["pending"], 200);
}

#[test]
fn few_descriptors_are_enough_for_bursts() {
    let _alone = alone();
    for descriptors in [20, 40] {
        let server = limited(descriptors, Inbox::new(), &[]);
        for _ in 0..3 {
            burst(&server, 100);
        }
        for path in ["/healthz", "/metrics", "/api/summary", "/api/updates"] {
            assert_eq!(server.ask("GET", path).status, 200, "{path}");
        }
        assert_eq!(server.ask("GET", "/api/summary").json()["pending"], 100);
        let log = server.log();
        assert!(!log.iter().any(|line| line.contains("cannot")), "{log:#?}");
    }
}

#[test]
fn clients_that_never_close_do_not_delay_others() {
    let _alone = alone();
    // So few descriptors that they take all places.
    let server = limited(128, Inbox::new(), &[]);
    let stubborn: Vec<TcpStream> = (0..50)
        .map(|n| {
            let mut stream = server.connect();
            stream.write_all(notification(&format!("ghcr.io/acme/{n}:1")).as_bytes()).unwrap();
            stream
        })
        .collect();
    for stream in &stubborn {
        assert!(head(stream).starts_with("HTTP/1.1 204"));
    }
    assert!(burst(&server, 20) < IDLE);
    for mut stream in &stubborn {
        // The server ends what they do not.
        assert_eq!(stream.read(&mut [0; 1024]).unwrap(), 0);
    }
    eventually("their threads end", || server.status("Threads:") < 30);
}

#[test]
fn few_descriptors_do_not_stop_it_from_accepting() {
    let _alone = alone();
    let server = limited(128, Inbox::new(), &[]);
    let mut clients = Vec::new();
    for n in 0..300 {
        let mut stream = server.connect();
        // Some ask for nothing, some for a half, some in full.
        let request = notification(&format!("ghcr.io/acme/{n}:1"));
        stream.write_all(&request.as_bytes()[..request.len() * (n % 3) / 2]).unwrap();
        clients.push(stream);
    }
    for stream in clients.iter().skip(2).step_by(3) {
        assert!(head(stream).starts_with("HTTP/1.1 204"));
    }
    drop(clients);
    for _ in 0..20 {
        assert_eq!(server.send("POST", "/webhook", &[], event("z:1")).status, 204);
    }
    assert_eq!(server.ask("GET", "/api/summary").json()["pending"], 101);
    let log = server.log();
    assert!(!log.iter().any(|line| line.contains("panicked")), "{log:#?}");
}

/// A server that may have so many descriptors.
pub(crate) fn limited(descriptors: usize, inbox: Inbox, more: &[&str]) -> Server {
    let mut command = Server::program(&inbox, Path::new("/bin/sh"));
    command.args(["-c", "n=$1; shift; ulimit -n $n && exec $0 serve --listen 127.0.0.1:0 \"$@\""]);
    command.arg(program()).arg(descriptors.to_string()).args(more);
    Server::spawn(inbox, command)
}
