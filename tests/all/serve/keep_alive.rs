//! Connections that serve several requests, and those that end.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::common::server::{event, eventually, notification};
use crate::serve::inside::{Inside, LONG, SHORT, patient, read_answer};
use diunbox::http::Limits;

const TAGS: &str = "GET /api/tags HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Waits for the server's end of a connection. Returns what comes before it.
fn rest(stream: &mut TcpStream) -> String {
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    rest
}

fn closes(answer: &str) -> bool {
    answer.contains("\r\nConnection: close\r\n")
}

#[test]
fn a_connection_serves_one_request_after_another() {
    let server = Inside::start(patient());
    let mut stream = server.connect();
    let tag = "POST /api/tags HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n\r\n{\"name\": \"web\"}";
    let chunked = "PUT /api/tag-assignments HTTP/1.1\r\nHost: localhost\r\n\
        Transfer-Encoding: chunked\r\n\r\n1c\r\n{\"image\": \"a\", \"tag_id\": 99}\r\n0\r\nX: y\r\n\r\n";
    for (request, status) in [(TAGS, 200), (tag, 201), (tag, 409), (chunked, 404), (TAGS, 200)] {
        stream.write_all(request.as_bytes()).unwrap();
        let answer = read_answer(&mut stream);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
        assert!(!closes(&answer), "{answer}");
    }
    // Sent at once, they are answered in order.
    stream.write_all([TAGS, "HEAD /healthz HTTP/1.1\r\n\r\n", tag].concat().as_bytes()).unwrap();
    assert!(read_answer(&mut stream).ends_with("[{\"id\":1,\"name\":\"web\"}]\n"));
    let mut head = vec![0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(read_answer(&mut stream).starts_with("HTTP/1.1 409 "));
}

#[test]
fn a_long_answer_is_chunked_and_leaves_the_connection_open() {
    let server = Inside::start(patient());
    let events: String = (0..500).map(|n| event(&format!("a:{n}")) + "\n").collect();
    server.inbox.diunbox(["ingest", "-q"]).write_stdin(events).assert().success();
    let mut stream = server.connect();
    stream.write_all(b"GET /api/updates HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert!(read_answer(&mut stream).contains("\r\nTransfer-Encoding: chunked\r\n"));
    let mut body = Vec::new();
    loop {
        let mut size = [0; 6];
        stream.read_exact(&mut size[..3]).unwrap();
        if &size[..3] == b"0\r\n" {
            break;
        }
        stream.read_exact(&mut size[3..]).unwrap();
        let size = usize::from_str_radix(str::from_utf8(&size[..4]).unwrap(), 16).unwrap();
        let start = body.len();
        body.resize(start + size + 2, 0);
        stream.read_exact(&mut body[start..]).unwrap();
        body.truncate(start + size);
    }
    stream.read_exact(&mut [0; 2]).unwrap();
    let updates: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(updates.as_object().unwrap().len(), 500);
    stream.write_all(TAGS.as_bytes()).unwrap();
    assert!(read_answer(&mut stream).starts_with("HTTP/1.1 200 "));
    // HTTP/1.0 knows no chunks: the end of the connection ends the answer.
    stream.write_all(b"GET /api/updates HTTP/1.0\r\n\r\n").unwrap();
    let answer = rest(&mut stream);
    let (head, whole) = answer.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("Transfer-Encoding") && !head.contains("Content-Length"), "{head}");
    assert_eq!(whole.as_bytes(), body);
}

#[test]
fn events_and_refusals_end_their_connection() {
    let server = Inside::start(patient());
    for request in [
        notification("a:1"),
        "POST /webhook HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
        "GET /api/tags HTTP/1.1\r\nConnection: keep-alive, Close\r\n\r\n".to_owned(),
        "GET /api/tags HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".to_owned(),
        "GET /nothing HTTP/1.1\r\nConnection: keep-alive\r\n\r\n".to_owned(),
        "GET /api/tags HTTP/1.1\r\nOrigin: http://evil.example\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
    ] {
        let mut stream = server.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let answer = read_answer(&mut stream);
        assert!(closes(&answer), "{request}: {answer}");
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(rest(&mut stream), "");
    }
}

#[test]
fn an_idle_connection_ends() {
    let server = Inside::start(Limits { idle: SHORT, ..patient() });
    let mut stream = server.connect();
    stream.write_all(TAGS.as_bytes()).unwrap();
    assert!(!closes(&read_answer(&mut stream)));
    assert_eq!(rest(&mut stream), "");
}

#[test]
fn idle_connections_make_room_for_new_clients() {
    // Ten connections at a time.
    let server = Inside::start(Limits { descriptors: 30, ..patient() });
    let mut kept = Vec::new();
    for _ in 0..40 {
        let mut stream = server.connect();
        stream.write_all(TAGS.as_bytes()).unwrap();
        let answer = read_answer(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        if !closes(&answer) {
            kept.push(stream);
        }
    }
    assert!(kept.len() >= 4, "connections are kept while there is room");
    let half: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(&TAGS.as_bytes()[..10]).unwrap();
            stream
        })
        .collect();
    // Unfinished heads make room too, but not at once.
    assert_eq!(server.send("POST", "/webhook", event("a:1")).status, 204);
    drop(half);
}

#[test]
fn stopping_ends_idle_connections_at_once_and_finishes_requests() {
    let mut server = Inside::start(Limits { silence: LONG, drain: LONG, ..patient() });
    let mut idle = server.connect();
    idle.write_all(TAGS.as_bytes()).unwrap();
    read_answer(&mut idle);
    let mut half = server.connect();
    half.write_all(&TAGS.as_bytes()[..10]).unwrap();
    server.signal();
    assert_eq!(rest(&mut idle), "");
    eventually("nobody new gets in", || TcpStream::connect(half.peer_addr().unwrap()).is_err());
    half.write_all(&TAGS.as_bytes()[10..]).unwrap();
    let answer = read_answer(&mut half);
    assert!(answer.starts_with("HTTP/1.1 200 ") && closes(&answer), "{answer}");
    server.wait();
}
