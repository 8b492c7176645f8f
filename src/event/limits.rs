//! Limits on the texts beside the image. A text that exceeds its limit is cut. Both engines can index what is left:
//! PostgreSQL stores no NUL, and limits the size of an index row.

use super::Event;

/// The longest field, in bytes.
const FIELD: usize = 256;
/// The longest link, in bytes.
const LINK: usize = 2_048;
/// The largest metadata: the bytes of all keys and values.
const METADATA: usize = 1024 * 1024;
/// The longest workload, in bytes. Together with the longest image, host and provider it has at most 2,000 bytes,
/// which every database can index.
const WORKLOAD: usize = 450;

/// Cuts fields that are too long, and removes NUL characters. Returns warnings about both.
pub fn apply(event: &mut Event) -> Vec<String> {
    let mut warnings = Vec::new();
    let fields = [
        ("diun_version", &mut event.diun_version, FIELD),
        ("hostname", &mut event.hostname, FIELD),
        ("status", &mut event.status, FIELD),
        ("provider", &mut event.provider, FIELD),
        ("hub_link", &mut event.hub_link, LINK),
        ("mime_type", &mut event.mime_type, FIELD),
        ("digest", &mut event.digest, FIELD),
        ("platform", &mut event.platform, FIELD),
    ];
    for (name, text, most) in fields {
        let nuls = text.matches('\0').count();
        let length = text.len() - nuls;
        fit(text, most);
        if nuls > 0 {
            warnings.push(format!("`{name}`: removed NUL characters"));
        }
        if length > most {
            warnings.push(format!("`{name}`: cut {length} bytes to {most}"));
        }
    }
    let length: usize = event.metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
    if length > METADATA {
        event.metadata.clear();
        warnings.push(format!("`metadata`: dropped {length} bytes; the limit is {METADATA}"));
    }
    warnings
}

/// A host's name, or another field, without NUL and within the limit.
pub fn field(mut text: String) -> String {
    fit(&mut text, FIELD);
    text
}

/// The same for a workload.
pub fn workload(mut text: String) -> String {
    fit(&mut text, WORKLOAD);
    text
}

fn fit(text: &mut String, most: usize) {
    if text.contains('\0') {
        text.retain(|character| character != '\0');
    }
    text.truncate(floor(text, most));
}

/// The end of the last whole character within `most` bytes.
fn floor(text: &str, most: usize) -> usize {
    (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0)
}
