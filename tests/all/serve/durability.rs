//! 204 means stored. An event that could not be stored is in the log, and `diunbox ingest` reads it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};

use crate::common::Inbox;
use crate::common::server::{Server, ask_unix, event, eventually, notification};
use crate::serve::bursts::limited;

/// Another program that holds the database's write lock.
fn lock(server: &Server) -> Connection {
    let other = Connection::open(server.inbox.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

/// Takes the server's log in, as a user would who reads of lost events in it. Gives the images that
/// are pending then.
fn recover(server: &Server, lost: usize) -> Vec<String> {
    let is_event = |line: &&String| line.starts_with("{\"event\"");
    eventually("all are in the log", || server.log().iter().filter(is_event).count() == lost);
    let log = server.log().join("\n");
    // The other lines are not events.
    server.inbox.diunbox(["ingest", "-q"]).write_stdin(log).assert().code(2);
    let names = server.inbox.output(["list", "-q", "--sort", "image"]);
    names.lines().map(|name| diunbox::image::short_name(name).to_owned()).collect()
}

#[test]
fn a_lock_is_waited_for() {
    let server = Server::start();
    let other = lock(&server);
    thread::scope(|scope| {
        let (sender, answer) = channel();
        let server = &server;
        scope.spawn(move || sender.send(server.send("POST", "/webhook", &[], event("a:1")).status));
        let early = answer.recv_timeout(Duration::from_millis(500));
        assert_eq!(early, Err(RecvTimeoutError::Timeout));
        // Reading needs no lock.
        assert_eq!(server.ask("GET", "/api/updates").json(), serde_json::json!({}));
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(answer.recv(), Ok(204));
    });
}

#[test]
fn a_lock_that_stays_is_answered_before_diun_gives_up() {
    let servers = ["text", "json"]
        .map(|format| Server::with(Inbox::new(), &["--db-timeout", "1", "--log-format", format]));
    let locks = servers.each_ref().map(lock);
    let began = Instant::now();
    thread::scope(|scope| {
        for server in &servers {
            for image in ["a:1", "b:1", "c:1"] {
                scope.spawn(move || {
                    let answer = server.send("POST", "/webhook", &[], event(image));
                    assert_eq!(answer.status, 503);
                    assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
                    assert!(answer.error().contains("is locked by another program"));
                });
            }
        }
    });
    assert!(began.elapsed() < Duration::from_millis(9_500), "{:?}", began.elapsed());
    drop(locks);
    for server in &servers {
        assert_eq!(recover(server, 3), ["a:1", "b:1", "c:1"]);
        let metrics = server.ask("GET", "/metrics").body;
        assert!(metrics.contains("diunbox_events_total{result=\"logged\"} 3"), "{metrics}");
    }
}

#[test]
fn changes_that_wait_for_a_lock_delay_neither_events_nor_reads() {
    let server = Server::start();
    assert_eq!(server.send("POST", "/webhook", &[], event("a:1")).status, 204);
    let other = lock(&server);
    let idle = server.status("Threads:");
    thread::scope(|scope| {
        let server = &server;
        for _ in 0..40 {
            scope.spawn(|| assert_eq!(server.ask("PATCH", "/api/updates/a:1").status, 204));
        }
        // A thread that was idle before may serve one of them.
        eventually("they wait", || server.status("Threads:") >= idle + 39);
        // Reads need no lock, and do not wait for those that do.
        assert_eq!(server.ask("GET", "/api/summary").json()["pending"], 1);
        let (sender, answer) = channel();
        scope.spawn(move || sender.send(server.send("POST", "/webhook", &[], event("b:1")).status));
        let early = answer.recv_timeout(Duration::from_millis(2_500));
        assert_eq!(early, Err(RecvTimeoutError::Timeout));
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(answer.recv(), Ok(204));
    });
}

#[test]
fn events_that_find_no_place_in_the_queue_are_in_the_log_too() {
    // So few descriptors that a few events at a time wait for the lock, and all others for them.
    let server = limited(48, Inbox::new(), &["--db-timeout", "3"]);
    let other = lock(&server);
    let began = Instant::now();
    thread::scope(|scope| {
        for n in 10..30 {
            let server = &server;
            scope.spawn(move || {
                let answer = server.raw(notification(&format!("a:{n}")));
                assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
                assert!(answer.contains("\r\nRetry-After: "), "{answer}");
            });
        }
    });
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let busy = server.log().iter().filter(|line| line.contains("too busy")).count();
    assert!((1..20).contains(&busy), "{busy}");
    drop(other);
    let expected: Vec<String> = (10..30).map(|n| format!("a:{n}")).collect();
    assert_eq!(recover(&server, 20), expected);
}

#[test]
fn events_without_a_valid_token_are_not_logged() {
    let inbox = Inbox::new();
    let mut command = Server::command(&inbox);
    command.args(["--listen", "127.0.0.1:0"]).env("DIUNBOX_TOKEN", "s3cret");
    let server = Server::spawn(inbox, command);
    server.break_database();
    assert_eq!(server.send("POST", "/webhook", &[], event("stranger:1")).status, 401);
    let headers = [("Authorization", "s3cret")];
    assert_eq!(server.send("POST", "/webhook", &headers, event("friend:1")).status, 503);
    server.logged("\"image\":\"docker.io/library/friend:1\"");
    assert!(!server.log().iter().any(|line| line.contains("stranger:1")));
    server.mend_database();
}

#[test]
fn a_store_that_fails_is_answered_at_once() {
    let server = Server::start();
    server.break_database();
    let image = "registry.local/\u{202e}k\u{e4}se:1";
    let answer = server.send("POST", "/webhook", &[], event(image));
    // Trying again does not help.
    assert_eq!((answer.status, answer.header("retry-after")), (503, ""));
    assert!(answer.error().contains("could not be used: no such table"), "{}", answer.error());
    assert_eq!(server.ask("PATCH", "/api/updates/a:1").status, 503);
    assert_eq!(server.ask("GET", "/api/updates").status, 503);

    server.mend_database();
    assert_eq!(server.send("POST", "/webhook", &[], event("b:1")).status, 204);
    recover(&server, 1);
    let updates = server.ask("GET", "/api/updates").json();
    assert_eq!(updates[image]["event"]["metadata"]["ctn_names"], "web-1", "{updates}");
    assert_eq!(updates.as_object().unwrap().len(), 2);
}

#[test]
fn what_was_answered_survives_a_kill() {
    let mut inbox = Inbox::new();
    let answered = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    for round in 1..=5 {
        let mut server = Server::with(inbox, &[]);
        let client = |server: &Server| {
            loop {
                let image = format!("a:{}", next.fetch_add(1, Ordering::SeqCst));
                let mut answer = String::new();
                let sent = TcpStream::connect(server.host()).and_then(|mut stream| {
                    stream.write_all(notification(&image).as_bytes())?;
                    stream.read_to_string(&mut answer)
                });
                if answer.starts_with("HTTP/1.1 204") {
                    answered.lock().unwrap().push(image);
                } else {
                    // Only the end of the server is a reason to have no answer.
                    assert!(sent.is_err() || answer.is_empty(), "{answer}");
                    return;
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| client(&server));
            }
            eventually("many are answered", || answered.lock().unwrap().len() >= round * 100);
            server.signal(Signal::KILL);
        });
        assert_eq!(server.wait().code(), None);
        inbox = std::mem::replace(&mut server.inbox, Inbox::new());

        let database = Connection::open(inbox.database()).unwrap();
        let check: String =
            database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        let sql = "SELECT EXISTS (SELECT 1 FROM updates WHERE image = ?1)";
        for image in &*answered.lock().unwrap() {
            let name = format!("docker.io/library/{image}");
            let stored: bool = database.query_row(sql, [name], |row| row.get(0)).unwrap();
            assert!(stored, "{image} was answered and is not there");
        }
    }
}

/// A server whose log goes to `log`, and whose database does not answer.
fn with_log(log: impl Into<Stdio>) -> (Inbox, Child) {
    let inbox = Inbox::new();
    let mut command = Server::command(&inbox);
    command.arg("--listen").arg(format!("unix:{}", inbox.path("socket").display()));
    let process = command.stderr(log).spawn().unwrap();
    let health = ask_unix(&inbox.path("socket"), "GET /healthz HTTP/1.1\r\n\r\n");
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    inbox.sql("ALTER TABLE updates RENAME TO aside");
    (inbox, process)
}

/// The exit status after SIGTERM.
fn stop(process: &mut Child) -> Option<i32> {
    kill_process(Pid::from_child(process), Signal::TERM).unwrap();
    eventually("it ends", || process.try_wait().unwrap().is_some());
    process.wait().unwrap().code()
}

#[test]
fn an_event_counts_as_logged_only_once_it_is_written() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (inbox, mut process) = with_log(full);
    let socket = inbox.path("socket");
    let lost = ask_unix(&socket, &notification("a:1"));
    inbox.sql("ALTER TABLE aside RENAME TO updates");
    let stored = ask_unix(&socket, &notification("b:1"));
    let metrics = ask_unix(&socket, "GET /metrics HTTP/1.1\r\n\r\n");
    assert_eq!(stop(&mut process), Some(2), "an event is lost");
    assert!(lost.starts_with("HTTP/1.1 503"), "{lost}");
    assert!(stored.starts_with("HTTP/1.1 204"), "{stored}");
    for line in ["result=\"logged\"} 0", "result=\"lost\"} 1", "result=\"stored\"} 1"] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

/// As on a terminal that was stopped by Ctrl-S.
#[test]
fn the_exit_status_says_if_events_are_lost_with_the_log() {
    let (read, mut write) = std::io::pipe().unwrap();
    // A pipe has room for 64 KiB: not for this and an event.
    write.write_all(&vec![b'x'; 65_300]).unwrap();
    let (inbox, mut process) = with_log(write);
    let lost = ask_unix(&inbox.path("socket"), &notification("a:1"));
    assert_eq!(stop(&mut process), Some(2));
    assert!(lost.starts_with("HTTP/1.1 503"), "{lost}");
    drop(read);
}

#[test]
fn a_logged_event_is_never_too_long_for_ingest() {
    let server = Server::start();
    server.break_database();
    let mut large: serde_json::Value = serde_json::from_str(&event("a:1")).unwrap();
    // Each of these becomes six bytes in the log.
    large["metadata"]["x"] = "\u{7f}".repeat((1 << 20) - 1_000).into();
    let large = format!("{}{}", " ".repeat(100), large);
    assert_eq!(server.send("POST", "/webhook", &[], &large).status, 503);
    server.mend_database();
    assert_eq!(recover(&server, 1), ["a:1"]);
}
