//! The files of the page, and the Atom feed. `tests/page` drives the page in a browser.

use serde_json::json;

use crate::common::server::{Server, event};

fn take(server: &Server, events: &[String]) {
    for event in events {
        assert_eq!(server.send("POST", "/webhook", &[], event).status, 204);
    }
}

#[test]
fn every_file_is_small_has_a_tag_and_loads_nothing_from_elsewhere() {
    let server = Server::start();
    take(&server, &[event("a:1")]);
    let mut size = 0;
    for path in [
        "/",
        "/style.css",
        "/script.js",
        "/icon.svg",
        "/icon-new.svg",
        "/feed.atom",
        "/openapi.json",
    ] {
        let answer = server.ask("GET", path);
        assert_eq!(answer.status, 200, "{path}");
        let tag = answer.header("ETag").to_owned();
        let known = server.send("GET", path, &[("If-None-Match", &tag)], "");
        assert_eq!((known.status, known.body.as_str()), (304, ""), "{path}");
        assert_eq!(server.send("GET", path, &[("If-None-Match", "\"x\"")], "").status, 200);
        if !["/feed.atom", "/openapi.json"].contains(&path) {
            size += answer.body.len();
            assert_eq!(answer.header("X-Content-Type-Options"), "nosniff", "{path}");
        }
        let is_link = |text: &str| text.contains("https://") || text.contains("style=");
        assert!(path == "/openapi.json" || !is_link(&answer.body), "{path}");
    }
    assert!(size < 60_000, "{size}");
    let page = server.ask("GET", "/");
    let policy = page.header("Content-Security-Policy");
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.header("Referrer-Policy"), "no-referrer");
}

#[test]
fn the_page_has_what_its_address_asks_for() {
    let server = Server::start();
    take(&server, &[event("a:1"), event("b:1")]);
    server.send("PATCH", "/api/updates/b:1", &[], "");
    let rows = |path: &str| server.ask("GET", path).body.matches("<tr><th scope").count();
    assert_eq!(rows("/"), 1);
    assert_eq!(rows("/?state=acknowledged"), 1);
    assert_eq!(rows("/?search=b:1&host=&sort="), 0);
    assert_eq!(rows("/?by=host"), 1);
    // The searched text is not a part of the template.
    let page = server.ask("GET", "/?search={{rows}}{{tabs}}").body;
    assert_eq!(
        (page.matches("class=\"empty\"").count(), page.matches("aria-current").count()),
        (1, 1)
    );
    assert_eq!(server.ask("GET", "/?state=x").status, 400);
    let head = server.raw("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn the_feed_has_an_entry_for_an_image_and_its_digest() {
    let server = Server::start();
    let hostile = json!({"image": "evil/<b>&\u{202e}:1", "digest": "sha256:1", "hostname": "a]]>\u{1b}b",
        "status": "update", "hub_link": "javascript:alert(1)"});
    let linked = event("redis:7.4")
        .replace("\"hub_link\":\"\"", "\"hub_link\":\"https://hub.example/redis?a=1&b=2\"");
    take(&server, &[linked, hostile.to_string()]);
    let feed = server.ask("GET", "/feed.atom").body;
    for part in [
        "<title>redis:7.4 updated on edge-1</title>",
        "<link href=\"https://hub.example/redis?a=1&amp;b=2\"/>",
        "<title>evil/&lt;b&gt;&amp;\\u{202e}:1 updated on a]]&gt;\\u{1b}b</title>",
        "<link href=\"./?search=evil",
    ] {
        assert!(feed.contains(part), "{part}\n{feed}");
    }
    assert!(!feed.contains("javascript:"), "{feed}");
    let identities = |feed: &str| -> Vec<String> {
        let ids = feed.split("<id>").skip(2).map(|rest| rest.split('<').next().unwrap().to_owned());
        ids.collect()
    };
    let before = identities(&feed);
    assert_eq!(before.len(), 2);
    // The same digest again is the same entry, another digest is another.
    take(&server, &[event("redis:7.4")]);
    assert_eq!(identities(&server.ask("GET", "/feed.atom").body), before);
    take(&server, &[event("redis:7.4").replace("sha256:", "sha256:0")]);
    let after = identities(&server.ask("GET", "/feed.atom").body);
    assert_eq!((after.len(), after.iter().filter(|id| before.contains(id)).count()), (2, 1));
    server.send("POST", "/api/updates/acknowledge-all", &[], "");
    assert!(identities(&server.ask("GET", "/feed.atom").body).is_empty());
}
