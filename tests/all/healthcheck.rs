//! `diunbox healthcheck` with healthy, failing, silent and missing servers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::common::{Inbox, program};

/// A running serve, and the address that its log names.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(inbox: &Inbox, listen: &str) -> Self {
        let mut command = Command::new(program());
        command.env_clear().env("DIUNBOX_DB", inbox.database()).env("DIUNBOX_TOKEN", "secret");
        command.args(["serve", "--listen", listen]).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = log.next().unwrap().unwrap();
        thread::spawn(move || log.for_each(drop));
        let address = line.split("listens on ").nth(1).unwrap().split(',').next().unwrap();
        let address = address.trim_start_matches("http://").to_owned();
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_server_is_healthy_until_it_ends() {
    let inbox = Inbox::new();
    let socket = format!("unix:{}", inbox.path("socket").display());
    for listen in ["127.0.0.1:0", "0.0.0.0:0", &socket] {
        let server = Server::start(&inbox, listen);
        let address = if listen == socket { socket.clone() } else { server.address.clone() };
        let check = || inbox.diunbox(["healthcheck", "--listen", &address]).assert();
        check().success().stdout("").stderr("");
        drop(server);
        check().code(1).stdout("");
    }
}

#[test]
fn it_asks_where_serve_listens() {
    let inbox = Inbox::new();
    let server = Server::start(&inbox, "127.0.0.1:0");
    let mut check = inbox.diunbox(["healthcheck"]);
    check.env("DIUNBOX_LISTEN", format!("{},127.0.0.1:1", server.address)).assert().success();
}

#[test]
fn a_failing_or_silent_server_is_unhealthy() {
    let inbox = Inbox::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let _ = client.read(&mut [0; 1024]).unwrap();
        client.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").unwrap();
        listener
    });
    let message = format!("diunbox: {address} is unhealthy: see the server log\n");
    let check = |timeout| {
        inbox.diunbox(["healthcheck", "--listen", &address, "--timeout", timeout]).assert()
    };
    check("10s").code(1).stderr(message);
    // The kernel takes connections for a listener that accepts none.
    let _listener = server.join().unwrap();
    check("50ms").code(1);
}
