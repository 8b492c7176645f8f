//! Reading a request from a stranger, and writing the answer: within limits of size and time.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use socket2::Socket;

use super::head::{Framing, Received, parse};
use super::message::Response;

/// A request line and headers of more bytes than this get 431.
const HEAD_LIMIT: usize = 32 * 1024;
/// A body of more bytes than this gets 413.
pub(super) const BODY_LIMIT: usize = 1024 * 1024;
/// How long a client may take to send its whole request. Diun gives up after 10 s, so even when slow
/// clients have taken all places there is one again in time.
const READ_TIME: Duration = Duration::from_secs(5);
/// How long a client may take to read its whole answer.
const WRITE_TIME: Duration = Duration::from_secs(30);
/// How long, and for how many bytes, a client may go on sending after its answer. Closing before
/// it has stopped would take the answer away from it.
const LINGER_TIME: Duration = Duration::from_secs(2);
const LINGER_LIMIT: usize = 8 * BODY_LIMIT;

/// Why there is no request to answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The client closed the connection, or sent nothing for too long, before it asked anything.
    Nothing,
    /// What it sent is answered with this. The start of its request, as far as it came.
    Refused(Box<Received>, Response),
}

/// A client's connection, and how long it may take.
pub(super) struct Wire<'a> {
    socket: &'a Socket,
    deadline: Instant,
    buffer: Vec<u8>,
}

impl<'a> Wire<'a> {
    pub(super) fn new(socket: &'a Socket) -> Self {
        Self { socket, deadline: Instant::now() + READ_TIME, buffer: Vec::new() }
    }

    /// Reads one request. `started` is called when the first byte is there.
    pub(super) fn receive(&mut self, started: impl FnOnce()) -> Result<Received, Failure> {
        if !matches!(self.fill(), Ok(true)) {
            return Err(Failure::Nothing);
        }
        started();
        let mut received = Box::<Received>::default();
        match self.receive_all(&mut received) {
            Ok(()) => Ok(*received),
            Err(response) => Err(Failure::Refused(received, response)),
        }
    }

