use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

const LIMIT: usize = 1024;

/// A client that sends these pieces, and then closes its end or says nothing more.
struct Pieces<'a> {
    pieces: VecDeque<&'a [u8]>,
    is_silent: bool,
}

impl<'a> Pieces<'a> {
    fn new(pieces: &[&'a [u8]], is_silent: bool) -> Self {
        let pieces = pieces.iter().copied().filter(|piece| !piece.is_empty()).collect();
        Self { pieces, is_silent }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut piece) = self.pieces.pop_front() else {
            return if self.is_silent { Err(io::ErrorKind::TimedOut.into()) } else { Ok(0) };
        };
        let count = piece.read(buffer)?;
        if !piece.is_empty() {
            self.pieces.push_front(piece);
        }
        Ok(count)
    }
}

/// What the pieces are read as: each request with its body, and the status that the last one is
/// refused with. The status is 0 where the connection simply ended.
fn receive_all(pieces: &[&[u8]], is_silent: bool) -> (Vec<(Head, Vec<u8>)>, u16) {
    let mut reader = Reader::new(Pieces::new(pieces, is_silent));
    let mut requests = Vec::new();
    loop {
        match reader.head(|_| ()) {
            Err(Failure::Nothing) => return (requests, 0),
            Err(Failure::Refused(_, error)) => return (requests, error.status),
            Ok(head) => match reader.body(head.framing, LIMIT, |_| true) {
                Ok(body) => requests.push((*head, body)),
                Err(error) => return (requests, error.status),
            },
        }
    }
}

/// The bodies of the requests in these pieces, and the last status.
fn bodies(pieces: &[&[u8]]) -> (Vec<String>, u16) {
    let (requests, status) = receive_all(pieces, false);
    let bodies = requests.into_iter().map(|(_, body)| String::from_utf8(body).unwrap());
    (bodies.collect(), status)
}

fn status(request: impl AsRef<[u8]>) -> u16 {
    receive_all(&[request.as_ref()], false).1
}

/// A request with this chunked body.
fn chunked(body: &str) -> String {
    format!("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

#[test]
fn bodies_come_with_a_length_or_chunked() {
    let one = |body: &str| (vec![body.to_owned()], 0);
    assert_eq!(bodies(&[b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"]), one(""));
    let plain: &[&[u8]] = &[b"GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\na", b"bc"];
    assert_eq!(bodies(plain), one("abc"));
    let request = chunked("2\r\nab\r\n1 ; x=\"y\"\r\nc\r\n00\r\nTrailer: x\r\n\r\n");
    let request = request.as_bytes();
    for cut in 0..request.len() {
        assert_eq!(bodies(&[&request[..cut], &request[cut..]]), one("abc"), "{cut}");
    }
}

#[test]
fn pipelined_requests_are_read_in_order() {
    let requests = [
        chunked("1\r\na\r\n0\r\nX: y\r\n\r\n"),
        "GET /b HTTP/1.1\r\nContent-Length: 1\r\n\r\nb".to_owned(),
        "GET /c HTTP/1.1\r\n\r\n".to_owned(),
        chunked("0\r\n\r\n"),
    ];
    let expected = ["a", "b", "", ""].map(str::to_owned).to_vec();
    assert_eq!(bodies(&[requests.concat().as_bytes()]), (expected, 0));
}

#[test]
fn malformed_requests_are_refused() {
    for (request, expected) in [
        ("", 0),
        ("\x16\x03\x01\x02", 400),
        ("GET / HTTP/2.0\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n", 400),
        ("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\na", 400),
        ("GET / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\na", 400),
        ("GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\na", 400),
        ("GET / HTTP/1.1\r\nContent-Length: \r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nContent-Length : 1\r\n\r\na", 400),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n", 501),
        ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400),
        (&format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200)), 431),
    ] {
        assert_eq!(status(request), expected, "{request:?}");
    }
}

#[test]
fn malformed_chunks_are_refused() {
    for body in [
        "\r\n\r\n",
        "\r\nabc\r\n0\r\n\r\n",
        ";x=y\r\n\r\n",
        "-1\r\na\r\n0\r\n\r\n",
        "0x1\r\na\r\n0\r\n\r\n",
        "+1\r\na\r\n0\r\n\r\n",
        " 1\r\na\r\n0\r\n\r\n",
        "1 1\r\na\r\n0\r\n\r\n",
        "1\na\r\n0\r\n\r\n",
        "1\r\na\n0\r\n\r\n",
        "1\r\nab\r\n0\r\n\r\n",
        "1\r\na0\r\n\r\n",
        "1\r\r\na\r\n0\r\n\r\n",
        "1;\r x\r\na\r\n0\r\n\r\n",
        "1\r\na\r\n0\r\nA: b\n\r\n",
        "1\r\na\r\n0\r\n",
        "1\r\nabc",
        "g\r\n",
    ] {
        assert_eq!(status(chunked(body)), 400, "{body:?}");
    }
}

#[test]
fn every_number_is_taken_up_to_its_limit_and_not_beyond() {
    let length =
        |n: usize| format!("PUT / HTTP/1.1\r\nContent-Length: {n}\r\n\r\n{}", "a".repeat(n));
    assert_eq!(status(length(LIMIT)), 0);
    assert_eq!(status(length(LIMIT + 1)), 413);
    for beyond in ["18446744073709551615", "18446744073709551616", "99999999999999999999999"] {
        let request = format!("PUT / HTTP/1.1\r\nContent-Length: {beyond}\r\n\r\n");
        assert_eq!(status(request), 413, "{beyond}");
    }
    // A chunk alone, and a chunk after another one: what is left of the limit counts.
    for before in [0, 1, LIMIT] {
        let first = if before == 0 {
            String::new()
        } else {
            format!("{before:x}\r\n{}\r\n", "a".repeat(before))
        };
        let with = |size: &str, bytes: usize| {
            status(chunked(&format!("{first}{size}\r\n{}\r\n0\r\n\r\n", "a".repeat(bytes))))
        };
        let left = LIMIT - before;
        if left > 0 {
            assert_eq!(with(&format!("{left:x}"), left), 0, "{before}");
        }
        assert_eq!(with(&format!("{:x}", left + 1), left + 1), 413, "{before}");
        assert_eq!(with("ffffffffffffffff", 1), 413, "{before}");
        assert_eq!(with(&format!("{:x}", u64::MAX - 1), 1), 413, "{before}");
        assert_eq!(with("10000000000000000", 1), 400, "{before}");
    }
    let line = |n: usize| chunked(&format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(n)));
    // The line's limit counts its CR.
    assert_eq!(status(line(CHUNK_LINE_LIMIT - 3)), 0);
    assert_eq!(status(line(CHUNK_LINE_LIMIT - 2)), 400);
    let head = |n: usize| {
        let start = "GET / HTTP/1.1\r\nA: ";
        format!("{start}{}\r\n\r\n", "a".repeat(n - start.len() - 4))
    };
    assert_eq!(status(head(HEAD_LIMIT)), 0);
    assert_eq!(status(head(HEAD_LIMIT + 1)), 431);
    assert_eq!(status(format!("GET /{}", "a".repeat(1 << 20))), 431);
    let headers = |n: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(n));
    assert_eq!(status(headers(100)), 0);
    assert_eq!(status(headers(101)), 431);
    let trailers = |n: usize| chunked(&format!("0\r\nA:{}\r\n\r\n", "b".repeat(n)));
    assert_eq!(status(trailers(HEAD_LIMIT - 3)), 0);
    assert_eq!(status(trailers(HEAD_LIMIT)), 400);
}

