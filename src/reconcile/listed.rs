//! What Diun itself knows: `diun image list --raw` and `diun image inspect --raw`.

use serde::Deserialize;

use crate::event::Event;
use crate::image::ImageName;

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
}

impl Repository {
    /// Whether this is what Diun prints.
    pub(super) fn is_diuns(&self) -> bool {
        !self.name.is_empty() && (self.latest.is_some() || !self.manifests.is_empty())
    }

    /// An event for each tag. Diun's list says no host, provider, status and workload.
    pub(super) fn events(self) -> impl Iterator<Item = Event> {
        let name = self.name;
        self.latest.into_iter().chain(self.manifests).filter_map(move |manifest| {
            let image = ImageName::new(&format!("{name}:{}", manifest.tag)).ok()?;
            Some(Event {
                image: image.as_str().to_owned(),
                mime_type: manifest.mime_type,
                digest: manifest.digest,
                created: Some(manifest.created).filter(|created| !created.is_empty()),
                platform: manifest.platform,
                ..Event::default()
            })
        })
    }
}
