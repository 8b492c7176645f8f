//! Containers in the output of `crictl ps`. Their digests are in the output of `crictl images`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::running::{Running, Workload, image_id, plain};
use crate::event::pod_owner;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Container {
    image: Image,
    /// The id of the image's configuration.
    image_ref: String,
    labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Image {
    /// The name in the pod, or an id.
    image: String,
}

/// Adds a container of a pod.
pub(super) fn take(container: &Container, running: &mut Running) {
    let label = |key: &str| {
        let value = container.labels.get(&format!("io.kubernetes.{key}"));
        value.map(String::as_str).unwrap_or_default()
    };
    let [namespace, pod, name] = ["pod.namespace", "pod.name", "container.name"].map(label);
    running.add_pod(pod);
    running.needs_images = true;
    running.workloads.push(Workload {
        provider: "kubernetes",
        name: format!("{namespace}/{}/{name}", pod_owner(pod)),
        id: format!("{namespace}/{pod}/{name}"),
        image: plain(&container.image.image),
        image_id: image_id(&container.image_ref),
        is_vague: true,
        ..Workload::default()
    });
}
