//! Labels of images: version, source and changelog.

use std::collections::BTreeMap;

/// The labels of an image that diunbox uses. A missing label is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// The image's version: `org.opencontainers.image.version`.
    pub version: String,
    /// Where its source is: `org.opencontainers.image.source`.
    pub source: String,
    /// Where its changes are listed: the user's own `diun.metadata.changelog`.
    pub changelog: String,
}

/// The longest label, in bytes. Longer ones are ignored.
const LONGEST: usize = 2_048;

impl Labels {
    /// Picks the labels from all labels of an image or a container.
    pub fn of(labels: &BTreeMap<String, String>) -> Self {
        let get = |key: &str| {
            let value = labels.get(key).map(|value| value.trim());
            value.filter(|value| value.len() <= LONGEST).unwrap_or_default().replace('\0', "")
        };
        Self {
            version: get("org.opencontainers.image.version"),
            source: get("org.opencontainers.image.source"),
            changelog: get("diun.metadata.changelog"),
        }
    }

    /// Whether all labels are missing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The labels of one digest of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// The image.
    pub image: String,
    /// The digest.
    pub digest: String,
    /// Its labels.
    pub labels: Labels,
}