    fn receive_all(&mut self, received: &mut Received) -> Result<(), Response> {
        let head = loop {
            match parse(&self.buffer, received)? {
                Some(head) => break head,
                None if self.buffer.len() >= HEAD_LIMIT => {
                    return Err(Response::error(
                        431,
                        "the request line and headers are larger than 32 KiB",
                    ));
                }
                None => self.fill_or_refuse()?,
            }
        };
        self.buffer.drain(..head.length);
        if let Framing::Length(length) = head.framing
            && length > BODY_LIMIT
        {
            return Err(too_large());
        }
        if head.expects_continue {
            let _ = (&mut &*self.socket).write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        received.body = match head.framing {
            Framing::Length(length) => self.take(length)?,
            Framing::Chunked => self.take_chunks()?,
        };
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, Response> {
        while self.buffer.len() < length {
            self.fill_or_refuse()?;
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    fn take_chunks(&mut self) -> Result<Vec<u8>, Response> {
        let bad = || Response::error(400, "the chunked body is not well-formed");
        let mut body = Vec::new();
        loop {
            let (start, size) = match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete(found)) => found,
                Ok(httparse::Status::Partial) if self.buffer.len() < HEAD_LIMIT => {
                    self.fill_or_refuse()?;
                    continue;
                }
                _ => return Err(bad()),
            };
            let size = usize::try_from(size).ok().filter(|size| size + body.len() <= BODY_LIMIT);
            let size = size.ok_or_else(too_large)?;
            self.take(start)?;
            if size == 0 {
                // Whatever trailers follow say nothing that matters here.
                return Ok(body);
            }
            body.append(&mut self.take(size)?);
            if self.take(2)? != b"\r\n" {
                return Err(bad());
            }
        }
    }

    fn fill_or_refuse(&mut self) -> Result<(), Response> {
        match self.fill() {
            Ok(true) => Ok(()),
            Ok(false) => Err(Response::error(400, "the connection was closed within the request")),
            Err(_) => Err(Response::error(
                408,
                format_args!("the request did not arrive within {} seconds", READ_TIME.as_secs()),
            )),
        }
    }

    /// Reads some more; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 16 * 1024];
        loop {
            self.socket.set_read_timeout(Some(left(self.deadline)?))?;
            match (&mut &*self.socket).read(&mut chunk) {
                Ok(bytes) => {
                    self.buffer.extend_from_slice(&chunk[..bytes]);
                    return Ok(bytes > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Writes an answer, and ends the connection so that the client gets to read it.
pub(super) fn send(socket: &Socket, answer: &[u8]) -> io::Result<()> {
    let mut socket = socket;
    let deadline = Instant::now() + WRITE_TIME;
    let mut rest = answer;
    while !rest.is_empty() {
        socket.set_write_timeout(Some(left(deadline)?))?;
        match socket.write(rest) {
            Ok(bytes) => rest = &rest[bytes..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    socket.shutdown(Shutdown::Write)?;
    let deadline = Instant::now() + LINGER_TIME;
    let (mut discarded, mut chunk) = (0, [0; 16 * 1024]);
    while discarded < LINGER_LIMIT {
        socket.set_read_timeout(Some(left(deadline)?))?;
        match socket.read(&mut chunk)? {
            0 => break,
            bytes => discarded += bytes,
        }
    }
    Ok(())
}

fn too_large() -> Response {
    Response::error(413, "the body is larger than 1 MiB")
}

/// The time that is left, or an error when there is none.
fn left(deadline: Instant) -> io::Result<Duration> {
    deadline
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
        .ok_or_else(|| io::ErrorKind::TimedOut.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::Strategy;

    /// What the server makes of these bytes, sent in pieces: a status, or the request's body.
    fn receive(pieces: &[&[u8]]) -> Result<Received, u16> {
        let (client, server) =
            Socket::pair(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for piece in pieces {
                    let _ = (&mut &client).write_all(piece);
                }
                let _ = client.shutdown(Shutdown::Write);
            });
            let received = Wire::new(&server).receive(|| ());
            // A client that is still writing must not wait for ever.
            let _ = server.shutdown(Shutdown::Both);
            received.map_err(|failure| match failure {
                Failure::Nothing => 0,
                Failure::Refused(_, response) => response.status,
            })
        })
    }

    #[test]
    fn bodies_come_with_a_length_or_chunked() {
        let body = |pieces: &[&[u8]]| receive(pieces).map(|request| request.body);
        assert_eq!(body(&[b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"]), Ok(vec![]));
        assert_eq!(
            body(&[b"GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\na", b"bc"]),
            Ok(b"abc".to_vec())
        );
        let chunked: &[u8] = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n";
        assert_eq!(body(&[chunked]), Ok(b"abc".to_vec()));
        for cut in 1..chunked.len() {
            assert_eq!(body(&[&chunked[..cut], &chunked[cut..]]), Ok(b"abc".to_vec()), "{cut}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200));
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1 << 20));
        for (request, status) in [
            ("", 0),
            ("\x16\x03\x01\x02", 400),
            ("GET / HTTP/2.0\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\n", 400),
            ("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nContent-Length: \r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 413),
            ("GET / HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n", 413),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n", 413),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 400),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc", 400),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            (&many, 431),
            (&long, 431),
        ] {
            let start: String = request.chars().take(60).collect();
            assert_eq!(receive(&[request.as_bytes()]).err(), Some(status), "{start:?}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(200))]

        #[test]
        fn any_bytes_mean_the_same_however_they_are_cut(
            parts in proptest::collection::vec(proptest::prop_oneof![
                8 => proptest::sample::select(&[
                    "GET / HTTP/1.1\r\n", "POST /webhook?a=%00 HTTP/1.0\r\n", "Content-Length: 3\r\n",
                    "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", "Host: a\r\n", "\r\n",
                    "\n", "3\r\nabc\r\n", "2;x\r\nab\r\n", "0\r\n\r\n", "fffffffff\r\n", "abc", "A: ",
                    "Expect: 100-continue\r\n", ": \r\n", " folded\r\n",
                ][..]).prop_map(|text| text.as_bytes().to_vec()),
                1 => proptest::collection::vec(proptest::prelude::any::<u8>(), 0..9),
            ], 0..12),
            cuts in proptest::collection::vec(proptest::prelude::any::<proptest::sample::Index>(), 0..4),
        ) {
            let bytes = parts.concat();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            let whole = receive(&[&bytes]);
            if let Err(status) = whole {
                proptest::prop_assert!([0, 400, 413, 431, 501].contains(&status), "{status}");
            }
            proptest::prop_assert_eq!(receive(&pieces), whole);
        }
    }
}
