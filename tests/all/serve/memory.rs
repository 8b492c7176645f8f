//! The memory that strangers and slow clients can take. The bounds are generous. The tests print what they measure.

use std::fs;
use std::io::Write;
use std::net::TcpStream;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::common::Inbox;
use crate::common::server::{Server, alone, event, eventually};

const MIB: u64 = 1024;

/// Lets this process have as many connections as it may.
fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

/// Bytes that the kernel holds for all TCP sockets of this machine, in KiB.
fn kernel_memory() -> u64 {
    let text = fs::read_to_string("/proc/net/sockstat").unwrap();
    let line = text.lines().find(|line| line.starts_with("TCP:")).unwrap();
    let pages = line.split_whitespace().last().unwrap().parse::<u64>().unwrap();
    pages * 4
}

/// Fails if the server ever used more than `most` MiB. A debug build uses more stack.
fn assert_peak(server: &Server, what: &str, most: u64) {
    let peak = server.status("VmHWM:");
    let most = if cfg!(debug_assertions) { most * 2 } else { most };
    println!("{what}: {peak} KiB");
    assert!(peak < most * MIB, "{what}: {peak} KiB");
}

#[test]
fn an_idle_server_is_small() {
    let server = Server::start();
    assert_eq!(server.send("POST", "/webhook", &[], event("a:1")).status, 204);
    assert_peak(&server, "idle", 10);
}

#[test]
fn a_chunk_of_the_largest_size_takes_no_memory() {
    let server = Server::start();
    let mut stream = server.connect();
    let head = "POST /webhook HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(b"1\r\n{\r\nffffffffffffffff\r\n").unwrap();
    let piece = vec![b' '; 1 << 20];
    for _ in 0..256 {
        // The server stops reading.
        if stream.write_all(&piece).is_err() {
            break;
        }
    }
    server.logged(" 413 ");
    assert_peak(&server, "a chunk of 2^64 - 1 bytes", 32);
}

#[test]
fn bodies_without_a_token_take_no_memory() {
    let _alone = alone();
    raise_limit();
    let inbox = Inbox::new();
    let mut command = Server::command(&inbox);
    command.args(["--listen", "127.0.0.1:0"]).env("DIUNBOX_TOKEN", "s3cret");
    let server = Server::spawn(inbox, command);
    let body = vec![b' '; 1 << 20];
    let clients: Vec<TcpStream> = (0..2_000)
        .map(|_| {
            let mut stream = server.connect();
            let head = "POST /webhook HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n";
            stream.write_all(head.as_bytes()).unwrap();
            stream.set_nonblocking(true).unwrap();
            let _ = stream.write(&body);
            stream
        })
        .collect();
    let headers = [("Authorization", "s3cret")];
    assert_eq!(server.send("POST", "/webhook", &headers, event("a:1")).status, 204);
    assert_peak(&server, "2,000 bodies of 1 MiB without a token", 96);
    drop(clients);
    eventually("the memory is given back", || server.status("VmRSS:") < 64 * MIB);
}

#[test]
fn readers_that_stand_still_take_little_memory_and_delay_nobody() {
    let _alone = alone();
    let inbox = Inbox::new();
    // An answer of 60 MB.
    let filler = "x".repeat(30_000);
    let events = (0..2_000).map(|n| event(&format!("a:{n}")).replace("web-1", &filler) + "\n");
    inbox.diunbox(["ingest", "-q"]).write_stdin(events.collect::<String>()).assert().success();
    let server = Server::with(inbox, &[]);
    let before = kernel_memory();
    let clients: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(b"GET /api/updates HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            stream
        })
        .collect();
    eventually("all have their answer's start", || {
        server.log().iter().filter(|line| line.contains("GET /api/updates 200")).count() == 40
    });
    // The readers stand still for 30 s, which is as long as this may take.
    for _ in 0..10 {
        assert_eq!(server.send("POST", "/webhook", &[], event("b:1")).status, 204);
        for path in ["/healthz", "/metrics", "/api/summary", "/api/updates/b:1"] {
            assert_eq!(server.ask("GET", path).status, 200, "{path}");
        }
    }
    let kernel = kernel_memory().saturating_sub(before);
    println!("40 readers that stand still, in the kernel: {kernel} KiB");
    assert!(kernel < 32 * MIB, "{kernel} KiB");
    assert_peak(&server, "40 readers that stand still", 64);
    drop(clients);
    eventually("the memory is given back", || server.status("VmRSS:") < 64 * MIB);
}
