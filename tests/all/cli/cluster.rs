//! A made-up cluster: 40 pods and other workloads on three hosts, from five providers.

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
            json!({"pod_namespace": "shop", "pod_name": format!("pod{index}-x2x4q"), "ctn_name": "main"}),
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
fn host_and_provider_look_at_every_place() {
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
fn a_host_that_runs_an_earlier_digest_is_listed_until_it_is_done() {
    let (inbox, events) = cluster();
    let image = "ghcr.io/acme/pod-0:1";
    let newer =
        json!({"hostname": "edge-9", "digest": "sha256:02", "metadata": {"ctn_names": "n"}});
    inbox.take(&[event_with(image, &newer)]);
    let hosts = images_hosts(&events, image);
    let mut expected: Vec<&str> = hosts.iter().copied().collect();
    expected.push("edge-9");
    let update = inbox.json(["show", image]);
    assert_eq!(update["hosts"], json!(expected));
    assert_eq!((&update["places"], &update["needed"]), (&json!(9), &json!(9)));
    for host in expected {
        assert!(inbox.lines(["list", "-q", "--host", host]).contains(&image.to_owned()), "{host}");
        inbox.output(["ack", "--host", host, image]);
        assert!(!inbox.lines(["list", "-q", "--host", host]).contains(&image.to_owned()), "{host}");
    }
    assert_eq!(inbox.json(["show", image])["state"], "acknowledged");
}

fn images_hosts<'a>(events: &'a [Value], image: &str) -> BTreeSet<&'a str> {
    let of_image = events.iter().filter(|event| event["image"] == image);
    of_image.map(|event| event["hostname"].as_str().unwrap()).collect()
}

#[test]
fn json_counts_places_and_names_hosts() {
    let (inbox, events) = cluster();
    let listed = inbox.json(["list"]);
    let total = listed.as_array().unwrap().iter().map(|update| update["places"].as_u64().unwrap());
    assert_eq!(total.sum::<u64>(), 57);
    for update in listed.as_array().unwrap() {
        let hosts = images_hosts(&events, update["event"]["image"].as_str().unwrap());
        assert_eq!(update["hosts"], json!(hosts));
    }
}
