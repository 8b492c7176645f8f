//! Clients that send too much, too slowly or not at all, or read nothing.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use diunbox::http::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::common::Inbox;
use crate::common::server::{DEADLINE, Server, alone, event, eventually, notification};
use crate::serve::inside::{Inside, SHORT, patient};

#[test]
fn a_large_body_is_refused_unread() {
    let server = Server::start();
    // No byte of the body is ever sent.
    let mut stream = server.connect();
    let request = "POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");

    // A client that sends it anyway can read the reason.
    for body in [vec![b' '; (1 << 20) + 1], vec![b' '; 5 << 20]] {
        let answer = server.send("POST", "/webhook", &[], body);
        assert_eq!((answer.status, answer.error()), (413, "the body is larger than 1 MiB".into()));
    }
    let chunked = "POST /webhook HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("80000\r\n{}\r\n", " ".repeat(0x80000));
    let answer = server.raw(format!("{chunked}{chunk}{chunk}1\r\n \r\n0\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[test]
fn a_body_of_one_mebibyte_is_taken() {
    let server = Server::start();
    let mut event = event("a:1");
    event.insert_str(1, &" ".repeat((1 << 20) - event.len()));
    assert_eq!(event.len(), 1 << 20);
    assert_eq!(server.send("POST", "/webhook", &[], event).status, 204);
}

#[test]
fn expect_100_continue_is_answered() {
    let server = Server::start();
    let mut stream = server.connect();
    let body = event("a:1");
    let length = body.len();
    let head = format!(
        "POST /webhook HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

#[test]
fn malformed_requests_are_refused() {
    let server = Server::start();
    let head = |n: usize| "a: b\r\n".repeat(n);
    for (request, status) in [
        ("\x16\x03\x01\x02\x00\x01\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(), 400),
        (format!("GET / HTTP/1.1\r\n{}\r\n", head(200)), 431),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000)), 431),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n".to_owned(), 501),
    ] {
        let answer = server.raw(&request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(answer.contains("{\"error\":\""), "{answer}");
    }
}

#[test]
fn a_client_that_sends_slowly_is_cut_off() {
    let server = Inside::start(Limits { request: SHORT, ..patient() });
    let request = notification("a:1");
    // Within the head, and within the body.
    for sent_at_once in [0, request.len() - 100] {
        let mut stream = server.connect();
        let (start, rest) = request.as_bytes().split_at(sent_at_once);
        stream.write_all(start).unwrap();
        stream.set_read_timeout(Some(SHORT / 10)).unwrap();
        let mut answer = [0; 12];
        for byte in rest {
            // The pace of the client is what is tested here: a byte comes before any time-out that
            // counts from the last one.
            match stream.read(&mut answer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                _ => break,
            }
            stream.write_all(&[*byte]).unwrap();
        }
        assert_eq!(str::from_utf8(&answer), Ok("HTTP/1.1 408"), "it is not cut off");
    }
    assert_eq!(server.send("GET", "/api/updates", "").json(), serde_json::json!({}));
}

#[test]
fn requests_are_refused_before_their_body_is_read() {
    let inbox = Inbox::new();
    let mut command = Server::command(&inbox);
    command.args(["--listen", "127.0.0.1:0"]).env("DIUNBOX_TOKEN", "s3cret");
    let server = Server::spawn(inbox, command);
    let token = "Authorization: s3cret\r\n";
    for (request, status) in [
        ("POST /webhook HTTP/1.1\r\n".to_owned(), 401),
        ("POST /webhook HTTP/1.1\r\nAuthorization: wrong\r\n".to_owned(), 401),
        (format!("POST /webhook HTTP/1.1\r\n{token}Origin: http://evil\r\n"), 403),
        (format!("POST /nothing HTTP/1.1\r\n{token}"), 404),
        (format!("DELETE /webhook HTTP/1.1\r\n{token}"), 405),
    ] {
        for framing in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
            let mut stream = server.connect();
            let head = format!("{request}Expect: 100-continue\r\n{framing}\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            // No byte of the body is ever sent.
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(str::from_utf8(&answer), Ok(&*format!("HTTP/1.1 {status}")), "{head}");
        }
    }
}

/// An inbox whose answer to `/api/updates` fills all buffers between two sockets.
fn long_answer() -> Inbox {
    let inbox = Inbox::new();
    let filler = "x".repeat(20_000);
    let events = (0..500).map(|n| event(&format!("a:{n}")).replace("web-1", &filler) + "\n");
    inbox.diunbox(["ingest", "-q"]).write_stdin(events.collect::<String>()).assert().success();
    inbox
}

#[test]
fn a_client_that_reads_nothing_is_cut_off_and_can_tell() {
    let server = Inside::with(long_answer(), Limits { progress: SHORT, ..patient() });
    let idle = server.connect();
    for version in ["1.1", "1.0"] {
        let mut stream = server.connect();
        stream.write_all(format!("GET /api/updates HTTP/{version}\r\n\r\n").as_bytes()).unwrap();
        // The server ends the connection while this end reads nothing.
        let mut byte = [0];
        stream.set_nonblocking(true).unwrap();
        eventually("it is cut off", || {
            matches!(stream.peek(&mut byte), Err(e) if e.kind() == ErrorKind::ConnectionReset)
                || stream.take_error().unwrap().is_some()
        });
    }
    drop(idle);
}

#[test]
fn a_body_that_is_cut_short_is_not_an_event() {
    let server = Server::start();
    let request = notification("a:1");
    for cut in [10, request.len() - 1] {
        let mut stream = server.connect();
        stream.write_all(&request.as_bytes()[..cut]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    assert_eq!(server.ask("GET", "/api/updates").json(), serde_json::json!({}));
}

#[test]
fn half_headers_are_cut_off_and_nothing_is_left_of_them() {
    let _alone = alone();
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let server = Server::start();
    assert_eq!(server.send("POST", "/webhook", &[], event("a:1")).status, 204);
    let (threads, memory) = (server.status("Threads:"), server.status("VmRSS:"));

    let began = Instant::now();
    let clients: Vec<TcpStream> = (0..1_500)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(b"GET /webhook HTTP/1.1\r\nHost: loc").unwrap();
            stream
        })
        .collect();
    assert!(server.status("Threads:") > threads + 100);
    let peak = server.status("VmRSS:");
    let mut slowest = Duration::ZERO;
    let mut cut_off = |stream: &TcpStream| {
        stream.set_nonblocking(true).unwrap();
        let gone = !matches!((&mut &*stream).read(&mut [0; 512]), Err(e) if e.kind() == ErrorKind::WouldBlock);
        stream.set_nonblocking(false).unwrap();
        gone
    };
    while !clients.iter().all(&mut cut_off) {
        let asked = Instant::now();
        assert_eq!(server.send("POST", "/webhook", &[], event("b:1")).status, 204);
        slowest = slowest.max(asked.elapsed());
        assert!(began.elapsed() < DEADLINE, "they are not cut off");
    }
    // Diun waits 10 s.
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
    eventually("threads come down", || server.status("Threads:") <= threads + 4);
    let after = server.status("VmRSS:");
    println!(
        "cut off after {:?}, others waited {slowest:?}; {memory} KiB before, {peak} KiB, {after} KiB after",
        began.elapsed()
    );
    assert!(after < memory + 32 * 1024, "{memory} KiB before, {peak} KiB, {after} KiB after");
}
