//! A Diun event: one notification, read from JSON or from the script notifier's environment.
//!
//! The JSON is what Diun's [webhook notifier](https://crazymax.dev/diun/notif/webhook/) sends,
//! the environment is what its [script notifier](https://crazymax.dev/diun/notif/script/) sets.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use chrono::{DateTime, FixedOffset, SecondsFormat};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::image::ImageName;

/// What Diun says about the workload that runs an image; the keys differ by provider.
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
/// let error = Event::from_json(br#"{"image": "a", "metadata": {"ctn_id": 5}}"#).unwrap_err();
/// assert!(error.to_string().starts_with("`metadata.ctn_id`: invalid type: integer `5`"));
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

/// Why something is not an event. The message names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// A field, or the whole, is not of the type that Diun sends.
    #[error("`{field}`: {reason}")]
    Field {
        /// The path of the field, such as `metadata.ctn_id`.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What was given is no JSON object.
    #[error("not a JSON event: {0}")]
    Syntax(String),
    /// There is no image name, or one that no image can have.
    #[error("`image`: {0}")]
    Image(String),
    /// The environment is not the script notifier's.
    #[error("DIUN_ENTRY_IMAGE is not set: Diun's script notifier sets it for the command it runs")]
    NoEnvironment,
}

impl Event {
    /// Reads one event from JSON. Unknown fields are ignored.
    ///
    /// # Errors
    /// When it is no JSON object, a field is of the wrong type, or `image` is empty.
    pub fn from_json(json: &[u8]) -> Result<Self, EventError> {
        // serde would take an array for a list of the fields.
        if json.trim_ascii_start().first() != Some(&b'{') {
            return Err(EventError::Syntax("it does not start with {".to_owned()));
        }
        // Checked at once, and not text by text.
        let event = match std::str::from_utf8(json) {
            Ok(text) => serde_json::from_str::<Self>(text),
            Err(_) => serde_json::from_slice(json),
        };
        event.map_err(|error| explain(json, &error))?.checked()
    }

    /// Reads one event from the variables that Diun's script notifier sets for its command.
    /// Bytes that are not UTF-8 are replaced, as losing the event would be worse.
    ///
    /// # Errors
    /// When `DIUN_ENTRY_IMAGE` is missing or empty, or `DIUN_ENTRY_CREATED` is no time.
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
                "DIUN_ENTRY_CREATED" => {
                    event.created = created_from_go(&value)
                        .map_err(|reason| EventError::Field { field: name.into_owned(), reason })?;
                }
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
        match self.provider.as_str() {
            "file" | "dockerfile" => String::new(),
            "swarm" => first(&["ctn_name", "svc_id"]).to_owned(),
            "kubernetes" => pod(),
            "nomad" => task(),
            _ if !get("pod_name").is_empty() => pod(),
            _ if !get("task_name").is_empty() => task(),
            _ => first(&["ctn_names", "ctn_name", "ctn_id", "svc_id"]).to_owned(),
        }
    }

    fn checked(mut self) -> Result<Self, EventError> {
        let image = ImageName::new(&self.image).map_err(EventError::Image)?;
        image.as_str().clone_into(&mut self.image);
        Ok(self)
    }
}

/// What owns a pod, guessed from the pod's name: a StatefulSet appends a number, others five characters
/// of an alphabet of their own, after the hash of a ReplicaSet or the time of a CronJob.
fn pod_owner(pod: &str) -> &str {
    let is_random =
        |text: &str| text.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((base, end)) = pod.rsplit_once('-') else { return pod };
    if end.len() == 5 && is_random(end) {
        match base.rsplit_once('-') {
            Some((owner, hash))
                if (8..=10).contains(&hash.len()) && (is_random(hash) || is_number(hash)) =>
            {
                owner
            }
            _ => base,
        }
    } else if !end.is_empty() && is_number(end) {
        base
    } else {
        pod
    }
}

/// Parses RFC 3339 text, and tells Go's zero time, which stands for "not known", from a time.
///
/// # Errors
/// When the text is no RFC 3339 time.
pub fn parse_created(text: &str) -> Result<Option<DateTime<FixedOffset>>, chrono::ParseError> {
    let zero = text.is_empty() || text == "0001-01-01T00:00:00Z";
    if zero { Ok(None) } else { DateTime::parse_from_rfc3339(text).map(Some) }
}

