//! Running workloads and their images.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use crate::event::{Event, limits, pod_owner};
use crate::image::{ImageName, unpinned};
use crate::inbox::labels::{Labelled, Labels};

/// The parsed input.
#[derive(Debug, Default)]
pub struct Running {
    /// The workloads.
    pub workloads: Vec<Workload>,
    /// The images in Diun's list, as events.
    pub listed: Vec<Event>,
    /// The labels in Diun's list.
    pub labelled: Vec<Labelled>,
    /// The names of the pods.
    pods: BTreeSet<String>,
    /// The owners of the pods.
    owners: BTreeSet<String>,
    /// Whether some workloads come without digests.
    pub(super) needs_images: bool,
    pub(super) images: HashMap<String, Image>,
}

/// A container, service, task or a container of a pod.
#[derive(Clone, Debug, Default)]
pub struct Workload {
    /// The provider through which Diun finds it.
    pub provider: &'static str,
    /// Its name in Diun's events.
    pub name: String,
    /// The engine's id.
    pub id: String,
    /// The image's full name with its tag, if that is known.
    pub image: Option<String>,
    /// All digests of the running image.
    pub digests: BTreeSet<String>,
    /// When the image was built, as the engine writes it.
    pub built: Option<String>,
    /// Whether its image was built or loaded locally, and so has no digest that a registry knows.
    pub is_local: bool,
    /// Whether the digests may belong to other images of the same tag (Kubernetes).
    pub is_vague: bool,
    /// Whether it is stopped.
    pub is_stopped: bool,
    /// The labels of its image.
    pub labels: Labels,
    /// When it was started, if it pulls its image at each start.
    pub pulled: Option<DateTime<Utc>>,
    /// The engine's id of the image.
    pub(super) image_id: String,
}

/// An image on the host.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    pub(super) digests: BTreeSet<String>,
    pub(super) names: Vec<String>,
    pub(super) built: Option<String>,
    pub(super) labels: Labels,
    /// Whether its digests are known.
    pub(super) has_repo_digests: bool,
}

impl Running {
    /// Adds the name of a pod.
    pub(super) fn add_pod(&mut self, name: &str) {
        self.owners.insert(pod_owner(name).to_owned());
        self.pods.insert(name.to_owned());
    }

    /// Whether a host is one of these pods, or a pod that one of them replaced.
    pub(super) fn has_pod(&self, host: &str) -> bool {
        let owner = pod_owner(host);
        self.pods.contains(host) || owner != host && self.owners.contains(owner)
    }

    /// Adds to each workload what is known about its image.
    pub(super) fn finish(&mut self) {
        // With the containerd image store, the id of an image is a digest that registries know.
        let is_containerd = self.images.iter().any(|(id, image)| image.digests.contains(id));
        for workload in &mut self.workloads {
            workload.name = limits::workload(std::mem::take(&mut workload.name));
            let id = std::mem::take(&mut workload.image_id);
            let image = self.images.get(&id);
            if is_containerd && !id.is_empty() {
                workload.digests.insert(id);
            }
            let Some(image) = image else { continue };
            workload.digests.extend(image.digests.iter().cloned());
            if workload.labels.is_empty() {
                workload.labels.clone_from(&image.labels);
            }
            workload.built.clone_from(&image.built);
            workload.is_local = !is_containerd && !image.has_repo_digests;
            if workload.image.is_none() {
                workload.image = image.names.first().cloned();
            }
        }
        self.images.clear();
    }
}

/// An image's full name without a scheme and a digest; `None` for an id.
pub(super) fn plain(image: &str) -> Option<String> {
    let image = image.split_once("://").map_or(image, |(_, image)| image);
    let name = unpinned(image);
    let is_id = name.starts_with("sha256:")
        || name.len() >= 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = ImageName::new(name).ok().filter(|_| !is_id)?;
    Some(name.as_str().to_owned())
}

/// The digest after `@`, or the text itself if it is a digest.
pub(super) fn digest(text: &str) -> Option<String> {
    let digest = text.rsplit_once('@').map_or(text, |(_, digest)| digest);
    digest.starts_with("sha256:").then(|| limits::field(digest.to_owned()))
}

/// An id with `sha256:`, which Podman leaves out.
pub(super) fn image_id(id: &str) -> String {
    if id.contains(':') { id.to_owned() } else { format!("sha256:{id}") }
}
