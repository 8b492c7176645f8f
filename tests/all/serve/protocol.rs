//! Methods and headers of every path.

use super::api::server_with;
use crate::common::server::{Server, notification};

#[test]
fn another_method_is_told_which_would_do() {
    let server = Server::start();
    for (path, allowed) in [
        ("/webhook", "GET, POST, PUT"),
        ("/api/updates", "GET, HEAD"),
        ("/api/updates/a:1", "GET, HEAD, PATCH"),
        ("/api/tags", "GET, HEAD, POST"),
        ("/api/tags/1", "PATCH, DELETE"),
        ("/api/tag-assignments", "PUT, DELETE"),
        ("/api/summary", "GET, HEAD"),
        ("/api/hosts", "GET, HEAD"),
        ("/metrics", "GET, HEAD"),
        ("/healthz", "GET, HEAD"),
    ] {
        for path in [path.to_owned(), format!("{path}/"), format!("{}{path}", server.address())] {
            let answer = server.raw(format!("OPTIONS {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            assert!(answer.starts_with("HTTP/1.1 405 "), "{path}: {answer}");
            assert!(answer.contains(&format!("\r\nAllow: {allowed}\r\n")), "{path}: {answer}");
        }
    }
    for path in ["/api", "/api/updates//", "/Webhook", "/api/tag", "/webhook/a"] {
        let answer = server.ask("GET", path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.error().contains("/webhook"), "{path}");
    }
}

#[test]
fn head_gives_the_headers_alone() {
    let server = server_with(&["a:1"]);
    for path in ["/api/updates", "/api/updates/a:1", "/api/tags", "/api/summary", "/healthz"] {
        let length = server.ask("GET", path).body.len();
        let answer = server.raw(format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        assert!(answer.contains(&format!("Content-Length: {length}\r\n")), "{path}: {answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{path}: {answer}");
    }
    for refused in ["Content-Length: x\r\n", "Host: a\r\nHost: b\r\n", "Origin: http://evil\r\n"] {
        let answer = server.raw(format!("HEAD /api/tags HTTP/1.1\r\n{refused}\r\n"));
        assert!(answer.starts_with("HTTP/1.1 40"), "{refused}: {answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{refused}: {answer}");
    }
}

#[test]
fn every_answer_has_a_date_and_names_the_server() {
    let server = server_with(&["a:1"]);
    for request in [
        notification("b:1"),
        "GET /api/updates HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
    ] {
        let answer = server.raw(&request);
        assert_eq!(answer.matches("\r\nDate: ").count(), 1, "{answer}");
        assert_eq!(answer.matches("\r\nServer: diunbox\r\n").count(), 1, "{answer}");
        assert!(
            !answer.starts_with("HTTP/1.1 204") || !answer.contains("Content-Length"),
            "{answer}"
        );
    }
}
