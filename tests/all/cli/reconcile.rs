//! `reconcile` with the output of real engines.

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::{Value, json};

use crate::common::{Inbox, fixture};

pub(super) const WEB: &str = "registry.local:5000/acme/web:1";
const OLD: &str = "sha256:23c5b73397585927a1f065203ae14a3afd1215c0e08233d5bf67617b00c2de46";
pub(super) const NEW: &str =
    "sha256:d5ba5898c6ddb505f0c8b4c30575def79af3fd823d4c24f71ca519fd49239ccf";

pub(super) fn event(image: &str, digest: &str, provider: &str, metadata: &Value) -> Value {
    json!({"image": image, "digest": digest, "hostname": "edge-1", "provider": provider,
        "status": "new", "metadata": metadata})
}

fn container(name: &str, digest: &str) -> Value {
    event(WEB, digest, "docker", &json!({"ctn_names": name}))
}

/// Two containers of one image, and an update of it that Diun reported for one of them.
fn updated() -> Inbox {
    let inbox = Inbox::new();
    inbox.take(&[container("web-1", OLD), container("web-2", OLD), container("web-2", NEW)]);
    inbox
}

pub(super) fn running(name: &str) -> String {
    fixture(&format!("running/{name}")).display().to_string()
}

fn reconcile(inbox: &Inbox, name: &str, more: &[&str]) -> Value {
    let (file, host) = (running(name), ["--host", "edge-1"]);
    inbox.json(["reconcile", &file].into_iter().chain(host).chain(more.iter().copied()))
}

/// Each place and its verdict.
pub(super) fn verdicts(report: &Value) -> Vec<String> {
    let place = |place: &Value| {
        let text = |key: &str| place[key].as_str().unwrap().to_owned();
        format!("{} {}", text("workload"), text("verdict"))
    };
    report["places"].as_array().unwrap().iter().map(place).collect()
}

fn needed(inbox: &Inbox) -> Value {
    inbox.json(["show", WEB])["needed"].clone()
}

#[test]
fn an_update_closes_when_its_last_container_is_recreated() {
    let inbox = updated();
    let report = reconcile(&inbox, "docker-pulled-not-recreated.json", &[]);
    assert_eq!(verdicts(&report), ["web-1 behind", "web-2 behind"]);
    assert_eq!((&report["id"], needed(&inbox)), (&Value::Null, json!(2)));
    let report = reconcile(&inbox, "docker-one-of-two-recreated.json", &[]);
    assert_eq!(verdicts(&report), ["web-1 done", "web-2 behind"]);
    assert_eq!((&report["closed"], needed(&inbox)), (&json!([]), json!(1)));
    // Only looking changes nothing.
    let dry = reconcile(&inbox, "docker-both-recreated.json", &["--dry-run"]);
    assert_eq!((&dry["closed"], needed(&inbox)), (&json!([WEB]), json!(1)));
    let report = reconcile(&inbox, "docker-both-recreated.json", &[]);
    assert_eq!((&report["closed"], needed(&inbox)), (&json!([WEB]), json!(0)));
    assert_eq!(inbox.json(["show", WEB])["state"], "acknowledged");
    let entry = &inbox.json(["history"])[0];
    assert_eq!((&entry["action"], &entry["origin"]), (&json!("reconcile"), &json!("reconcile")));
    // Again, nothing changes.
    assert_eq!(reconcile(&inbox, "docker-both-recreated.json", &[])["id"], Value::Null);
    // A host that goes back reopens what was closed so.
    let report = reconcile(&inbox, "docker-one-of-two-recreated.json", &[]);
    assert_eq!((&report["reopened"], needed(&inbox)), (&json!([WEB]), json!(1)));
}

