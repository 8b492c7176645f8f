//! Image names: Docker's short and full forms, patterns, and similar names.
//!
//! The rules are those of Docker's [image references](https://pkg.go.dev/github.com/distribution/reference):
//! `nginx` is `docker.io/library/nginx:latest`, and a first part with a dot or a colon, or
//! `localhost`, is a registry.

use glob::{MatchOptions, Pattern};

const HUB: &str = "docker.io/";
const OFFICIAL: &str = "docker.io/library/";
const LATEST: &str = ":latest";

/// The longest name, in bytes. Real names are shorter: 255 for the repository, 128 for the tag, and a digest. The
/// limit bounds the time and memory of patterns and suggestions.
const LONGEST: usize = 1024;

/// The full name of an image, as Docker normalises it. It is always valid.
///
/// ```
/// use diunbox::image::ImageName;
///
/// assert_eq!(ImageName::new(" nginx ").unwrap().as_str(), "docker.io/library/nginx:latest");
/// assert_eq!(ImageName::new("GHCR.io/acme/api:2.0").unwrap().as_str(), "ghcr.io/acme/api:2.0");
/// assert!(ImageName::new("nginx*").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageName(String);

impl ImageName {
    /// Reads a short or full name. White space around it is not part of it.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn new(name: &str) -> Result<Self, String> {
        let name = name.trim();
        let refuse = |reason: &str| {
            let start: String = name.chars().take(100).collect();
            Err(format!("\"{}\" is not an image name: {reason}", start.escape_debug()))
        };
        if name.is_empty() {
            return Err("an image name is missing or empty".to_owned());
        }
        if name.contains(|c: char| c.is_control() || c.is_whitespace() || "*?[]".contains(c)) {
            return refuse("it holds white space, control characters or one of * ? [ ]");
        }
        let full = full_name(name);
        if full.len() > LONGEST {
            return refuse("in full it is longer than 1,024 bytes");
        }
        if !full
            .split(['/', '@'])
            .all(|part| part.trim_matches(':').len() == part.len() && !part.is_empty())
        {
            return refuse("a part of it is empty");
        }
        Ok(Self(full))
    }

    /// The full name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digest in the name itself, as Swarm pins images.
    pub fn pinned_digest(&self) -> Option<&str> {
        pinned_digest(&self.0)
    }
}

impl std::fmt::Display for ImageName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The digest in an image's full name, if it has one.
pub fn pinned_digest(image: &str) -> Option<&str> {
    image.split_once('@').map(|(_, digest)| digest)
}

/// A name without its digest.
pub fn unpinned(image: &str) -> &str {
    image.split_once('@').map_or(image, |(name, _)| name)
}

/// The full name that Docker uses for a short one. The name is not validated.
///
/// ```
/// use diunbox::image::full_name;
///
/// assert_eq!(full_name("nginx"), "docker.io/library/nginx:latest");
/// assert_eq!(full_name("ghcr.io/acme/api:2.0"), "ghcr.io/acme/api:2.0");
/// ```
pub fn full_name(name: &str) -> String {
    let (registry, path) = match name.split_once('/') {
        Some((first, rest)) if is_registry(first) => (first.to_ascii_lowercase(), rest),
        _ => ("docker.io".to_owned(), name),
    };
    let registry = if registry == "index.docker.io" { "docker.io" } else { &registry };
    let library = if registry == "docker.io" && !path.contains('/') { "library/" } else { "" };
    let latest = if last_part(path).contains([':', '@']) { "" } else { LATEST };
    format!("{registry}/{library}{path}{latest}")
}

