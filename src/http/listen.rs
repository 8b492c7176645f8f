//! Where `serve` listens: TCP addresses, Unix sockets, and what systemd hands over.

use std::fmt;
use std::fs;
use std::io;
use std::net::ToSocketAddrs;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use socket2::{Domain, SockAddr, Socket, Type};

/// Clients that may wait to be accepted: bursts are larger than the usual 128.
const BACKLOG: i32 = 1_024;

/// A socket that clients connect to.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: Socket,
    address: Address,
}

#[derive(Debug)]
enum Address {
    Tcp(std::net::SocketAddr),
    /// The path is removed again where it was made here.
    Unix {
        path: PathBuf,
        is_ours: bool,
    },
}

impl Listener {
    /// Listens on `HOST:PORT` or `unix:PATH`.
    ///
    /// # Errors
    /// When the address makes no sense or is taken.
    pub fn bind(address: &str) -> io::Result<Vec<Self>> {
        match address.strip_prefix("unix:") {
            Some(path) => Ok(vec![Self::bind_unix(Path::new(path))?]),
            None => address.to_socket_addrs()?.map(Self::bind_tcp).collect(),
        }
    }

    /// The sockets that systemd hands over by `LISTEN_FDS`.
    ///
    /// # Errors
    /// When one is no listening stream socket.
    pub fn from_systemd() -> io::Result<Vec<Self>> {
        let mut handed = ListenFd::from_env();
        (0..handed.len())
            .map(|index| {
                let socket: Socket = match handed.take_tcp_listener(index) {
                    Ok(Some(listener)) => listener.into(),
                    _ => handed.take_unix_listener(index)?.ok_or(io::ErrorKind::NotFound)?.into(),
                };
                let local = socket.local_addr()?;
                let address = match local.as_socket() {
                    Some(address) => Address::Tcp(address),
                    None => Address::Unix {
                        path: local.as_pathname().unwrap_or(Path::new("")).to_owned(),
                        is_ours: false,
                    },
                };
                Self::new(socket, address)
            })
            .collect()
    }

    /// Whether only this machine can connect.
    pub fn is_local(&self) -> bool {
        match &self.address {
            Address::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Address::Unix { .. } => true,
        }
    }

    /// Whether browsers can connect.
    pub(super) fn is_tcp(&self) -> bool {
        matches!(self.address, Address::Tcp(_))
    }

    fn bind_tcp(address: std::net::SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let address = socket.local_addr()?.as_socket().unwrap_or(address);
        Self::new(socket, Address::Tcp(address))
    }

    fn bind_unix(path: &Path) -> io::Result<Self> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        let address = SockAddr::unix(path)?;
        if let Err(error) = socket.bind(&address) {
            // A socket that nobody listens on is left from a server that was killed.
            let is_socket =
                fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
            if !is_socket || UnixStream::connect(path).is_ok() {
                return Err(error);
            }
            fs::remove_file(path)?;
            socket.bind(&address)?;
        }
        socket.listen(BACKLOG)?;
        Self::new(socket, Address::Unix { path: path.to_owned(), is_ours: true })
    }

    fn new(socket: Socket, address: Address) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket, address })
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp(address) => write!(formatter, "http://{address}"),
            Address::Unix { path, .. } => write!(formatter, "unix:{}", path.display()),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Address::Unix { path, is_ours: true } = &self.address {
            // Whatever is left there is replaced by the next server.
            let _ = fs::remove_file(path);
        }
    }
}