#[test]
fn a_person_is_right_until_something_else_runs() {
    let inbox = updated();
    let id = reconcile(&inbox, "docker-both-recreated.json", &[])["id"].to_string();
    inbox.diunbox(["undo"]).assert().code(1);
    assert_eq!(inbox.lines(["undo", &id]), [WEB]);
    assert_eq!(needed(&inbox), 2);
    assert_eq!(reconcile(&inbox, "docker-both-recreated.json", &[])["closed"], json!([]));
    assert_eq!(needed(&inbox), 2);
    reconcile(&inbox, "docker-one-of-two-recreated.json", &[]);
    reconcile(&inbox, "docker-both-recreated.json", &[]);
    assert_eq!(needed(&inbox), 1, "web-2 ran something else meanwhile, web-1 did not");
    // What a person acknowledged stays so.
    inbox.output(["ack", WEB]);
    reconcile(&inbox, "docker-pulled-not-recreated.json", &[]);
    assert_eq!(inbox.json(["show", WEB])["state"], "acknowledged");
}

#[test]
fn containers_that_diun_did_not_report_count_too() {
    let inbox = Inbox::new();
    inbox.take(&[container("web-2", NEW)]);
    let report = reconcile(&inbox, "docker-one-of-two-recreated.json", &[]);
    assert_eq!(verdicts(&report), ["web-2 unknown", "web-1 done"]);
    assert_eq!(inbox.json(["show", WEB])["places"], 2);
}

#[test]
fn a_digest_that_runs_already_is_not_needed_when_it_is_reported() {
    let inbox = Inbox::new();
    inbox.take(&[container("web-1", OLD), container("web-2", OLD)]);
    reconcile(&inbox, "docker-both-recreated.json", &[]);
    inbox.take(&[container("web-2", NEW)]);
    assert_eq!(inbox.json(["show", WEB])["state"], "acknowledged");
}

#[test]
fn what_a_complete_list_lacks_is_gone() {
    let inbox = updated();
    inbox.take(&[container("web-3", OLD)]);
    let report = reconcile(&inbox, "docker-both-recreated.json", &[]);
    assert_eq!((verdicts(&report).len(), &report["closed"]), (2, &json!([])));
    let report = reconcile(&inbox, "docker-both-recreated.json", &["--complete"]);
    assert_eq!(verdicts(&report), ["web-1 done", "web-2 done", "web-3 gone"]);
    assert_eq!(report["closed"], json!([WEB]));
}

#[test]
fn every_engine_is_understood() {
    let digest = |start: &str| format!("sha256:{start}");
    let db9b = digest("db9b3e899c536012105f0d7fdb180b60a37cfebe878b62f76e7f4963f6423091");
    let f507 = digest("f5075a2cd162ef52e768d16b9cf6730180068a0397f2c06738ae4c8add60cbe0");
    let d50c = digest("50c9d1c7e1ee32c976a33ac68563e141315e7566b2d87a0d6963ec48aaf2c7f8");
    let ae69 = digest("ae693be9516c4e672e5dc117858e2ecce011624da6e0f0ca63f0e59a6103dede");
    let pod =
        json!({"pod_namespace": "shop", "pod_name": "api-7d9f8b6c5-zzzzz", "ctn_name": "api"});
    let task = json!({"job_name": "shop", "taskgroup_name": "cache", "task_name": "redis"});
    let web = |name: &str| json!({"ctn_names": name});
    let service = json!({"ctn_name": "shop_web"});
    let cache = "registry.local:5000/acme/cache:7";
    for (file, image, digest, provider, metadata, expected) in [
        ("docker-one-liner.ndjson", WEB, NEW, "docker", web("web-1"), "web-1 done"),
        ("docker29-containerd-store.json", WEB, &*d50c, "docker", web("web-1"), "web-1 done"),
        ("docker29-containerd-store.json", WEB, &*d50c, "docker", web("web-2"), "web-2 unknown"),
        ("docker-api-containers.json", WEB, &*d50c, "docker", web("web-1"), "web-1 done"),
        ("podman-container.json", WEB, &*ae69, "docker", web("web"), "web done"),
        ("podman-container.json", WEB, &*d50c, "docker", web("web"), "web unknown"),
        ("swarm-service-inspect.json", WEB, NEW, "swarm", service.clone(), "shop_web done"),
        ("swarm-service-updated.json", WEB, &*f507, "swarm", service.clone(), "shop_web done"),
        ("swarm-task-containers.json", WEB, &*f507, "swarm", service, "shop_web done"),
        ("nomad-docker-container.json", cache, &*db9b, "nomad", task, "shop/cache/redis done"),
        ("kubernetes-pods.json", WEB, NEW, "kubernetes", pod.clone(), "shop/api/api unknown"),
        ("kubernetes-pods-trimmed.ndjson", WEB, NEW, "kubernetes", pod, "shop/api/api unknown"),
    ] {
        let inbox = Inbox::new();
        inbox.take(&[event(image, digest, provider, &metadata)]);
        let verdicts = verdicts(&reconcile(&inbox, file, &[]));
        assert_eq!(verdicts[0], expected, "{file}: {verdicts:?}");
    }
}

