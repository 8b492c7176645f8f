//! Resolves the image names and patterns that a user types.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, Read};

use chrono::Utc;
use serde::Deserialize;

use super::Error;
use crate::image::{ImageName, did_you_mean, is_pattern, suggestions};
use crate::inbox::query::{Query, Wanted};
use crate::inbox::update::State;
use crate::store::Store;

/// Maximum number of unknown names that get a suggestion, as each compares all images.
const MOST_SUGGESTIONS: usize = 20;

/// A word of the command line or of standard input that names images.
#[derive(Clone, Debug)]
pub(super) struct Word {
    text: String,
    /// Whether it was an argument. Only arguments can be patterns.
    is_typed: bool,
    /// The digest that was given with it.
    digest: Option<String>,
}

/// An image that exists, and the digest that was given with its name.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) name: ImageName,
    pub(super) digest: Option<String>,
}

/// The images that words name.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// The images that exist, each once, in the order of the words.
    pub(super) images: Vec<Found>,
    /// The words that name no image.
    pub(super) missing: Vec<Missing>,
}

/// A word that names no image.
#[derive(Debug)]
pub(super) struct Missing {
    /// The full name; `None` for a pattern or an invalid name.
    pub(super) name: Option<ImageName>,
    /// The message for the user.
    pub(super) message: String,
    /// The end of the message: suggestions.
    pub(super) suggestion: String,
}

/// The words, with `-` replaced by the names on standard input: separated by line ends or NUL, or lines of
/// `list --format ndjson` with their digests.
pub(super) fn read_words(words: &[String], null: bool) -> Result<Vec<Word>, Error> {
    let mut all = Vec::with_capacity(words.len());
    for word in words {
        if word != "-" {
            all.push(Word { text: word.clone(), is_typed: true, digest: None });
            continue;
        }
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map_err(Error::Names)?;
        let names: Vec<&str> =
            if null { text.split('\0').collect() } else { text.lines().collect() };
        all.extend(names.into_iter().filter(|name| !name.trim().is_empty()).map(listed));
    }
    Ok(all)
}

/// A name that another command printed.
fn listed(line: &str) -> Word {
    #[derive(Deserialize)]
    struct Line {
        event: Event,
    }
    #[derive(Deserialize)]
    struct Event {
        image: String,
        digest: String,
    }
    match serde_json::from_str::<Line>(line) {
        Ok(Line { event }) => {
            Word { text: event.image, is_typed: false, digest: Some(event.digest) }
        }
        Err(_) => Word { text: line.to_owned(), is_typed: false, digest: None },
    }
}

/// Finds the images that words name: names, names with a digest, and patterns. A pattern finds images in these
/// states.
pub(super) fn resolve(
    store: &dyn Store,
    words: &[Word],
    states: &[State],
) -> Result<Resolved, Error> {
    let known = known(store, words)?;
    let mut all: Option<Vec<String>> = None;
    let mut resolved = Resolved::default();
    let mut seen = HashSet::new();
    for word in words {
        let (found, name) = match names(word, &known) {
            Ok(Some(found)) => (vec![found], None),
            Ok(None) if is_pattern(&word.text) => (matching(store, &word.text, states)?, None),
            Ok(None) => (Vec::new(), ImageName::new(&word.text).ok()),
            Err(reason) => {
                let (message, suggestion) = (reason, String::new());
                resolved.missing.push(Missing { name: None, message, suggestion });
                continue;
            }
        };
        if found.is_empty() {
            let mut suggestion = String::new();
            if resolved.missing.len() < MOST_SUGGESTIONS {
                let all = match &mut all {
                    Some(all) => all,
                    unread => unread.insert(store.select_images(&Query::all(Utc::now()))?),
                };
                suggestion = suggest(&word.text, all);
            }
            let what = if is_pattern(&word.text) { "no image matches" } else { "no image" };
            let message = format!("{what} \"{}\"{suggestion}", word.text);
            resolved.missing.push(Missing { name, message, suggestion });
        }
        resolved.images.extend(found.into_iter().filter(|found| seen.insert(found.name.clone())));
    }
    Ok(resolved)
}

/// The names among the words that have an update.
fn known(store: &dyn Store, words: &[Word]) -> Result<BTreeSet<String>, Error> {
    let mut query = Query::all(Utc::now());
    for word in words.iter().filter(|word| !word.is_typed || !is_pattern(&word.text)) {
        let names = [Some(word.text.as_str()), split_digest(&word.text).map(|(name, _)| name)];
        query
            .images
            .extend(names.into_iter().flatten().filter_map(|name| Wanted::exact(name).ok()));
    }
    if query.images.is_empty() {
        return Ok(BTreeSet::new());
    }
    Ok(store.select_images(&query)?.into_iter().collect())
}

/// The image that a word names, if it exists. An update with exactly this name is preferred over one without the
/// digest.
fn names(word: &Word, known: &BTreeSet<String>) -> Result<Option<Found>, String> {
    if word.is_typed && is_pattern(&word.text) {
        return Ok(None);
    }
    let name = ImageName::new(&word.text)?;
    if known.contains(name.as_str()) {
        return Ok(Some(Found { name, digest: word.digest.clone() }));
    }
    let Some((name, digest)) = split_digest(&word.text) else { return Ok(None) };
    let name = ImageName::new(name)?;
    let digest = Some(digest.to_owned());
    Ok(known.contains(name.as_str()).then_some(Found { name, digest }))
}

fn split_digest(word: &str) -> Option<(&str, &str)> {
    word.trim().split_once('@')
}

fn matching(store: &dyn Store, pattern: &str, states: &[State]) -> Result<Vec<Found>, Error> {
    let mut query = Query { states: states.to_vec(), ..Query::all(Utc::now()) };
    query.images.push(Wanted::typed(pattern).map_err(Error::Message)?);
    query.sort = crate::inbox::query::Sort::Image;
    let images = store.select_images(&query)?;
    let found = images.iter().filter_map(|image| ImageName::new(image).ok());
    Ok(found.map(|name| Found { name, digest: None }).collect())
}

/// Suggestions for a word. A pattern must match a whole name, so the same pattern with a `*` before it is suggested
/// if that matches.
fn suggest(word: &str, all: &[String]) -> String {
    if !is_pattern(word) {
        return did_you_mean(&suggestions(word, all.iter().map(String::as_str)));
    }
    if word.starts_with('*') {
        return String::new();
    }
    let wider = format!("*{word}");
    let pattern = crate::image::ImagePattern::new(&wider);
    let fits = pattern.is_ok_and(|pattern| all.iter().any(|image| pattern.matches(image)));
    did_you_mean(if fits { std::slice::from_ref(&wider) } else { &[] })
}
