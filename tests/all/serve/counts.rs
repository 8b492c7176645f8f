//! Summary, hosts, metrics and health.

use serde_json::json;

use super::api::server_with;
use crate::common::server::{Server, event};

#[test]
fn the_summary_is_flat() {
    let server = Server::start();
    let empty = server.ask("GET", "/api/summary").json();
    assert_eq!(
        empty,
        json!({
            "pending": 0, "snoozed": 0, "superseded": 0, "acknowledged": 0, "ignored": 0, "total": 0,
            "oldest_pending": null, "newest_pending": null, "oldest_pending_age_seconds": 0,
            "hosts_in_trouble": 0, "images_not_checked": 0, "refused_requests": 0, "refused": []
        })
    );
    for image in ["a:1", "b:1", "c:1"] {
        assert_eq!(server.send("POST", "/webhook", &[], event(image)).status, 204);
    }
    assert_eq!(server.ask("PATCH", "/api/updates/c:1").status, 204);
    let summary = server.ask("GET", "/api/summary").json();
    assert_eq!((&summary["pending"], &summary["total"]), (&2.into(), &3.into()));
    let received = server.ask("GET", "/api/updates/a:1").json()["since"].clone();
    assert_eq!(summary["oldest_pending"], received);
    assert!(summary["oldest_pending_age_seconds"].as_u64().is_some(), "{summary}");
}

#[test]
fn each_host_has_what_it_needs_and_when_it_was_heard_from() {
    let server = Server::start();
    let post = |image: &str, host: &str, name: &str| {
        let event = json!({
            "image": image, "hostname": host, "provider": "docker", "digest": "sha256:1",
            "metadata": { "ctn_names": name }
        });
        assert_eq!(server.send("POST", "/webhook", &[], event.to_string()).status, 204);
    };
    post("a:1", "nas", "web");
    post("a:1", "nas", "api");
    post("b:1", "nas", "db");
    post("b:1", "a\"b\\c\nd", "db");
    post("b:1", "red\u{1b}[31m\u{202e}", "db");
    post("b:1", &"z".repeat(1_000), "db");
    assert_eq!(server.ask("PATCH", "/api/updates/a:1").status, 204);
    let hosts = server.ask("GET", "/api/hosts").json();
    assert_eq!((&hosts[1]["host"], &hosts[1]["pending"]), (&"nas".into(), &1.into()), "{hosts}");
    let heard = hosts[1]["last_event"].as_str().unwrap();
    let heard = chrono::DateTime::parse_from_rfc3339(heard).unwrap().timestamp();
    let metrics = server.ask("GET", "/metrics").body;
    for line in [
        r#"diunbox_host_pending{host="nas"} 1"#.to_owned(),
        r#"diunbox_host_pending{host="a\"b\\c\nd"} 1"#.to_owned(),
        r#"diunbox_host_pending{host="red\\u{1b}[31m\\u{202e}"} 1"#.to_owned(),
        format!(r#"diunbox_host_last_event_timestamp_seconds{{host="nas"}} {heard}"#),
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    assert!(metrics.lines().all(|line| line.len() < 400), "{metrics}");
    let age =
        metrics.lines().find_map(|line| line.strip_prefix("diunbox_oldest_pending_age_seconds "));
    assert!(age.unwrap().parse::<u64>().is_ok(), "{metrics}");
    for host in 0..250 {
        post("c:1", &format!("host-{host}"), "c");
    }
    let metrics = server.ask("GET", "/metrics").body;
    assert_eq!(metrics.matches("diunbox_host_pending{").count(), 200);
}

#[test]
fn metrics_count_updates_events_and_requests() {
    let server = server_with(&["a:1", "b:1"]);
    assert_eq!(server.send("POST", "/webhook", &[], "no event").status, 400);
    assert_eq!(server.ask("PATCH", "/api/updates/a:1").status, 204);
    assert_eq!(server.ask("GET", "/nothing").status, 404);
    let answer = server.ask("GET", "/metrics");
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        concat!("diunbox_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        "diunbox_updates{state=\"pending\"} 1",
        "diunbox_updates{state=\"acknowledged\"} 1",
        "diunbox_events_total{result=\"stored\"} 2",
        "diunbox_events_total{result=\"refused\"} 1",
        "diunbox_events_total{result=\"logged\"} 0",
        "diunbox_http_requests_total{code=\"204\"} 3",
        "diunbox_http_requests_total{code=\"400\"} 1",
        "diunbox_http_requests_total{code=\"404\"} 1",
    ] {
        assert!(answer.body.lines().any(|found| found == line), "{line}:\n{}", answer.body);
    }
}

#[test]
fn health_follows_the_database() {
    let server = Server::start();
    assert_eq!(server.ask("GET", "/healthz").status, 200);
    server.break_database();
    assert_eq!(server.ask("GET", "/healthz").status, 503);
    server.mend_database();
    assert_eq!(server.ask("GET", "/healthz").status, 200);
}