#[test]
fn what_says_no_digests_or_nothing_is_refused_and_changes_nothing() {
    let inbox = updated();
    let before = inbox.json(["show", WEB]);
    for (file, reason) in [
        ("compose-images.json", "docker compose images prints no digests"),
        ("swarm-tasks.ndjson", "docker service ps prints no digests"),
        ("nomad-alloc.json", "nomad alloc status prints no digests"),
        ("ctr-container.json", "ctr containers prints no digests"),
        ("crictl-ps.json", "crictl ps alone prints no digests"),
        ("nerdctl-container.json", "nerdctl prints no digests"),
        ("docker-ghost-event.json", "this is not a list of running workloads"),
    ] {
        let assert = inbox.diunbox(["reconcile", "--host", "edge-1"]).arg(running(file)).assert();
        assert.code(2).stdout("").stderr(contains(reason));
    }
    for (input, reason) in [
        ("", "lists nothing that runs"),
        ("[]", "lists nothing that runs"),
        ("{", "not a list of running workloads"),
        ("[1]", "not a list of running workloads"),
        (r#"[{"Id": "a", "Name": 5, "Image": "x"}]"#, "not a list of running workloads"),
        (
            r#"[{"Id": "a", "Name": "/other", "Image": "sha256:1", "Config": {"Image": "other:1"}}]"#,
            "no known place on edge-1",
        ),
    ] {
        let assert = inbox.diunbox(["reconcile", "--host", "edge-1"]).write_stdin(input).assert();
        assert.code(2).stdout("").stderr(contains(reason));
    }
    // A broken document behind a good one: nothing is concluded from the good one.
    let good = std::fs::read_to_string(running("docker-both-recreated.json")).unwrap();
    let assert = inbox.diunbox(["reconcile", "--host", "edge-1"]).write_stdin(good + "{").assert();
    assert.code(2);
    assert_eq!(inbox.json(["show", WEB]), before);
}

#[test]
fn what_diun_knows_and_the_inbox_missed_is_stored() {
    let list = fixture("diun-image-list.json").display().to_string();
    let inbox = Inbox::new();
    let stored = inbox.json(["reconcile", &list]);
    let missed = stored["missed"].as_array().unwrap().len();
    assert!(missed > 1, "{stored}");
    assert_eq!(inbox.lines(["list", "-q", "--status", "new"]).len(), missed);
    assert_eq!(inbox.json(["reconcile", &list])["missed"], json!([]));
    let inspect = fixture("diun-image-inspect.json").display().to_string();
    assert_eq!(inbox.json(["reconcile", &inspect])["missed"], json!([]));
    // As if an update had been lost.
    let inbox = Inbox::new();
    inbox.take(&[container("web-1", OLD)]);
    let dry = inbox.diunbox(["reconcile", "--dry-run", &list]).assert().success();
    dry.stderr(contains("would store an event of registry.local:5000/acme/web:1 that was missed"));
    inbox.output(["reconcile", &list]);
    let shown = inbox.json(["show", WEB]);
    assert_eq!(
        (&shown["event"]["status"], &shown["event"]["digest"]),
        (&json!("update"), &json!(NEW))
    );
    assert_eq!(shown["needed"], 1);
    // A first import makes nothing pending.
    let inbox = Inbox::new();
    inbox.output(["reconcile", "--acknowledged", &list]);
    assert_eq!(inbox.lines(["list", "--acknowledged", "-q"]).len(), missed);
    assert!(inbox.lines(["list", "-q"]).is_empty());
}

#[test]
fn why_a_place_is_needed_is_said() {
    let inbox = updated();
    reconcile(&inbox, "docker-one-of-two-recreated.json", &[]);
    let shown = inbox.json(["show", WEB]);
    assert_eq!(
        (&shown["where"][0]["state"], &shown["where"][1]["state"]),
        (&json!("done"), &json!("behind"))
    );
    assert!(shown["where"][1]["runs"].as_array().unwrap().contains(&json!(OLD)));
    assert!(shown["where"][1]["runs_since"].is_string());
    let page = inbox.diunbox(["show", WEB]).assert().success();
    page.stdout(contains(format!("web-2     behind  {} since ", &OLD[..19])));
    let list = inbox.diunbox(["list"]).assert().success();
    list.stdout(contains("edge-1/web-2 (1 of 2 done)"));
    // A container that is stopped counts, and that is said.
    let containers = std::fs::read_to_string(running("docker-one-of-two-recreated.json")).unwrap();
    let stopped = containers.replace("\"Status\": \"running\"", "\"Status\": \"exited\"");
    let report = inbox.diunbox(["reconcile", "--host", "edge-1"]).write_stdin(stopped).assert();
    report.success().stdout(contains("behind, stopped"));
}

#[test]
fn labels_become_links_and_versions() {
    let inbox = updated();
    let web = |digest: &str, version: &str| {
        json!({"name": "registry.local:5000/acme/web", "latest": {"tag": "1", "digest": digest,
            "created": "2026-11-25T09:35:41.064685114Z", "labels": {
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.source": "https://example.org/acme/web"}}})
    };
    let list = json!({"images": [web(OLD, "1.0.1"), web(NEW, "1.0.2")]}).to_string();
    inbox.diunbox(["reconcile"]).write_stdin(list).assert().success();
    let shown = inbox.json(["show", WEB]);
    assert_eq!((&shown["change"], &shown["previous"]), (&json!("patch"), &json!("1.0.1")));
    let links = json!({"hub": null, "source": "https://example.org/acme/web", "changelog": null});
    assert_eq!(shown["links"], links);
    // A user's own link; and one that is none.
    for (link, expected) in [("https://example.org/changes", true), ("javascript:alert(1)", false)]
    {
        let metadata = json!({"ctn_names": "web-2", "changelog": link});
        inbox.take(&[event(WEB, NEW, "docker", &metadata)]);
        let page = inbox.diunbox(["show", WEB]).assert().success();
        page.stdout(contains(format!("Changelog  {link}")).count(usize::from(expected)));
    }
    // Containers have the labels of their images.
    let inbox = updated();
    reconcile(&inbox, "docker-both-recreated.json", &[]);
    let source = inbox.json(["show", WEB])["links"]["source"].clone();
    assert_eq!(source, "https://example.org/acme/web");
}

#[test]
fn nothing_is_stored_where_the_host_is_not_known() {
    let inbox = updated();
    let before = inbox.json(["list", "--all"]);
    let list = fixture("diun-image-list.json").display().to_string();
    let arguments = ["reconcile", &list, &running("docker-both-recreated.json")];
    inbox.diunbox(arguments).assert().code(2).stdout("").stderr(contains("set `host`"));
    assert_eq!(inbox.json(["list", "--all"]), before);
}

#[test]
fn the_host_is_told_by_the_ids_or_has_to_be_named() {
    let inbox = Inbox::with("docker-and-swarm.ndjson");
    let file = running("docker-both-recreated.json");
    assert_eq!(inbox.json(["reconcile", &file])["closed"], json!([WEB]));
    let inbox = updated();
    let assert = inbox.diunbox(["reconcile", &file]).assert().code(2);
    assert.stderr(contains("set `host`").and(contains("edge-1")));
    let table = inbox.diunbox(["reconcile", &file, "--host", "edge-1"]).assert().success();
    table.stderr("diunbox: closed 1 update\n").stdout(contains("edge-1/web-2  done"));
    let quiet = inbox.diunbox(["-q", "reconcile", &file, "--host", "edge-1"]).assert().success();
    quiet.stdout("").stderr("");
}
