//! A made-up cluster: 40 pods and what else there is, on three hosts, by five providers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::common::{Inbox, event_with};

const HOSTS: [&str; 3] = ["edge-1", "edge-2", "edge-3"];

/// Where one workload of an image runs.
fn workload(index: usize) -> Value {
    let host = HOSTS[index % HOSTS.len()];
    let (provider, image, metadata) = match index {
        0..40 => (
            "kubernetes",
            format!("ghcr.io/acme/pod-{}:1", index % 8),
            json!({"pod_namespace": "shop", "pod_name": format!("pod-{index}"), "ctn_name": "main"}),
        ),
        40..46 => (
            "docker",
            format!("ghcr.io/acme/pod-{}:1", index % 2),
            json!({"ctn_names": format!("web-{index}")}),
        ),
        46..50 => {
            ("swarm", "ghcr.io/acme/svc:1".into(), json!({"ctn_name": format!("svc-{index}")}))
        }
        50..54 => (
            "nomad",
            "ghcr.io/acme/job:1".into(),
            json!({"job_name": "batch", "taskgroup_name": "g", "task_name": format!("t-{index}")}),
        ),
        _ => ("file", "ghcr.io/acme/file:1".into(), Value::Null),
    };
    event_with(&image, &json!({"hostname": host, "provider": provider, "metadata": metadata}))
}

fn cluster() -> (Inbox, Vec<Value>) {
    let inbox = Inbox::new();
    let events: Vec<Value> = (0..57).map(workload).collect();
    inbox.take(&events);
    (inbox, events)
}

fn images(events: &[Value], is_wanted: impl Fn(&Value) -> bool) -> BTreeSet<&str> {
    let wanted = events.iter().filter(|event| is_wanted(event));
    wanted.map(|event| event["image"].as_str().unwrap()).collect()
}

#[test]
fn host_and_provider_look_at_every_report_of_the_current_digest() {
    let (inbox, events) = cluster();
    for host in HOSTS {
        let listed = inbox.lines(["list", "-q", "--sort", "image", "--host", host]);
        let expected = images(&events, |event| event["hostname"] == host);
        assert_eq!(listed, expected.into_iter().collect::<Vec<_>>(), "{host}");
    }
    for provider in ["kubernetes", "docker", "swarm", "nomad", "file"] {
        let listed = inbox.lines(["list", "-q", "--sort", "image", "--provider", provider]);
        let expected = images(&events, |event| event["provider"] == provider);
        assert!(!listed.is_empty());
        assert_eq!(listed, expected.into_iter().collect::<Vec<_>>(), "{provider}");
        for host in HOSTS {
            let arguments =
                ["list", "-q", "--sort", "image", "--provider", provider, "--host", host];
            let expected =
                images(&events, |event| event["provider"] == provider && event["hostname"] == host);
            let listed = inbox.lines(arguments);
            assert_eq!(listed, expected.into_iter().collect::<Vec<_>>(), "{provider} on {host}");
        }
    }
}

#[test]
fn a_host_that_runs_only_an_earlier_digest_is_not_listed() {
    let (inbox, _) = cluster();
    let image = "ghcr.io/acme/pod-0:1";
    let newer =
        json!({"hostname": "edge-9", "digest": "sha256:02", "metadata": {"ctn_names": "n"}});
    inbox.take(&[event_with(image, &newer)]);
    assert_eq!(inbox.lines(["list", "-q", "--host", "edge-9"]), [image]);
    for host in HOSTS {
        assert!(!inbox.lines(["list", "-q", "--host", host]).contains(&image.to_owned()));
    }
    let update = inbox.json(["show", image]);
    assert_eq!(update["hosts"], json!(["edge-9"]));
    assert_eq!(update["workloads"], 1);
    let reports = update["reports"].as_array().unwrap();
    assert_eq!(reports.len(), 1 + 5 + 3);
    assert_eq!(reports.iter().filter(|report| report["current"] == true).count(), 1);
}

#[test]
fn json_counts_workloads_and_names_hosts() {
    let (inbox, events) = cluster();
    let listed = inbox.json(["list"]);
    let total =
        listed.as_array().unwrap().iter().map(|update| update["workloads"].as_u64().unwrap());
    assert_eq!(total.sum::<u64>(), 54);
    for update in listed.as_array().unwrap() {
        let of_image = |event: &&Value| event["image"] == update["event"]["image"];
        let hosts: BTreeSet<&str> = events
            .iter()
            .filter(of_image)
            .map(|event| event["hostname"].as_str().unwrap())
            .collect();
        assert_eq!(update["hosts"], json!(hosts));
    }
}
