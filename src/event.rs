//! A Diun event: one notification, read from JSON or from the script notifier's environment.
//!
//! The JSON is what Diun's [webhook notifier](https://crazymax.dev/diun/notif/webhook/) sends,
//! the environment is what its [script notifier](https://crazymax.dev/diun/notif/script/) sets.

#[path = "event/lenient.rs"]
mod lenient;
#[path = "event/limits.rs"]
pub mod limits;
#[path = "event/pod.rs"]
mod pod;

pub(crate) use pod::pod_owner;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use chrono::{DateTime, FixedOffset};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::image::ImageName;

/// Go's zero time, in seconds since 1970.
const ZERO: i64 = -62_135_596_800;

/// Diun's metadata about the workload that runs an image. The keys depend on the provider.
pub type Metadata = BTreeMap<String, String>;

/// One notification of Diun: an image of this name has this digest now.
///
/// Only `image` is certain to be there. Texts that Diun left out or sent as `null` are empty.
///
/// ```
/// use diunbox::event::Event;
///
/// let event = Event::from_json(br#"{"image": "docker.io/library/nginx:1.27", "created": null}"#)?;
/// assert_eq!(event.image, "docker.io/library/nginx:1.27");
///
/// // A field that is not as expected never costs the event.
/// let (event, warnings) = Event::read(br#"{"image": "a", "metadata": {"team": 5}, "created": "-"}"#)?;
/// assert_eq!((event.metadata["team"].as_str(), event.created), ("5", None));
/// assert!(warnings[0].starts_with("`created`: dropped"));
/// # Ok::<(), diunbox::event::EventError>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The version of Diun that sent it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub diun_version: String,
    /// The host that Diun runs on, or the name it was given.
    #[serde(default, deserialize_with = "null_as_default")]
    pub hostname: String,
    /// `new` when Diun sees the image for the first time, `update` when its digest changed.
    #[serde(default, deserialize_with = "null_as_default")]
    pub status: String,
    /// Where Diun found the image: `docker`, `swarm`, `kubernetes`, `nomad`, `containerd`,
    /// `file`, `dockerfile`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub provider: String,
    /// The image's full name, such as `docker.io/library/nginx:1.27`. Events that were read have it
    /// validated and normalised.
    #[serde(default, deserialize_with = "null_as_default")]
    pub image: String,
    /// A web page about the image.
    #[serde(default, deserialize_with = "null_as_default")]
    pub hub_link: String,
    /// The media type of the image's manifest.
    #[serde(default, deserialize_with = "null_as_default")]
    pub mime_type: String,
    /// The manifest's digest, such as `sha256:…`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub digest: String,
    /// When the image was built, as RFC 3339 text.
    #[serde(default, deserialize_with = "created_from_json")]
    pub created: Option<String>,
    /// The image's platform, such as `linux/amd64`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub platform: String,
    /// What the provider and the user's `diun.metadata.*` labels say about the workload.
    #[serde(default, deserialize_with = "metadata_from_json")]
    pub metadata: Metadata,
}

/// An error in an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The input is not a JSON object.
    #[error("not a JSON event: {0}")]
    Syntax(String),
    /// The image name is missing or invalid.
    #[error("`image`: {0}")]
    Image(String),
    /// The variables of Diun's script notifier are missing.
    #[error("DIUN_ENTRY_IMAGE is not set: Diun's script notifier sets it for the command it runs")]
    NoEnvironment,
}

impl Event {
    /// Reads one event from JSON, without the warnings of [`Event::read`].
    ///
    /// # Errors
    /// When it is not a JSON object, or has no usable `image`.
    pub fn from_json(json: &[u8]) -> Result<Self, EventError> {
        Self::read(json).map(|(event, _)| event)
    }

