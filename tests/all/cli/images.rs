//! The eight captured containers, and the ways to name an image.

use serde_json::{Value, json};

use crate::common::{Inbox, event, event_with, events};

const API: &str = "registry.local:5000/acme/api:2.0";

#[test]
fn eight_containers_in_any_order_and_twice_are_one_update_with_eight_places() {
    let captured = events("docker-eight-containers.ndjson");
    let backwards: Vec<Value> = captured.iter().rev().cloned().collect();
    let shuffled: Vec<Value> = (0..8).map(|index| captured[index * 3 % 8].clone()).collect();
    for order in [&captured, &backwards, &shuffled] {
        let inbox = Inbox::new();
        inbox.take(order);
        inbox.take(order);
        assert_eq!(inbox.lines(["list", "-q"]), [API]);
        let update = inbox.json(["show", API]);
        assert_eq!(update["acknowledged"], false);
        assert_eq!((&update["places"], &update["needed"]), (&json!(8), &json!(8)));
        assert_eq!(update["hosts"], json!(["edge-1"]));
        let places = update["where"].as_array().unwrap();
        let workloads: Vec<&str> =
            places.iter().map(|place| place["workload"].as_str().unwrap()).collect();
        let expected: Vec<String> = (0..8).map(|index| format!("api-{index}")).collect();
        assert_eq!(workloads, expected);
        for place in places {
            assert_eq!((&place["times"], &place["needed"]), (&json!(2), &json!(true)));
            assert_eq!(place["hostname"], "edge-1");
            assert_eq!(place["digest"], update["event"]["digest"]);
            assert_eq!(place["metadata"]["ctn_names"], place["workload"]);
        }
        assert!(inbox.output(["list"]).contains("edge-1/api-0 +7"));
    }
}

#[test]
fn a_word_is_a_name_as_docker_takes_it_or_a_pattern() {
    let inbox = Inbox::new();
    let images = [
        "docker.io/library/nginx:latest",
        "docker.io/library/nginx:1.27",
        "docker.io/grafana/loki:3.0",
        "ghcr.io/acme/api:2.0@sha256:ab",
        "localhost/own:1",
    ];
    inbox.take(&images.map(event));
    for (word, image) in [
        ("nginx", "docker.io/library/nginx:latest"),
        ("library/nginx", "docker.io/library/nginx:latest"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("Docker.IO/nginx", "docker.io/library/nginx:latest"),
        (" nginx\n", "docker.io/library/nginx:latest"),
        ("docker.io/library/nginx:latest", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("nginx:1*", "docker.io/library/nginx:1.27"),
        ("*/nginx:1*", "docker.io/library/nginx:1.27"),
        ("grafana/loki:3.0", "docker.io/grafana/loki:3.0"),
        ("ghcr.io/acme/api:2.0@sha256:ab", "ghcr.io/acme/api:2.0@sha256:ab"),
        ("ghcr.io/*/api:[0-9].?@*", "ghcr.io/acme/api:2.0@sha256:ab"),
        ("localhost/own:1", "localhost/own:1"),
    ] {
        assert_eq!(inbox.json(["show", word])["event"]["image"], image, "{word}");
    }
}

#[test]
fn nasty_names_go_through_a_pipe() {
    for (print, read) in [("-0", &["ack", "-0", "-"][..]), ("-q", &["ack", "-"])] {
        let inbox = Inbox::with("nasty.ndjson");
        let names = inbox.diunbox(["list", print]).output().unwrap().stdout;
        let images = events("nasty.ndjson").len();
        let separator = if print == "-0" { 0 } else { b'\n' };
        assert_eq!(names.split(|byte| *byte == separator).count(), images + 1);
        if print == "-0" {
            inbox.diunbox(read.iter().copied()).write_stdin(names).assert().success();
            assert!(inbox.lines(["list", "-q"]).is_empty());
        } else {
            // What a line cannot show as it is, is escaped there: it is not found, and nothing else is.
            let assert = inbox.diunbox(read.iter().copied()).write_stdin(names).assert();
            let left = inbox.lines(["list", "-q"]);
            assert!(left.iter().all(|name| name.contains("\\u{")), "{left:?}");
            assert.code(i32::from(!left.is_empty()));
        }
    }
}

#[test]
fn names_that_mean_the_same_are_one_update() {
    let inbox = Inbox::new();
    let names = [
        "nginx:1.27",
        "docker.io/nginx:1.27",
        "docker.io/library/nginx:1.27",
        "INDEX.docker.io/nginx:1.27",
    ];
    inbox.take(&names.map(event));
    assert_eq!(inbox.lines(["list", "-q"]), ["docker.io/library/nginx:1.27"]);
    inbox.take(&[event("searxng/searxng")]);
    assert_eq!(inbox.lines(["ack", "searxng/searxng"]), ["docker.io/searxng/searxng:latest"]);
    for bad in ["", "evil\0*", "a b", "a*", "web:[1]"] {
        let event = event_with("x", &json!({"image": bad})).to_string();
        inbox.diunbox(["ingest"]).write_stdin(event).assert().code(2);
    }
    assert_eq!(inbox.json(["list", "--all"]).as_array().unwrap().len(), 2);
}
