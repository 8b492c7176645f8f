//! Running workloads and their images.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use crate::event::{Event, pod_owner};
use crate::image::{ImageName, unpinned};
use crate::inbox::labels::{Labelled, Labels};

/// Everything that the input says.
#[derive(Debug, Default)]
pub struct Running {
    /// The workloads.
    pub workloads: Vec<Workload>,
    /// What Diun knows, as events.
    pub listed: Vec<Event>,
    /// The labels of what Diun knows.
    pub labelled: Vec<Labelled>,
    /// The names of the pods.
    pods: BTreeSet<String>,
    /// What the pods belong to.
    owners: BTreeSet<String>,
    /// Whether there are workloads that say nothing of digests themselves.
    pub(super) needs_images: bool,
    pub(super) images: HashMap<String, Image>,
}

/// A container, service, task or a container of a pod.
#[derive(Clone, Debug, Default)]
pub struct Workload {
    /// The provider through which Diun would find it.
    pub provider: &'static str,
    /// What Diun would call it.
    pub name: String,
    /// The engine's id of it.
    pub id: String,
    /// The image's full name with its tag, if that is known.
    pub image: Option<String>,
    /// Every digest of what runs.
    pub digests: BTreeSet<String>,
    /// When the image was built, as the engine writes it.
    pub built: Option<String>,
    /// Whether its image was built or loaded here: it has no digest that a registry knows.
    pub is_local: bool,
    /// Whether digests can be those of other images of the same tag (Kubernetes).
    pub is_vague: bool,
    /// Whether it is stopped.
    pub is_stopped: bool,
    /// What the labels of its image say.
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
    /// Whether it says which digests it has.
    pub(super) has_repo_digests: bool,
}

impl Running {
    /// Adds the name of a pod.
    pub(super) fn add_pod(&mut self, name: &str) {
        self.owners.insert(pod_owner(name).to_owned());
        self.pods.insert(name.to_owned());
    }

    /// Whether a host is a Diun in one of these pods, or the pod that was there before it.
    pub(super) fn has_pod(&self, host: &str) -> bool {
        let owner = pod_owner(host);
        self.pods.contains(host) || owner != host && self.owners.contains(owner)
    }

    /// Gives each workload what is known of its image.
    pub(super) fn finish(&mut self) {
        // With containerd's store an image's id is a digest that registries know.
        let is_containerd = self.images.iter().any(|(id, image)| image.digests.contains(id));
        for workload in &mut self.workloads {
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

/// The digest behind `@`, or of a text that is one.
pub(super) fn digest(text: &str) -> Option<String> {
    let digest = text.rsplit_once('@').map_or(text, |(_, digest)| digest);
    digest.starts_with("sha256:").then(|| digest.to_owned())
}

/// An id with the `sha256:` that Podman leaves out.
pub(super) fn image_id(id: &str) -> String {
    if id.contains(':') { id.to_owned() } else { format!("sha256:{id}") }
}
