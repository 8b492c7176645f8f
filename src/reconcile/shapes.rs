//! Parses the JSON of the engines' tools, which is recognised by its shape. Only the needed fields are kept, as
//! `docker inspect` prints secrets.

use std::collections::BTreeSet;
use std::io::Read;

use serde::Deserialize;
use serde_json::{Value, json};

use super::crictl;
use super::kubernetes;
use super::listed::Repository;
use super::object::{Document, Object};
use super::running::{Image, Running, Workload, digest, image_id, plain};
use crate::image::pinned_digest;
use crate::inbox::labels::{Labelled, Labels};

/// The advice for input that is not recognised.
const KNOWN: &str = "give what docker inspect, podman inspect, docker service inspect, kubectl get \
    pods -A -o json, crictl images -o json or diun image list --raw prints";

/// The states of a container that is stopped.
const STOPPED: [&str; 3] = ["created", "exited", "dead"];

/// The reason why an input cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not JSON, or not of a known shape.
    #[error("this is not a list of running workloads: {0}; {KNOWN}")]
    Shape(#[from] serde_json::Error),
    /// The tool is known, but does not print digests.
    #[error("{0} prints no digests; {KNOWN}")]
    NoDigests(&'static str),
    /// It is JSON of an unknown shape.
    #[error("this is not a list of running workloads; {KNOWN}")]
    Unknown,
}

/// Parses documents one after another: objects and arrays of objects, in any order.
///
/// # Errors
/// When one of them is not known; nothing should be concluded from the others then.
fn read(input: impl Read, running: &mut Running) -> Result<(), ReadError> {
    for document in serde_json::Deserializer::from_reader(input).into_iter::<Document>() {
        for object in document?.0 {
            take(object, running)?;
        }
    }
    Ok(())
}

impl Running {
    /// Parses inputs. Each may contain containers and images in any order.
    ///
    /// # Errors
    /// When one of them is not known; nothing should be concluded from the others then.
    pub fn read_all<R: Read>(inputs: impl IntoIterator<Item = R>) -> Result<Self, ReadError> {
        let mut running = Self::default();
        for input in inputs {
            read(input, &mut running)?;
        }
        if running.needs_images && running.images.is_empty() {
            return Err(ReadError::NoDigests("crictl ps alone"));
        }
        running.finish();
        Ok(running)
    }
}

fn take(object: Object, running: &mut Running) -> Result<(), ReadError> {
    if object.kind.is_some() {
        return take_kubernetes(object, running);
    }
    if let (Some(name), Some(latest)) = (&object.repository, &object.latest) {
        return take_listed(json!({ "name": name, "latest": latest }), running);
    }
    let inspected = object.inspected.as_ref();
    if let Some(inspected) = inspected.filter(|found| found.get("manifests").is_some()) {
        return take_listed(inspected.clone(), running);
    }
    if let Some(images) = object.images {
        return images.into_iter().try_for_each(|image| take(image, running));
    }
    if let Some(containers) = object.containers {
        for container in &containers {
            crictl::take(container, running);
        }
        return Ok(());
    }
    if object.repo_digests.is_some() || object.repo_tags.is_some() {
        take_image(&object, running);
        return Ok(());
    }
    if let Some(service) = object.service {
        let image = &service.task_template.container_spec.image;
        running.workloads.push(Workload {
            provider: "swarm",
            name: service.name,
            id: object.upper_id.or(object.id).unwrap_or_default(),
            image: plain(image),
            digests: digest(image).into_iter().collect(),
            ..Workload::default()
        });
        return Ok(());
    }
    for (is_known, tool) in [
        (object.compose.is_some(), "docker compose images"),
        (object.task.is_some(), "docker service ps"),
        (object.allocation.is_some(), "nomad alloc status"),
        (object.runtime.as_ref().is_some_and(Value::is_object), "ctr containers"),
        (matches!(object.names, Some(Value::String(_))), "docker ps"),
    ] {
        if is_known {
            return Err(ReadError::NoDigests(tool));
        }
    }
    take_container(&object, running)
}

fn take_kubernetes(object: Object, running: &mut Running) -> Result<(), ReadError> {
    match (object.kind.as_deref(), object.items) {
        // In a list of one kind, the API leaves out the kind of each item.
        (Some("PodList"), Some(items)) => items.into_iter().try_for_each(|mut item| {
            item.kind = Some("Pod".to_owned());
            take(item, running)
        }),
        (Some(kind), Some(items)) if kind.ends_with("List") => {
            items.into_iter().try_for_each(|item| take(item, running))
        }
        (Some("Pod"), _) => {
            let (spec, status) =
                (object.spec.unwrap_or_default(), object.status.unwrap_or_default());
            kubernetes::take(&object.metadata.unwrap_or_default(), &spec, &status, running);
            Ok(())
        }
        _ => Err(ReadError::Unknown),
    }
}

/// What Diun knows.
fn take_listed(repository: Value, running: &mut Running) -> Result<(), ReadError> {
    let repository = Repository::deserialize(repository)?;
    if !repository.is_diuns() {
        return Err(ReadError::Unknown);
    }
    for (event, labels) in repository.events() {
        if !labels.is_empty() {
            let (image, digest) = (event.image.clone(), event.digest.clone());
            running.labelled.push(Labelled { image, digest, labels });
        }
        running.listed.push(event);
    }
    Ok(())
}

fn take_image(object: &Object, running: &mut Running) {
    let repo_digests = texts(object.repo_digests.as_ref());
    let mut image = Image {
        has_repo_digests: !repo_digests.is_empty(),
        digests: repo_digests.iter().filter_map(|text| digest(text)).collect(),
        labels: config_labels(object),
        names: texts(object.repo_tags.as_ref()).iter().filter_map(|name| plain(name)).collect(),
        // A time in whole seconds does not identify a build, but is still a date.
        built: object.created.as_ref().and_then(Value::as_str).map(str::to_owned),
    };
    image.digests.extend(object.digest.as_deref().and_then(digest));
    image.digests.extend(object.descriptor.as_ref().and_then(|found| digest(&found.digest)));
    let id = object.id.as_deref().unwrap_or_default();
    running.images.insert(image_id(id), image);
}

fn take_container(object: &Object, running: &mut Running) -> Result<(), ReadError> {
    let names = texts(object.names.as_ref());
    let name = object.name.as_deref().or(names.first().map(String::as_str));
    let image = object.image.as_ref().and_then(Value::as_str);
    let (Some(id), Some(name), Some(image)) = (&object.id, name, image) else {
        return Err(ReadError::Unknown);
    };
    let config = object.config.as_ref();
    let own = config.and_then(|config| config.labels.as_ref());
    let state = object.state.as_ref();
    let state = state.and_then(|state| state.as_str().or_else(|| state["Status"].as_str()));
    let label = |key: &str| {
        let listed = object.labels.as_ref().and_then(|labels| labels[key].as_str());
        own.and_then(|labels| labels.get(key)).map(String::as_str).or(listed).unwrap_or_default()
    };
    if !label("nerdctl/name").is_empty() {
        return Err(ReadError::NoDigests("nerdctl"));
    }
    let typed = config.and_then(|config| config.image.as_deref());
    let typed = typed.or(object.image_name.as_deref()).unwrap_or(image);
    // `Image` is an id in what inspect prints, and a name in the API's list.
    let engine_id = object.image_id.as_deref().unwrap_or(image);
    let mut digests: BTreeSet<String> = pinned_digest(typed).and_then(digest).into_iter().collect();
    digests.extend(object.image_digest.as_deref().and_then(digest));
    digests.extend(object.manifest.as_ref().and_then(|found| digest(&found.digest)));
    let mut workload = Workload {
        provider: "docker",
        name: name.trim_start_matches('/').to_owned(),
        id: id.clone(),
        image: plain(typed),
        digests,
        image_id: image_id(engine_id),
        is_stopped: state.is_some_and(|state| STOPPED.contains(&state)),
        labels: config_labels(object),
        ..Workload::default()
    };
    let nomad = ["job_name", "task_group_name", "task_name"]
        .map(|key| label(&format!("com.hashicorp.nomad.{key}")));
    if !label("com.docker.swarm.service.name").is_empty() {
        workload.provider = "swarm";
        label("com.docker.swarm.service.name").clone_into(&mut workload.name);
        label("com.docker.swarm.service.id").clone_into(&mut workload.id);
    } else if nomad.iter().all(|part| !part.is_empty()) {
        workload.provider = "nomad";
        workload.name = nomad.join("/");
    }
    running.workloads.push(workload);
    Ok(())
}

/// What the labels of a container or an image say.
fn config_labels(object: &Object) -> Labels {
    let labels = object.config.as_ref().and_then(|config| config.labels.as_ref());
    labels.map(Labels::of).unwrap_or_default()
}

/// The texts of an array.
fn texts(value: Option<&Value>) -> Vec<String> {
    let values = value.and_then(Value::as_array).into_iter().flatten();
    values.filter_map(Value::as_str).map(str::to_owned).collect()
}
