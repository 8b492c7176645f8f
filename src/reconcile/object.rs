//! The fields that are read from the engines' JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::crictl::Container;
use super::kubernetes::{Metadata, PodSpec, PodStatus};

/// An object, or an array of objects.
pub(super) struct Document(pub(super) Vec<Object>);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Objects;
        impl<'de> Visitor<'de> for Objects {
            type Value = Document;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object or an array of objects")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Document, A::Error> {
                let mut objects = Vec::new();
                while let Some(object) = seq.next_element()? {
                    objects.push(object);
                }
                Ok(Document(objects))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Document, A::Error> {
                let object = Object::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Document(vec![object]))
            }
        }
        deserializer.deserialize_any(Objects)
    }
}

/// The fields of all shapes that matter. Those whose type differs between tools are values.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Object {
    #[serde(rename = "Id", alias = "id")]
    pub(super) id: Option<String>,
    #[serde(rename = "ID")]
    pub(super) upper_id: Option<String>,
    #[serde(rename = "Name")]
    pub(super) name: Option<String>,
    #[serde(rename = "Names")]
    pub(super) names: Option<Value>,
    #[serde(rename = "Image")]
    pub(super) image: Option<Value>,
    #[serde(rename = "ImageID")]
    pub(super) image_id: Option<String>,
    #[serde(rename = "ImageName")]
    pub(super) image_name: Option<String>,
    #[serde(rename = "ImageDigest")]
    pub(super) image_digest: Option<String>,
    #[serde(rename = "Digest")]
    pub(super) digest: Option<String>,
    #[serde(rename = "Descriptor")]
    pub(super) descriptor: Option<Descriptor>,
    #[serde(rename = "ImageManifestDescriptor")]
    pub(super) manifest: Option<Descriptor>,
    #[serde(rename = "RepoDigests", alias = "repoDigests")]
    pub(super) repo_digests: Option<Value>,
    #[serde(rename = "RepoTags", alias = "repoTags")]
    pub(super) repo_tags: Option<Value>,
    #[serde(rename = "Created")]
    pub(super) created: Option<Value>,
    #[serde(rename = "State")]
    pub(super) state: Option<Value>,
    #[serde(rename = "Config")]
    pub(super) config: Option<Config>,
    #[serde(rename = "Labels")]
    pub(super) labels: Option<Value>,
    #[serde(rename = "Spec")]
    pub(super) service: Option<ServiceSpec>,
    #[serde(rename = "ContainerName")]
    pub(super) compose: Option<String>,
    #[serde(rename = "CurrentState")]
    pub(super) task: Option<String>,
    #[serde(rename = "TaskGroup")]
    pub(super) allocation: Option<String>,
    #[serde(rename = "Runtime")]
    pub(super) runtime: Option<Value>,
    pub(super) kind: Option<String>,
    pub(super) items: Option<Vec<Object>>,
    pub(super) images: Option<Vec<Object>>,
    /// What `diun image inspect` prints; in what crictl prints it is something else.
    #[serde(rename = "image")]
    pub(super) inspected: Option<Value>,
    /// What Diun prints of a repository.
    #[serde(rename = "name")]
    pub(super) repository: Option<String>,
    pub(super) latest: Option<Value>,
    pub(super) containers: Option<Vec<Container>>,
    pub(super) metadata: Option<Metadata>,
    pub(super) spec: Option<PodSpec>,
    pub(super) status: Option<PodStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Descriptor {
    pub(super) digest: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    #[serde(rename = "Image")]
    pub(super) image: Option<String>,
    #[serde(rename = "Labels")]
    pub(super) labels: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct ServiceSpec {
    pub(super) name: String,
    pub(super) task_template: TaskTemplate,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct TaskTemplate {
    pub(super) container_spec: ContainerSpec,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct ContainerSpec {
    pub(super) image: String,
}
