//! Pods, identified by their owner, because their own names change with each rollout.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde::Deserialize;

use super::running::{Running, Workload, digest, image_id, plain};
use crate::image::pinned_digest;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    namespace: String,
    name: String,
    owner_references: Vec<Owner>,
    labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Owner {
    kind: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct PodSpec {
    containers: Vec<Container>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Container {
    name: String,
    image: String,
    image_pull_policy: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodStatus {
    phase: String,
    container_statuses: Vec<Status>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    name: String,
    #[serde(rename = "imageID")]
    image_id: String,
    state: State,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct State {
    running: Option<Started>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Started {
    started_at: String,
}

/// Adds the containers of a pod. A pod that has ended runs nothing.
pub(super) fn take(metadata: &Metadata, spec: &PodSpec, status: &PodStatus, running: &mut Running) {
    if ["Succeeded", "Failed"].contains(&status.phase.as_str()) {
        return;
    }
    running.add_pod(&metadata.name);
    for container in &spec.containers {
        let status = status.container_statuses.iter().find(|status| status.name == container.name);
        let id = status.map(|status| status.image_id.as_str()).unwrap_or_default();
        let started = status.and_then(|status| status.state.running.as_ref());
        let started = started.and_then(|at| DateTime::parse_from_rfc3339(&at.started_at).ok());
        // A plain id is the image's configuration, not a digest that registries know.
        let pinned = [pinned_digest(&container.image), pinned_digest(id)];
        let digests = pinned.into_iter().flatten().filter_map(digest).collect();
        running.workloads.push(Workload {
            provider: "kubernetes",
            name: format!("{}/{}/{}", metadata.namespace, owner(metadata), container.name),
            id: format!("{}/{}/{}", metadata.namespace, metadata.name, container.name),
            image: plain(&container.image),
            digests,
            is_vague: true,
            pulled: started
                .map(|at| at.to_utc())
                .filter(|_| container.image_pull_policy == "Always"),
            image_id: if id.contains('@') { String::new() } else { image_id(id) },
            ..Workload::default()
        });
    }
}

/// The owner that users know: the Deployment, CronJob and so on.
fn owner(metadata: &Metadata) -> &str {
    let Some(owner) = metadata.owner_references.first() else { return &metadata.name };
    let less = |end: Option<&str>| {
        let base = end.and_then(|end| owner.name.strip_suffix(end)?.strip_suffix('-'));
        base.unwrap_or(&owner.name)
    };
    match owner.kind.as_str() {
        "ReplicaSet" => less(metadata.labels.get("pod-template-hash").map(String::as_str)),
        "Job" => {
            let last = owner.name.rsplit('-').next();
            less(last.filter(|last| last.bytes().all(|byte| byte.is_ascii_digit())))
        }
        _ => &owner.name,
    }
}
