//! One update in full.

use predicates::prelude::*;
use predicates::str::{contains, is_match};
use serde_json::{Value, json};

use crate::common::{Inbox, event, event_with, events};

const API: &str = "ghcr.io/acme/api:2.0";

#[test]
fn a_page_has_the_update_its_places_and_earlier_digests() {
    let inbox = Inbox::new();
    let one = |host: &str, name: &str, digest: &str| {
        event_with(
            API,
            &json!({"hostname": host, "digest": digest, "metadata": {"ctn_names": name, "team": "core"}}),
        )
    };
    inbox.take(&[
        one("edge-1", "old-a", "sha256:01"),
        one("edge-2", "old-b", "sha256:01"),
        one("edge-2", "api-1", "sha256:02"),
        one("edge-1", "api-0", "sha256:02"),
        one("edge-1", "api-2", "sha256:02"),
    ]);
    inbox.output(["tag", "create", "web"]);
    inbox.output(["tag", "assign", "web", API]);
    let page = inbox.output(["show", API]);
    for line in [
        r"Image      ghcr\.io/acme/api:2\.0",
        r"State      pending",
        r"Since      \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(.*\)",
        r"Tag        web",
        r"Status     update",
        r"Digest     sha256:02",
        r"Built      2026-11-20 08:15:30 UTC \(.*\)",
        r"Platform   linux/amd64",
        r"Media type application/json",
        r"Sent by    Diun 4\.33\.0 on edge-1",
        r"Metadata",
        r"ctn_names  api-2",
        r"team       core",
        r"Where",
        r"HOST    PROVIDER  WORKLOAD  STATE   REPORTED +LAST SEEN",
        r"edge-1  docker    api-0     needed  current .*",
        r"        docker    api-2     needed  current .*",
        r"        docker    old-a     needed  sha256:01 .*",
        r"edge-2  docker    api-1     needed  current .*",
        r"        docker    old-b     needed  sha256:01 .*",
        r"Earlier digests",
        r"DIGEST +FIRST SEEN +LAST SEEN",
        r"sha256:01  .*",
    ] {
        assert!(is_match(format!("(?m)^{line}$")).unwrap().eval(&page), "{line}\n{page}");
    }
    assert!(!page.contains("Link"), "an empty value has no line\n{page}");
}

#[test]
fn what_an_event_does_not_say_is_a_dash() {
    let inbox = Inbox::new();
    inbox.take(&[json!({"image": API})]);
    let page = inbox.output(["show", API]);
    let row = page.lines().last().unwrap().split_whitespace().take(5);
    assert_eq!(row.collect::<Vec<_>>(), ["-", "-", "-", "needed", "-"], "{page}");
    assert_eq!(inbox.json(["show", API])["hosts"], json!([]));
    let groups = inbox.json(["list", "--by", "host"]);
    assert_eq!((&groups[0]["group"], &groups[0]["count"]), (&json!(null), &json!(1)));
}

#[test]
fn json_has_every_place_and_earlier_digest() {
    let inbox = Inbox::new();
    let newer = event_with(API, &json!({"digest": "sha256:02", "hostname": "edge-2"}));
    inbox.take(&[event(API), event(API), newer.clone()]);
    let update = inbox.json(["show", API]);
    assert_eq!(update["event"], newer);
    let [one, two] = update["where"].as_array().unwrap().as_slice() else { panic!("{update}") };
    for (place, digest, host, times) in
        [(one, "sha256:01", "edge-1", 2), (two, "sha256:02", "edge-2", 1)]
    {
        assert_eq!((&place["digest"], &place["hostname"]), (&json!(digest), &json!(host)));
        assert_eq!((&place["provider"], &place["workload"]), (&json!("docker"), &json!("api")));
        assert_eq!((&place["status"], &place["times"]), (&json!("update"), &json!(times)));
        assert_eq!(
            (&place["metadata"], &place["needed"]),
            (&json!({"ctn_names": "api"}), &json!(true))
        );
        let time = |field: &str| place[field].as_str().unwrap().to_owned();
        assert!(time("first_seen") <= time("last_seen"));
    }
    let [digest] = update["digests"].as_array().unwrap().as_slice() else { panic!("{update}") };
    assert_eq!(
        (&digest["digest"], &digest["platform"]),
        (&json!("sha256:01"), &json!("linux/amd64"))
    );
    let ndjson = inbox.output(["show", API, "--format", "ndjson"]);
    assert_eq!(serde_json::from_str::<Value>(&ndjson).unwrap(), update);
    assert_eq!(ndjson.lines().count(), 1);
}

#[test]
fn each_provider_names_its_workload() {
    let inbox = Inbox::new();
    for (fixture, workload) in [
        ("swarm.json", "edge_traefik"),
        ("kubernetes.json", "shop/api/api"),
        ("nomad.json", "shop/cache/redis"),
        ("containerd.json", "postgres"),
        ("dockerfile.json", ""),
        ("file-provider.json", ""),
    ] {
        let event = &events(fixture)[0];
        inbox.take(std::slice::from_ref(event));
        let image = event["image"].as_str().unwrap();
        let report = &inbox.json(["show", image])["where"][0];
        assert_eq!(report["workload"], workload, "{fixture}");
        assert_eq!(report["provider"], event["provider"], "{fixture}");
        let metadata = if event["metadata"].is_null() { &json!({}) } else { &event["metadata"] };
        assert_eq!(&report["metadata"], metadata, "{fixture}");
        assert!(inbox.output(["show", image]).contains("Where\n"), "{fixture}");
    }
}

#[test]
fn a_pipe_gets_a_long_value_whole() {
    let inbox = Inbox::with("kubernetes.json");
    let status = events("kubernetes.json")[0]["metadata"]["pod_status"].clone();
    let status = status.as_str().unwrap();
    assert!(status.len() > 5_000);
    assert!(inbox.output(["show", API]).contains(status));
}

#[test]
fn an_image_that_is_not_there_is_a_negative_answer() {
    let inbox = Inbox::new();
    inbox.take(&[event("docker.io/library/nginx:1.27"), event(API)]);
    for (word, message) in [
        ("nginx", "no image \"nginx\"; did you mean \"nginx:1.27\"?"),
        ("ngnix:1.27", "no image \"ngnix:1.27\"; did you mean \"nginx:1.27\"?"),
        ("api", "no image \"api\"; did you mean \"ghcr.io/acme/api:2.0\"?"),
        ("postgres", "no image \"postgres\""),
        ("acme/*", "no image matches \"acme/*\"; did you mean \"*acme/*\"?"),
        ("z*", "no image matches \"z*\""),
    ] {
        let assert = inbox.diunbox(["show", word]).assert().code(1).stdout("");
        assert.stderr(format!("diunbox: {message}\n"));
    }
    let assert = inbox.diunbox(["show", "*"]).assert().code(2).stdout("");
    assert.stderr(contains("matches 2 images").and(contains("name one of them")));
    inbox.diunbox(["show", "a[b"]).assert().code(2);
    inbox.diunbox(["show"]).assert().code(2);
}