/// The short name that Docker shows for a full one.
///
/// ```
/// use diunbox::image::short_name;
///
/// assert_eq!(short_name("docker.io/library/nginx:1.27"), "nginx:1.27");
/// assert_eq!(short_name("docker.io/grafana/loki:3.0"), "grafana/loki:3.0");
/// assert_eq!(short_name("ghcr.io/acme/api:2.0"), "ghcr.io/acme/api:2.0");
/// ```
pub fn short_name(image: &str) -> &str {
    // The prefix stays if the rest would begin like a registry.
    let unambiguous = |short: &&str| match short.split_once('/') {
        Some((first, _)) => !is_registry(first),
        None => !short.is_empty(),
    };
    let official = image.strip_prefix(OFFICIAL).filter(|short| !short.contains('/'));
    official.or_else(|| image.strip_prefix(HUB)).filter(unambiguous).unwrap_or(image)
}

fn is_registry(part: &str) -> bool {
    part.eq_ignore_ascii_case("localhost") || part.contains(['.', ':'])
}

/// Whether a name is a pattern: it holds one of `* ? [`.
pub fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// A pattern over image names, in which `*` and `?` match slashes too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePattern(Pattern);

impl ImagePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A sentence about the first error, such as a `[` that is never closed.
    pub fn new(pattern: &str) -> Result<Self, String> {
        // As `*` matches slashes too, several stars in a row mean the same as one.
        let mut single = pattern.to_owned();
        while single.contains("**") {
            single = single.replace("**", "*");
        }
        if single.trim().is_empty() {
            return Err("a pattern is missing or empty".to_owned());
        }
        if single.len() > LONGEST {
            return Err(format!("a pattern has {LONGEST} bytes at most: give a shorter one"));
        }
        if single.contains(char::is_control) {
            return Err("a pattern with control characters matches no image".to_owned());
        }
        Pattern::new(&single).map(Self).map_err(|error| {
            format!("\"{}\" is not a pattern: {}", pattern.escape_debug(), error.msg)
        })
    }

    /// The pattern's text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether the image's full or short name matches.
    pub fn matches(&self, image: &str) -> bool {
        let options = MatchOptions { case_sensitive: true, ..MatchOptions::default() };
        self.0.matches_with(image, options) || self.0.matches_with(short_name(image), options)
    }
}

/// At most three names that are similar to an unknown one, best first: the same repository with another tag, then
/// the same last part elsewhere, then similar spelling.
pub fn suggestions<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = full_name(wanted);
    let names = names.into_iter().filter(|name| wanted.len().max(name.len()) <= LONGEST);
    let alike = strsim::normalized_damerau_levenshtein;
    let score = |name: &str| {
        let (ours, theirs) = (repository(&wanted), repository(name));
        if ours == theirs {
            2.0 + alike(&wanted, name)
        } else if last_part(ours) == last_part(theirs) {
            1.0 + alike(ours, theirs)
        } else {
            alike(short_name(ours), short_name(theirs))
        }
    };
    let scored = names.map(|name| (score(name), short_name(name)));
    let mut near: Vec<(f64, &str)> = scored.filter(|(score, _)| *score > 0.6).collect();
    near.sort_by(|(a, first), (b, second)| b.total_cmp(a).then_with(|| first.cmp(second)));
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// At most three names that are spelt like an unknown one.
pub fn alike<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let is_near = |name: &&str| strsim::normalized_damerau_levenshtein(wanted, name) > 0.5;
    names.filter(is_near).take(3).collect()
}

/// The end of a "not found" message, with the similar names.
pub fn did_you_mean(near: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = near.iter().map(|name| format!("\"{}\"", name.as_ref())).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => format!("; did you mean {one}?"),
        several => format!("; did you mean one of {}?", several.join(", ")),
    }
}

/// The name without its tag and digest.
pub fn repository(image: &str) -> &str {
    split(image).0
}

/// The tag, if the name has one.
pub fn tag(image: &str) -> Option<&str> {
    split(image).1
}

fn split(image: &str) -> (&str, Option<&str>) {
    let name = unpinned(image);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (name, None),
    }
}

fn last_part(repository: &str) -> &str {
    repository.rsplit('/').next().unwrap_or(repository)
}

#[cfg(test)]
#[path = "image/tests.rs"]
mod tests;
