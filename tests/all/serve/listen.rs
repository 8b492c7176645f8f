//! Listening sockets.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;

use predicates::prelude::*;

use crate::common::server::{Server, ask_unix, send};
use crate::common::{Inbox, program};

/// The status that a server on a Unix socket answers `/healthz` with.
fn health(socket: &Path) -> u16 {
    let answer = ask_unix(socket, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    answer[9..12].parse().unwrap()
}

/// A server on one address.
fn server_on(address: &str) -> Server {
    let inbox = Inbox::new();
    let mut command = Server::command(&inbox);
    command.args(["--listen", address]);
    Server::spawn(inbox, command)
}

#[test]
fn the_start_line_says_where_and_what() {
    let inbox = Inbox::new();
    let database = inbox.database().display().to_string();
    let server = Server::with(inbox, &[]);
    let line = server.logged("listens on");
    let version = env!("CARGO_PKG_VERSION");
    let address = server.address();
    assert!(!address.ends_with(":0"));
    let expected =
        format!("diunbox {version} listens on {address}, database {database}, token not needed");
    assert!(line.ends_with(&expected), "{line}");
}

#[test]
fn it_listens_on_several_addresses() {
    let inbox = Inbox::new();
    let socket = inbox.path("inbox.sock");
    let mut command = Server::command(&inbox);
    command.args(["--listen", "127.0.0.1:0", "--listen", "127.0.0.2:0"]);
    command.arg("--listen").arg(format!("unix:{}", socket.display()));
    let server = Server::spawn(inbox, command);
    let line = server.logged("listens on");
    let addresses: Vec<&str> =
        line.split([' ', ',']).filter(|word| word.starts_with("http://")).collect();
    assert_eq!(addresses.len(), 2, "{line}");
    for address in addresses {
        assert_eq!(send(&format!("{address}/healthz"), "GET", &[], b"").status, 200, "{address}");
    }
    assert_eq!(health(&socket), 200);
}

#[test]
fn the_addresses_can_be_in_the_environment() {
    let inbox = Inbox::new();
    let mut command = Server::command(&inbox);
    command.env("DIUNBOX_LISTEN", "127.0.0.1:0,127.0.0.2:0");
    let server = Server::spawn(inbox, command);
    assert!(server.logged("listens on").contains(" and http://127.0.0.2:"));
}

#[test]
fn it_listens_on_ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("this machine has no IPv6: nothing to test");
        return;
    }
    let server = server_on("[::1]:0");
    assert!(server.address().starts_with("http://[::1]:"), "{}", server.address());
    assert_eq!(server.ask("GET", "/api/updates").status, 200);
    assert!(server.logged("GET /api/updates 200").contains(" [::1]:"));
}

#[test]
fn a_name_is_looked_up() {
    let server = server_on("localhost:0");
    assert_eq!(server.ask("GET", "/healthz").status, 200);
}

#[test]
fn a_taken_or_impossible_address_is_an_error() {
    let inbox = Inbox::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (address, advice) in [
        (taken.as_str(), "stop what listens there"),
        ("127.0.0.1", "HOST:PORT"),
        ("192.0.2.1:0", "an address of this machine"),
        ("unix:/nowhere/inbox.sock", "unix:/PATH"),
    ] {
        let error = predicate::str::contains(format!("cannot listen on {address}: "))
            .and(predicate::str::contains(advice));
        let arguments = ["serve", "--allow-unauthenticated", "--listen", address];
        inbox.diunbox(arguments).assert().code(2).stderr(error);
    }
}

#[test]
fn a_unix_socket_comes_and_goes_with_the_server() {
    let inbox = Inbox::new();
    let socket = inbox.path("inbox.sock");
    let address = format!("unix:{}", socket.display());
    let mut command = Server::command(&inbox);
    command.args(["--listen", &address]);
    let mut server = Server::spawn(inbox, command);
    assert_eq!(server.address(), address);
    assert!(fs::metadata(&socket).unwrap().file_type().is_socket());
    assert_eq!(health(&socket), 200);
    assert!(server.logged("GET /healthz 200").ends_with(" unix"));

    let taken = predicate::str::contains("stop what listens there");
    server.inbox.diunbox(["serve", "--listen", &address]).assert().code(2).stderr(taken);
    assert_eq!(health(&socket), 200, "a second server took the first one's socket away");
    server.stop();
    assert!(!socket.exists());

    // The socket of a killed server is replaced. A file that is not a socket stays.
    drop(UnixListener::bind(&socket).unwrap());
    let mut command = Server::command(&server.inbox);
    command.args(["--listen", &address]);
    drop(Server::spawn(Inbox::new(), command));
    fs::write(&socket, "mine").unwrap();
    server.inbox.diunbox(["serve", "--listen", &address]).assert().code(2);
    assert_eq!(fs::read_to_string(&socket).unwrap(), "mine");
}

/// A server that systemd would start for a connection on this socket.
fn server_for(listener: OwnedFd) -> Server {
    let inbox = Inbox::new();
    let mut command = Server::program(&inbox, Path::new("/bin/sh"));
    command
        .env("LISTEN_FDS", "1")
        .args(["-c", "LISTEN_PID=$$ exec $0 serve 3<&0 </dev/null"])
        .arg(program());
    command.stdin(Stdio::from(listener));
    Server::spawn(inbox, command)
}

#[test]
fn it_takes_a_socket_over_from_systemd() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = server_for(listener.into());
    assert_eq!(server.address(), address);
    assert_eq!(server.ask("GET", "/api/updates").status, 200);
}

#[test]
fn it_takes_a_unix_socket_over_from_systemd_and_leaves_it_there() {
    let folder = Inbox::new();
    let socket = folder.path("handed.sock");
    let mut server = server_for(UnixListener::bind(&socket).unwrap().into());
    assert_eq!(server.address(), format!("unix:{}", socket.display()));
    assert_eq!(health(&socket), 200);
    server.stop();
    assert!(socket.exists());
}

#[test]
fn it_needs_no_folder_for_temporary_files() {
    let inbox = Inbox::new();
    let mut command = Server::command(&inbox);
    command.args(["--listen", "127.0.0.1:0"]).env("TMPDIR", "/nowhere");
    let server = Server::spawn(inbox, command);
    assert_eq!(server.ask("GET", "/api/updates").status, 200);
}

#[test]
fn it_creates_no_files_but_its_database() {
    let inbox = Inbox::new();
    let temporary = inbox.path("tmp");
    fs::create_dir(&temporary).unwrap();
    let mut command = Server::command(&inbox);
    command.args(["--listen", "127.0.0.1:0"]).env("TMPDIR", &temporary);
    let server = Server::spawn(inbox, command);
    assert_eq!(server.ask("GET", "/api/updates").status, 200);
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    let sockets: Vec<String> = server.process("net/unix").lines().map(str::to_owned).collect();
    let own = temporary.parent().unwrap().to_str().unwrap();
    assert!(!sockets.iter().any(|line| line.contains(own)), "{sockets:#?}");
}
