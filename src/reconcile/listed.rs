//! The output of `diun image list --raw` and `diun image inspect --raw`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::event::{Event, limits};
use crate::image::ImageName;
use crate::inbox::labels::Labels;

/// A repository, with the tag that was built last or with all of its tags.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Repository {
    name: String,
    latest: Option<Manifest>,
    manifests: Vec<Manifest>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Manifest {
    tag: String,
    mime_type: String,
    digest: String,
    created: String,
    platform: String,
    labels: BTreeMap<String, String>,
}

impl Repository {
    /// Whether this is what Diun prints.
    pub(super) fn is_diuns(&self) -> bool {
        !self.name.is_empty() && (self.latest.is_some() || !self.manifests.is_empty())
    }

    /// An event for each tag, and its labels. Diun's list has no host, provider, status and workload.
    pub(super) fn events(self) -> impl Iterator<Item = (Event, Labels)> {
        let name = self.name;
        self.latest.into_iter().chain(self.manifests).filter_map(move |manifest| {
            let image = ImageName::new(&format!("{name}:{}", manifest.tag)).ok()?;
            let mut event = Event {
                image: image.as_str().to_owned(),
                mime_type: manifest.mime_type,
                digest: manifest.digest,
                created: Some(manifest.created).filter(|created| !created.is_empty()),
                platform: manifest.platform,
                ..Event::default()
            };
            limits::apply(&mut event);
            Some((event, Labels::of(&manifest.labels)))
        })
    }
}
