//! Listening sockets: TCP addresses, Unix sockets, and sockets that systemd passes on.

use std::fmt;
use std::fs;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use rustix::net::{SocketFlags, acceptfrom_with};
use socket2::{Domain, SockAddr, Socket, Type};

/// Clients that may wait to be accepted: bursts are larger than the usual 128.
const BACKLOG: i32 = 1_024;
/// Bytes that the kernel may hold for each client, inherited from the listener. A container's memory
/// limit counts them.
const SEND_BUFFER: usize = 128 * 1024;
const RECEIVE_BUFFER: usize = 64 * 1024;

/// A socket that clients connect to.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    address: Address,
}

#[derive(Debug)]
enum Address {
    Tcp(SocketAddr),
    /// The path is removed at the end if it was created here.
    Unix {
        path: PathBuf,
        is_ours: bool,
    },
}

impl Listener {
    /// Listens on `HOST:PORT` or `unix:PATH`.
    ///
    /// # Errors
    /// If the address is not valid or is taken.
    pub fn bind(address: &str) -> io::Result<Vec<Self>> {
        match address.strip_prefix("unix:") {
            Some(path) => Ok(vec![Self::bind_unix(Path::new(path))?]),
            None => Self::bind_each(address.to_socket_addrs()?),
        }
    }

    /// Listens on each address of a name. It may have one that this machine lacks, as `localhost`
    /// has where there is no IPv6.
    fn bind_each(addresses: impl Iterator<Item = SocketAddr>) -> io::Result<Vec<Self>> {
        let mut listeners = Vec::new();
        let mut lacking = io::ErrorKind::NotFound.into();
        for address in addresses {
            match Self::bind_tcp(address) {
                Ok(listener) => listeners.push(listener),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
                Err(error) => lacking = error,
            }
        }
        if listeners.is_empty() { Err(lacking) } else { Ok(listeners) }
    }

    /// The sockets that systemd passes on by `LISTEN_FDS`.
    ///
    /// # Errors
    /// If one of them is not a listening stream socket.
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

    /// Accepts a client: a non-blocking socket, and the address to log.
    pub(super) fn accept(&self) -> io::Result<(Socket, String)> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (socket, peer) = acceptfrom_with(&self.socket, flags)?;
        let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
        Ok((socket.into(), peer.map_or("unix".to_owned(), |peer| peer.to_string())))
    }

    fn bind_tcp(address: SocketAddr) -> io::Result<Self> {
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
            // A socket without a listener is from a server that was killed.
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
        if let Address::Tcp(_) = address {
            socket.set_tcp_nodelay(true)?;
            socket.set_send_buffer_size(SEND_BUFFER)?;
            socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        }
        Ok(Self { socket, address })
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
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
            // If this fails, the next server replaces the file.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_needs_one_address_that_is_there_and_none_that_is_taken() {
        let bind = |addresses: &[SocketAddr]| Listener::bind_each(addresses.iter().copied());
        let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let lacking: SocketAddr = "192.0.2.1:0".parse().unwrap();
        assert_eq!(bind(&[lacking, free]).unwrap().len(), 1);
        assert_eq!(bind(&[free, free]).unwrap().len(), 2);
        let error = bind(&[lacking]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);

        let taken = bind(&[free]).unwrap();
        let taken = taken[0].socket.local_addr().unwrap().as_socket().unwrap();
        assert_eq!(bind(&[free, taken]).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
