//! The eight captured containers, and the words that stand for an image.

use serde_json::{Value, json};

use crate::common::{Inbox, event, events};

const API: &str = "registry.local:5000/acme/api:2.0";

#[test]
fn eight_containers_in_any_order_and_twice_are_one_update_with_eight_reports() {
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
        assert_eq!(update["workloads"], 8);
        assert_eq!(update["hosts"], json!(["edge-1"]));
        let reports = update["reports"].as_array().unwrap();
        let workloads: Vec<&str> =
            reports.iter().map(|report| report["workload"].as_str().unwrap()).collect();
        let expected: Vec<String> = (0..8).map(|index| format!("api-{index}")).collect();
        assert_eq!(workloads, expected);
        for report in reports {
            assert_eq!(report["times"], 2);
            assert_eq!(report["hostname"], "edge-1");
            assert_eq!(report["current"], true);
            assert_eq!(report["metadata"]["ctn_names"], report["workload"]);
        }
        assert!(inbox.output(["list"]).contains("edge-1/api-0 +7"));
    }
}

#[test]
fn a_word_is_an_exact_name_else_dockers_else_a_pattern() {
    let inbox = Inbox::new();
    let images = [
        "docker.io/library/nginx:latest",
        "docker.io/library/nginx:1.27",
        "docker.io/grafana/loki:3.0",
        "ghcr.io/acme/api:2.0@sha256:ab",
        "localhost/own:1",
        "odd",
        "odd*",
    ];
    inbox.take(&images.map(event));
    for (word, image) in [
        ("nginx", "docker.io/library/nginx:latest"),
        ("library/nginx", "docker.io/library/nginx:latest"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("docker.io/library/nginx:latest", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("nginx:1*", "docker.io/library/nginx:1.27"),
        ("*/nginx:1*", "docker.io/library/nginx:1.27"),
        ("grafana/loki:3.0", "docker.io/grafana/loki:3.0"),
        ("ghcr.io/acme/api:2.0@sha256:ab", "ghcr.io/acme/api:2.0@sha256:ab"),
        ("ghcr.io/*/api:[0-9].?@*", "ghcr.io/acme/api:2.0@sha256:ab"),
        ("localhost/own:1", "localhost/own:1"),
        ("odd", "odd"),
        ("odd*", "odd*"),
    ] {
        assert_eq!(inbox.json(["show", word])["event"]["image"], image, "{word}");
    }
}

#[test]
fn nasty_names_go_through_a_pipe_with_nul_between_them() {
    let inbox = Inbox::with("nasty.ndjson");
    let images = events("nasty.ndjson").len();
    // A name that holds NUL itself cannot go this way.
    let names = inbox.output(["list", "-0", "--image", "*"]);
    let names: Vec<&str> = names.split_terminator('\0').collect();
    assert_eq!(names.len(), images + 1);
    let acknowledged = inbox
        .diunbox(["ack", "-0", "-"])
        .write_stdin(names.join("\0"))
        .assert()
        .code(1)
        .get_output()
        .stdout
        .clone();
    assert_eq!(acknowledged.split(|byte| *byte == 0).count(), images);
    assert_eq!(inbox.lines(["list", "-q"]), [r"docker.io/nasty/nul\u{0}byte:1"]);
    inbox.diunbox(["ack", "docker.io/nasty/nul?byte:1"]).assert().success();
    assert!(inbox.lines(["list", "-q"]).is_empty());
}
