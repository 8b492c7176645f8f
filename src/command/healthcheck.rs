//! `diunbox healthcheck`: checks that a running server answers.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::serve::DEFAULT_ADDRESS;
use super::{Error, Outcome, Session, complain};
use crate::cli::Healthcheck;

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const GOOD: &[u8] = b"HTTP/1.1 200 ";

pub(super) fn run(args: &Healthcheck, session: &Session) -> Result<Outcome, Error> {
    let address = args.listen.first().map_or(DEFAULT_ADDRESS, String::as_str);
    if args.timeout.is_zero() {
        return Err(Error::Message("no time to wait: give --timeout more than 0s".into()));
    }
    match ask(address, args.timeout) {
        Ok(true) => Ok(Outcome::Done),
        Ok(false) => {
            session.note(format_args!("{address} is unhealthy: see the server log"));
            Ok(Outcome::Negative)
        }
        Err(error) => {
            complain(format_args!("{address} does not answer: {error}"));
            Ok(Outcome::Negative)
        }
    }
}

fn ask(address: &str, timeout: Duration) -> io::Result<bool> {
    if let Some(path) = address.strip_prefix("unix:") {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(timeout))?;
        return is_good(stream);
    }
    let mut result = Err(io::ErrorKind::AddrNotAvailable.into());
    for address in address.to_socket_addrs()? {
        result = TcpStream::connect_timeout(&reachable(address), timeout).and_then(|stream| {
            stream.set_read_timeout(Some(timeout))?;
            is_good(stream)
        });
        if result.is_ok() {
            break;
        }
    }
    result
}

fn is_good(mut stream: impl Read + Write) -> io::Result<bool> {
    stream.write_all(REQUEST)?;
    let mut start = [0; GOOD.len()];
    stream.read_exact(&mut start)?;
    Ok(start == GOOD)
}

/// A server that listens on all addresses is asked on loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