    /// Reads one event from JSON, and warnings about fields that are not as Diun sends them: what can
    /// be kept is kept as text, the rest is dropped. Unknown fields are ignored.
    ///
    /// # Errors
    /// When it is not a JSON object, or has no usable `image`.
    pub fn read(json: &[u8]) -> Result<(Self, Vec<String>), EventError> {
        let json = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json);
        // serde would take an array for a list of the fields.
        if json.trim_ascii_start().first() != Some(&b'{') {
            return Err(EventError::Syntax("it does not start with {".to_owned()));
        }
        // Checking all bytes at once is faster than checking each text.
        let event = match std::str::from_utf8(json) {
            Ok(text) => serde_json::from_str::<Self>(text),
            Err(_) => serde_json::from_slice(json),
        };
        let (mut event, mut warnings) = match event {
            Ok(event) => (event, Vec::new()),
            Err(error) if error.is_data() => lenient::read(json)?,
            Err(error) => return Err(EventError::Syntax(error.to_string())),
        };
        warnings.extend(limits::apply(&mut event));
        Ok((event.checked()?, warnings))
    }

    /// Reads one event from the variables that Diun's script notifier sets for its command.
    /// Bytes that are not UTF-8 are replaced, as losing the event would be worse.
    ///
    /// # Errors
    /// If `DIUN_ENTRY_IMAGE` is missing, or is not a valid image name.
    pub fn from_env(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, EventError> {
        let mut event = Self::default();
        let mut found = false;
        for (name, value) in variables {
            let name = name.to_string_lossy();
            if !name.starts_with("DIUN_") {
                continue;
            }
            let value = value.to_string_lossy().into_owned();
            match name.as_ref() {
                "DIUN_VERSION" => event.diun_version = value,
                "DIUN_HOSTNAME" => event.hostname = value,
                "DIUN_ENTRY_STATUS" => event.status = value,
                "DIUN_ENTRY_PROVIDER" => event.provider = value,
                "DIUN_ENTRY_IMAGE" => {
                    found = true;
                    event.image = value;
                }
                "DIUN_ENTRY_HUBLINK" => event.hub_link = value,
                "DIUN_ENTRY_MIMETYPE" => event.mime_type = value,
                "DIUN_ENTRY_DIGEST" => event.digest = value,
                // An event with an invalid time is kept without it.
                "DIUN_ENTRY_CREATED" => event.created = lenient::created(&value).unwrap_or(None),
                "DIUN_ENTRY_PLATFORM" => event.platform = value,
                name => {
                    if let Some(key) = name.strip_prefix("DIUN_ENTRY_METADATA_") {
                        event.metadata.insert(key.to_lowercase(), value);
                    }
                }
            }
        }
        if !found {
            return Err(EventError::NoEnvironment);
        }
        limits::apply(&mut event);
        event.checked()
    }

    /// The container, pod, service or task that runs the image, by provider; empty where the
    /// provider knows none. Parts that are missing are left out.
    ///
    /// | provider | workload |
    /// | --- | --- |
    /// | docker | the container |
    /// | containerd | the container |
    /// | swarm | the service |
    /// | kubernetes | `namespace/owner/container`: the pods of a Deployment change their names |
    /// | nomad | `job/group/task` |
    /// | file, dockerfile | none |
    pub fn workload(&self) -> String {
        let get = |key: &str| self.metadata.get(key).map_or("", String::as_str);
        let first = |keys: &[&str]| {
            keys.iter().map(|key| get(key)).find(|name| !name.is_empty()).unwrap_or_default()
        };
        let path = |parts: &[&str]| {
            parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
        };
        let owner = pod_owner(get("pod_name"));
        let pod = || path(&[get("pod_namespace"), owner, get("ctn_name")]);
        let task =
            || path(&[first(&["job_name", "job_id"]), get("taskgroup_name"), get("task_name")]);
        let workload = match self.provider.as_str() {
            "file" | "dockerfile" => String::new(),
            "swarm" => first(&["ctn_name", "svc_id"]).to_owned(),
            "kubernetes" => pod(),
            "nomad" => task(),
            _ if !get("pod_name").is_empty() => pod(),
            _ if !get("task_name").is_empty() => task(),
            _ => first(&["ctn_names", "ctn_name", "ctn_id", "svc_id"]).to_owned(),
        };
        limits::workload(workload)
    }

    fn checked(mut self) -> Result<Self, EventError> {
        let image = ImageName::new(&self.image).map_err(EventError::Image)?;
        image.as_str().clone_into(&mut self.image);
        Ok(self)
    }
}

/// Parses RFC 3339 text. Go's zero time, with or without a fraction, means that the time is unknown.
///
/// # Errors
/// When the text is not an RFC 3339 time.
pub fn parse_created(text: &str) -> Result<Option<DateTime<FixedOffset>>, chrono::ParseError> {
    if text.is_empty() {
        return Ok(None);
    }
    let time = DateTime::parse_from_rfc3339(text)?;
    Ok((time.timestamp() != ZERO).then_some(time))
}

fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn created_from_json<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text: String = null_as_default(deserializer)?;
    let created = parse_created(&text).map_err(serde::de::Error::custom)?;
    Ok(created.map(|_| text))
}

fn metadata_from_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Metadata, D::Error> {
    deserializer.deserialize_option(MetadataVisitor)
}

/// Reads metadata, in which a value may be `null` too.
struct MetadataVisitor;

impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = Metadata;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_none<E>(self) -> Result<Metadata, E> {
        Ok(Metadata::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Metadata, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
        let mut metadata = Metadata::new();
        while let Some((key, value)) = map.next_entry::<_, Option<String>>()? {
            metadata.insert(key, value.unwrap_or_default());
        }
        Ok(metadata)
    }
}

#[cfg(test)]
#[path = "event/tests.rs"]
mod tests;
