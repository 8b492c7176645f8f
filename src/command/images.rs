//! The images that a user's words stand for.

use std::collections::HashSet;
use std::io::{self, Read};

use super::Error;
use crate::image::{ImagePattern, full_name, is_pattern, suggestions};
use crate::store::Store;

/// For more words than this it is quicker to read the names of all images once.
const MANY_WORDS: usize = 100;
/// Words that stand for no image and still get a suggestion.
const MOST_SUGGESTIONS: usize = 20;

/// What some words stand for.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// The images that there are, each once, in the order of the words.
    pub(super) images: Vec<String>,
    /// A sentence about each word that stands for none.
    pub(super) missing: Vec<Missing>,
}

/// A word that stands for no image that there is.
#[derive(Debug)]
pub(super) struct Missing {
    /// The full name it would be; `None` for a pattern.
    pub(super) full_name: Option<String>,
    /// What to tell the user.
    pub(super) message: String,
    /// The end of that message: what the word may have been meant to be.
    pub(super) suggestion: String,
}

/// The words themselves, and in place of `-` the names on standard input.
pub(super) fn read_words(words: &[String], null: bool) -> Result<Vec<String>, Error> {
    let mut all = Vec::with_capacity(words.len());
    for word in words {
        if word != "-" {
            all.push(word.clone());
            continue;
        }
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map_err(Error::Names)?;
        let names: Vec<&str> =
            if null { text.split('\0').collect() } else { text.lines().map(str::trim).collect() };
        all.extend(names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned));
    }
    Ok(all)
}

/// Finds the images that words stand for: exact names, short names and patterns.
pub(super) fn resolve(store: &impl Store, words: &[String]) -> Result<Resolved, Error> {
    let mut resolved = Resolved::default();
    let mut images = Images { store, all: None };
    if words.len() > MANY_WORDS {
        images.all()?;
    }
    let mut seen = HashSet::new();
    for word in words {
        let mut found = Vec::new();
        // Each suggestion looks at all images, and nobody reads many.
        let suggest = resolved.missing.len() < MOST_SUGGESTIONS;
        // A name may hold a pattern's characters, so the name itself goes first.
        if images.contains(word)? {
            found.push(word.clone());
        } else if is_pattern(word) {
            let pattern = ImagePattern::new(word).map_err(Error::Usage)?;
            let images = images.all()?;
            found.extend(images.iter().filter(|image| pattern.matches(image)).cloned());
            if found.is_empty() {
                let wider = if suggest { wider(word, images) } else { None };
                let suggestion = did_you_mean(&Vec::from_iter(wider.as_deref()));
                let message = format!("no image matches \"{word}\"{suggestion}");
                resolved.missing.push(Missing { full_name: None, message, suggestion });
            }
        } else {
            let full = full_name(word);
            if images.contains(&full)? {
                found.push(full);
            } else {
                let images = if suggest { images.all()? } else { &[] };
                let near = suggestions(word, images.iter().map(String::as_str));
                let suggestion = did_you_mean(&near);
                let message = format!("no image \"{word}\"{suggestion}");
                resolved.missing.push(Missing { full_name: Some(full), message, suggestion });
            }
        }
        for image in found {
            if seen.insert(image.clone()) {
                resolved.images.push(image);
            }
        }
    }
    Ok(resolved)
}

/// The images that there are, read once for all words where that pays off.
struct Images<'a, S> {
    store: &'a S,
    /// From A to Z.
    all: Option<Vec<String>>,
}

impl<S: Store> Images<'_, S> {
    fn contains(&self, image: &str) -> Result<bool, Error> {
        Ok(match &self.all {
            Some(all) => all.binary_search_by(|other| other.as_str().cmp(image)).is_ok(),
            None => self.store.get_update(image)?.is_some(),
        })
    }

    fn all(&mut self) -> Result<&[String], Error> {
        Ok(match &mut self.all {
            Some(all) => all,
            unread => unread.insert(self.store.list_images()?),
        })
    }
}

/// The pattern with a `*` before it, where that matches: a pattern stands for a whole name.
fn wider(word: &str, images: &[String]) -> Option<String> {
    let wider = format!("*{word}");
    let pattern = ImagePattern::new(&wider).ok()?;
    images.iter().any(|image| pattern.matches(image)).then_some(wider)
}

/// The end of a sentence that says that something is not there.
pub(super) fn did_you_mean(near: &[&str]) -> String {
    let quoted: Vec<String> = near.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => format!("; did you mean {one}?"),
        several => format!("; did you mean one of {}?", several.join(", ")),
    }
}