#[test]
fn a_body_that_no_memory_is_left_for_is_answered_503() {
    let request = format!("PUT / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{}", "a".repeat(1000));
    let mut reader = Reader::new(request.as_bytes());
    let head = reader.head(|_| ()).unwrap();
    let error = reader.body(head.framing, LIMIT, |bytes| bytes < 1000).unwrap_err();
    assert_eq!((error.status, error.header), (503, Some(("Retry-After", "1".into()))));
}

#[test]
fn a_request_that_stops_half_way_is_answered_408() {
    let request = chunked("2\r\nab\r\n0\r\n\r\n");
    let request = request.as_bytes();
    assert_eq!(receive_all(&[], true).1, 0);
    for cut in 1..request.len() {
        assert_eq!(receive_all(&[&request[..cut]], true).1, 408, "{cut}");
        assert_eq!(receive_all(&[&request[..cut]], false).1, 400, "{cut}");
    }
}

#[test]
fn a_refused_head_keeps_its_parsed_parts() {
    let mut reader =
        Reader::new(&b"HEAD /webhook HTTP/1.1\r\nContent-Length: x\r\nHost: a\r\n\r\n"[..]);
    let Err(Failure::Refused(head, error)) = reader.head(|_| ()) else { panic!("it is refused") };
    assert_eq!(
        (head.method.as_str(), head.target.as_str(), error.status),
        ("HEAD", "/webhook", 400)
    );
}

#[test]
fn a_target_may_be_absolute() {
    for (target, host, path, query) in [
        ("/a?b=c", "h", "/a", "b=c"),
        ("http://x:80/a/b?c", "x:80", "/a/b", "c"),
        ("HTTPS://x", "x", "", ""),
        ("http://x?y", "x", "", "y"),
        ("ftp://x/a", "h", "ftp://x/a", ""),
        ("*", "h", "*", ""),
    ] {
        let mut head = Head::default();
        let text = format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(head.parse(text.as_bytes()), Ok(Some(text.len())));
        assert_eq!((head.host(), head.path_and_query()), (Some(host), (path, query)), "{target}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn bytes_are_read_the_same_however_they_are_cut(
        parts in proptest::collection::vec(prop_oneof![
            8 => proptest::sample::select(&[
                "GET / HTTP/1.1\r\n", "POST /webhook?a=%00 HTTP/1.0\r\n", "Content-Length: 3\r\n",
                "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", "Host: a\r\n", "\r\n",
                "\n", "3\r\nabc\r\n", "2;x\r\nab\r\n", "0\r\n\r\n", "fffffffff\r\n", "abc", "A: ",
                "Expect: 100-continue\r\n", ": \r\n", " folded\r\n", "GET / HTTP/1.1\r\n\r\n",
            ][..]).prop_map(|text| text.as_bytes().to_vec()),
            1 => proptest::collection::vec(any::<u8>(), 0..9),
        ], 0..12),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..4),
    ) {
        let bytes = parts.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
        let (requests, status) = receive_all(&[&bytes], false);
        prop_assert!([0, 400, 413, 431, 501].contains(&status), "{}", status);
        prop_assert_eq!(receive_all(&pieces, false), (requests, status));
    }
}
