//! `reconcile` with pods.

use serde_json::{Value, json};

use super::reconcile::{NEW, WEB, event, running, verdicts};
use crate::common::Inbox;

#[test]
fn a_cluster_is_known_by_the_pod_that_diun_runs_in() {
    let metadata =
        json!({"pod_name": "api-7d9f8b6c5-x2x4q", "pod_namespace": "shop", "ctn_name": "api"});
    let image = "registry.local:5000/acme/multi:2";
    let digest = "sha256:8f53aa68d49309bec9ae172fce498cd6f992f3d5657d6b4320cc3fa2832f59ae";
    let inbox = Inbox::new();
    // From a Diun that was replaced since, and from one of another cluster.
    for host in ["diun-5b8f7c6d9c-2xk4z", "watcher-5b8f7c6d9c-2xk4z"] {
        let mut event = event(image, digest, "kubernetes", &metadata);
        event["hostname"] = json!(host);
        inbox.take(&[event]);
    }
    let images = std::fs::read_to_string(running("crictl-images.json")).unwrap();
    let diun = json!({"containers": [{"image": {"image": "diun:4"}, "imageRef": "sha256:0", "labels": {
        "io.kubernetes.pod.name": "diun-5b8f7c6d9c-9wq7b", "io.kubernetes.pod.namespace": "x",
        "io.kubernetes.container.name": "diun"}}]});
    let containers = std::fs::read_to_string(running("crictl-ps.json")).unwrap();
    let input = format!("{containers}{diun}{images}");
    let report = inbox.diunbox(["reconcile", "--format", "json"]).write_stdin(input).assert();
    let report = report.success().get_output().stdout.clone();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let host = |place: &Value| place["hostname"].as_str().unwrap().to_owned();
    let places = report["places"].as_array().unwrap();
    assert!(places.iter().all(|place| host(place) == "diun-5b8f7c6d9c-2xk4z"), "{report}");
    // The other container of the pod has an image that no event announced.
    assert_eq!(verdicts(&report), ["shop/api/api done", "shop/api/api2 unknown"]);
}

#[test]
fn the_api_of_kubernetes_is_understood_as_kubectl_is() {
    let text = std::fs::read_to_string(running("kubernetes-pods.json")).unwrap();
    let mut list: Value = serde_json::from_str(&text).unwrap();
    let pod =
        json!({"pod_name": "api-7d9f8b6c5-x2x4q", "pod_namespace": "shop", "ctn_name": "api"});
    let verdicts = |list: &Value| {
        let inbox = Inbox::new();
        inbox.take(&[event(WEB, NEW, "kubernetes", &pod)]);
        let input = list.to_string();
        let arguments = ["reconcile", "--host", "edge-1", "--format", "json"];
        let output = inbox.diunbox(arguments).write_stdin(input).assert().success();
        verdicts(&serde_json::from_slice(&output.get_output().stdout).unwrap())
    };
    let expected = verdicts(&list);
    list["kind"] = json!("PodList");
    for item in list["items"].as_array_mut().unwrap() {
        item.as_object_mut().unwrap().remove("kind");
    }
    assert_eq!(verdicts(&list), expected);
}
