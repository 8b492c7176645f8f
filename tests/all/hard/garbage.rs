//! Ten thousand malformed requests, and lines of any length: the server answers each, needs no more memory, and goes on.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::Mutex;
use std::thread;

use super::dice::Dice;
use crate::common::server::{Server, event, eventually};

const REQUESTS: usize = 10_000;
const CLIENTS: usize = 16;
/// In KiB. A client may send 1 MiB of body and 32 KiB of head, and all clients may do so at once.
const MOST_MEMORY: u64 = 96 * 1024;

fn bytes(dice: &mut Dice, most: usize) -> Vec<u8> {
    let length = dice.below(most);
    (0..length).map(|_| dice.next().to_le_bytes()[0]).collect()
}

/// A request with something wrong in it, or not.
fn request(dice: &mut Dice) -> Vec<u8> {
    let methods = [
        "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW", "get", "", "G\0T", "é",
    ];
    let paths = [
        "/webhook",
        "/api/updates",
        "/api/updates/a:1",
        "/api/updates/%",
        "/api/updates/%00%ff",
        "/api/updates/../../../etc/passwd",
        "/api/tags/1",
        "/api/tags/99999999999999999999",
        "*",
        "//webhook",
        "/webhook?%zz",
        "http://localhost/webhook",
        "",
        "/\u{e9}",
        "/api/updates?tag=%C3",
        "/%2e%2e/%2e%2e",
        "/api/tag-assignments",
        "/metrics#a",
        "/healthz;x",
        "/api/updates/\u{1b}[2J",
    ];
    let versions = ["HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.1\r", "SIP/2.0", ""];
    let headers = [
        "Host: localhost",
        "Host: evil.example",
        "Host:",
        "Content-Length: 5",
        "Content-Length: -1",
        "Content-Length: 18446744073709551616",
        "Content-Length: 0x5",
        "Content-Length: 1048577",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Expect: 100-continue",
        "Transfer-Encoding : chunked",
        "Connection: keep-alive, Upgrade",
        "Upgrade: h2c",
        "no colon",
        "A: \u{1}",
        " folded: x",
        "Authorization: Bearer",
        "Origin: null",
        "A\0: b",
        "Content-Length: 3, 3",
        "Sec-Fetch-Site: cross-site",
        "Content-Encoding: br",
        "Range: bytes=0-",
        "Cookie: \u{fe}",
    ];
    let bodies = [
        "",
        "{}",
        "{\"image\":\"",
        "{\"image\":\"a:1\"}",
        "[]",
        "\0\0\0",
        "5\r\nhello\r\n0\r\n\r\n",
        "ffffffffffffffff\r\n",
        "0\r\n\r\n",
        "-1\r\n",
        "{\"image\":\"\\ud800\"}",
        "[[[[[[[[[[[[[[[[",
        "GET / HTTP/1.1\r\n\r\n",
        "{\"name\":\"\\u0000\"}",
        "{\"image\":\"a\",\"tag_id\":1e400}",
    ];
    if dice.below(20) == 0 {
        return bytes(dice, 4_096);
    }
    let mut request =
        format!("{} {} {}\r\n", dice.pick(&methods), dice.pick(&paths), dice.pick(&versions));
    for _ in 0..dice.below(5) {
        request += dice.pick(&headers);
        request += dice.pick(&["\r\n", "\r\n", "\r\n", "\n", "\r"]);
    }
    if dice.below(100) == 0 {
        let long = "x".repeat(1 << 20);
        request += &dice.pick(&["A: {}\r\n", "{}: a\r\n", "{}"]).replace("{}", &long);
    }
    request += dice.pick(&["\r\n", "\r\n", "\n\n", ""]);
    request += dice.pick(&bodies);
    let mut request = request.into_bytes();
    if dice.below(10) == 0 {
        let at = dice.below(request.len());
        request[at] = dice.next().to_le_bytes()[0];
    }
    request
}

/// What the server answered; nothing where it had reason to close the connection.
fn answer(server: &Server, request: &[u8]) -> Vec<u8> {
    let mut stream = server.connect();
    // The server need not read all of it.
    let _ = stream.write_all(request);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

#[test]
fn ten_thousand_requests_of_garbage() {
    let server = Server::start();
    let next = Mutex::new(Dice::new());
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                for _ in 0..REQUESTS / CLIENTS {
                    let mut dice = Dice::of(next.lock().unwrap().next());
                    let request = request(&mut dice);
                    let shown = String::from_utf8_lossy(&request[..request.len().min(500)]);
                    let answer = answer(&server, &request);
                    if request.is_empty() {
                        continue;
                    }
                    let status = answer.get(..12).and_then(|line| str::from_utf8(line).ok());
                    let status = status.unwrap_or_else(|| panic!("no answer to {shown:?}"));
                    let code: u16 = status.strip_prefix("HTTP/1.1 ").unwrap().parse().unwrap();
                    assert!(code < 500 || code == 501, "{status} to {shown:?}");
                }
            });
        }
    });
    let sent = server.send("POST", "/webhook", &[], event("b:1"));
    assert_eq!(sent.status, 204);
    assert_eq!(server.ask("GET", "/api/updates/b:1").status, 200);
    let peak = server.status("VmHWM:");
    assert!(peak < MOST_MEMORY, "{peak} KiB");
    eventually("all threads end", || server.status("Threads:") < 10);
    let log = server.log();
    assert!(log.iter().all(|line| !line.chars().any(char::is_control)), "it reached the log");
}

#[test]
fn lines_and_heads_of_many_mebibytes() {
    let server = Server::start();
    let long = "x".repeat(4 << 20);
    let many = "A: b\r\n".repeat((4 << 20) / 6);
    for request in [
        format!("GET /{long} HTTP/1.1\r\n\r\n"),
        format!("{long} / HTTP/1.1\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nA: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{long}: b\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{many}\r\n"),
        long.clone(),
        "\r\n".repeat(2 << 20),
        format!(
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;{long}\r\nhello\r\n0\r\n\r\n"
        ),
        format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{}", "0".repeat(4 << 20)),
        format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{many}\r\n"),
        format!(
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            "1\r\nx\r\n".repeat(1 << 20)
        ),
    ] {
        let shown: String = request.chars().take(80).collect();
        let answer = String::from_utf8(answer(&server, request.as_bytes())).unwrap();
        let refused = ["400", "404", "405", "413", "431"].map(|code| format!("HTTP/1.1 {code}"));
        assert!(refused.iter().any(|code| answer.starts_with(code)), "{answer:?} to {shown:?}");
        assert_eq!(server.ask("GET", "/healthz").status, 200);
    }
    let peak = server.status("VmHWM:");
    assert!(peak < MOST_MEMORY, "{peak} KiB");
}