/// Go's `time.Time.String()`, such as `2020-03-26 12:23:56.1 +0000 UTC`, as RFC 3339.
fn created_from_go(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() || text == "<nil>" {
        return Ok(None);
    }
    let time = DateTime::parse_and_remainder(text, "%Y-%m-%d %H:%M:%S%.f %z")
        .map(|(time, _zone_name)| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
        .or_else(|_| Ok(text.to_owned()))
        .and_then(|time| DateTime::parse_from_rfc3339(&time).map(|_| time))
        .map_err(|error| format!("\"{}\" is no time: {error}", text.escape_debug()))?;
    Ok((time != "0001-01-01T00:00:00Z").then_some(time))
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
    let created = parse_created(&text).map_err(|error| {
        serde::de::Error::custom(format_args!(
            "\"{}\" is no RFC 3339 time: {error}",
            text.escape_debug()
        ))
    })?;
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

/// Parses once more, only to find the field that is wrong: good events do not pay for it.
fn explain(json: &[u8], error: &serde_json::Error) -> EventError {
    if !error.is_data() {
        return EventError::Syntax(error.to_string());
    }
    let deserializer = &mut serde_json::Deserializer::from_slice(json);
    match serde_path_to_error::deserialize::<_, Event>(deserializer) {
        Err(error) if error.path().iter().next().is_some() => {
            EventError::Field { field: error.path().to_string(), reason: error.inner().to_string() }
        }
        _ => EventError::Syntax(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> String {
        Event::from_json(json.as_bytes()).unwrap_err().to_string()
    }

    fn created(json: &str) -> Option<String> {
        Event::from_json(format!(r#"{{"image":"a","created":{json}}}"#).as_bytes()).unwrap().created
    }

    fn environment(variables: &[(&str, &str)]) -> Result<Event, EventError> {
        Event::from_env(variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn everything_but_the_image_may_be_missing_empty_or_null() {
        let bare = Event { image: "docker.io/library/a:latest".into(), ..Event::default() };
        assert_eq!(Event::from_json(br#"{"image":"a"}"#), Ok(bare.clone()));
        let nulls = br#"{"diun_version":null,"hostname":null,"status":null,"provider":null,"image":"a",
            "hub_link":null,"mime_type":null,"digest":null,"created":null,"platform":null,"metadata":null}"#;
        assert_eq!(Event::from_json(nulls), Ok(bare.clone()));
        assert_eq!(
            Event::from_json(br#"{"image":"a","created":"","metadata":{},"new":[{}]}"#),
            Ok(bare)
        );
    }

    #[test]
    fn an_event_without_an_image_is_refused() {
        for json in [r"{}", r#"{"image":""}"#, r#"{"image":null}"#] {
            assert!(
                error(json).starts_with("`image`: an image name is missing or empty"),
                "{json}"
            );
        }
    }

    #[test]
    fn a_wrong_type_names_its_field() {
        for field in [
            "diun_version",
            "hostname",
            "status",
            "provider",
            "image",
            "hub_link",
            "mime_type",
            "digest",
            "created",
            "platform",
            "metadata",
        ] {
            let message = error(&format!(r#"{{"{field}":7}}"#));
            assert!(
                message.starts_with(&format!("`{field}`: invalid type: integer `7`")),
                "{message}"
            );
        }
        assert!(
            error(r#"{"image":"a","metadata":{"ctn_id":5}}"#).starts_with("`metadata.ctn_id`: ")
        );
        assert!(
            error(r#"{"image":"a","created":"yesterday"}"#)
                .starts_with("`created`: \"yesterday\" is no")
        );
        for json in ["[]", "7", "", r#"{"image":"#] {
            assert!(error(json).starts_with("not a JSON event: "), "{json}");
        }
    }

    #[test]
    fn created_is_kept_as_sent_and_the_zero_time_is_missing() {
        for text in
            ["2020-03-26T12:23:56Z", "2026-11-23T21:45:52.4427Z", "2026-11-23T21:45:52+02:00"]
        {
            assert_eq!(created(&format!("\"{text}\"")).as_deref(), Some(text));
        }
        for json in ["null", "\"\"", "\"0001-01-01T00:00:00Z\""] {
            assert_eq!(created(json), None, "{json}");
        }
    }

    #[test]
    fn the_script_notifiers_environment_gives_the_same_event_as_json() {
        let event = environment(&[
            ("HOME", "/root"),
            ("DIUN_VERSION", "4.33.0"),
            ("DIUN_HOSTNAME", "edge-1"),
            ("DIUN_ENTRY_STATUS", "new"),
            ("DIUN_ENTRY_PROVIDER", "docker"),
            ("DIUN_ENTRY_IMAGE", "docker.io/library/nginx:1.27"),
            ("DIUN_ENTRY_HUBLINK", "https://hub.docker.com/_/nginx"),
            ("DIUN_ENTRY_MIMETYPE", "application/json"),
            ("DIUN_ENTRY_DIGEST", "sha256:00"),
            ("DIUN_ENTRY_CREATED", "2020-03-26 12:23:56.44 +0000 UTC"),
            ("DIUN_ENTRY_PLATFORM", "linux/arm64"),
            ("DIUN_ENTRY_METADATA_CTN_NAMES", "web"),
        ]);
        let json = br#"{"diun_version":"4.33.0","hostname":"edge-1","status":"new","provider":"docker",
            "image":"docker.io/library/nginx:1.27","hub_link":"https://hub.docker.com/_/nginx",
            "mime_type":"application/json","digest":"sha256:00","created":"2020-03-26T12:23:56.440Z",
            "platform":"linux/arm64","metadata":{"ctn_names":"web"}}"#;
        assert_eq!(event, Event::from_json(json));
    }

    #[test]
    fn the_environments_created_is_gos_text_form() {
        let created = |text| {
            environment(&[("DIUN_ENTRY_IMAGE", "a"), ("DIUN_ENTRY_CREATED", text)])
                .map(|e| e.created)
        };
        assert_eq!(
            created("2020-03-26 12:23:56 +0000 UTC"),
            Ok(Some("2020-03-26T12:23:56Z".into()))
        );
        assert_eq!(
            created("2020-03-26 12:23:56 +0100 CET m=+0.1"),
            Ok(Some("2020-03-26T12:23:56+01:00".into()))
        );
        for nothing in ["<nil>", "", "0001-01-01 00:00:00 +0000 UTC"] {
            assert_eq!(created(nothing), Ok(None), "{nothing}");
        }
        assert!(
            created("soon").unwrap_err().to_string().starts_with("`DIUN_ENTRY_CREATED`: \"soon\"")
        );
        // RFC 3339 has no such years, so the event could not be read from its own JSON.
        for never in ["-0004-01-01 00:00:00 +0000 UTC", "+10000-01-01 00:00:00 +0000 UTC"] {
            assert!(created(never).is_err(), "{never}");
        }
        assert_eq!(environment(&[("HOME", "/")]), Err(EventError::NoEnvironment));
        assert!(matches!(environment(&[("DIUN_ENTRY_IMAGE", "")]), Err(EventError::Image(_))));
    }

    #[test]
    fn each_provider_names_its_workload() {
        let workload = |provider: &str, metadata: &[(&str, &str)]| {
            let metadata = metadata.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
            Event { provider: provider.into(), metadata, ..Event::default() }.workload()
        };
        assert_eq!(workload("docker", &[("ctn_names", "api-0"), ("ctn_id", "03")]), "api-0");
        assert_eq!(workload("containerd", &[("ctn_name", "api"), ("ctn_id", "03")]), "api");
        assert_eq!(workload("swarm", &[("svc_id", "x1"), ("ctn_name", "web")]), "web");
        for (pod, owner) in [
            ("api-7d9f8b6c5-x2x4q", "api"),
            ("api-gateway-7d9f8b6c5b-x2x4q", "api-gateway"),
            ("agent-x2x4q", "agent"),
            ("db-0", "db"),
            ("backup-29391840-x2x4q", "backup"),
            ("shop-redis", "shop-redis"),
            ("web", "web"),
            ("-", "-"),
            ("", ""),
        ] {
            assert_eq!(pod_owner(pod), owner);
        }
        let pod = [("pod_namespace", "prod"), ("pod_name", "api-7f"), ("ctn_name", "api")];
        assert_eq!(workload("kubernetes", &pod), "prod/api-7f/api");
        assert_eq!(workload("kubernetes", &pod[1..2]), "api-7f");
        let task = [("job_name", "shop"), ("taskgroup_name", "web"), ("task_name", "nginx")];
        assert_eq!(workload("nomad", &task), "shop/web/nginx");
        assert_eq!(workload("file", &[("ctn_names", "x")]), "");
        assert_eq!(workload("podman", &[("ctn_names", "db")]), "db");
        assert_eq!(workload("k3s", &pod), "prod/api-7f/api");
        assert_eq!(workload("", &[]), "");
    }
}
