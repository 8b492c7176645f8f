//! The images that a user's words stand for.

use std::io::{self, Read};

use super::Error;
use crate::image::{Query, full_name, suggestions};
use crate::store::Store;

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
    let mut all: Option<Vec<String>> = None;
    for word in words {
        let query = Query::new(word).map_err(Error::Usage)?;
        let mut found = Vec::new();
        // A name may hold a pattern's characters, so the name itself goes first.
        if store.get_update(word)?.is_some() {
            found.push(word.clone());
        } else if let Query::Names([_, full]) = &query
            && store.get_update(full)?.is_some()
        {
            found.push(full.to_string());
        } else {
            let images = match &mut all {
                Some(images) => images,
                unread => unread.insert(store.list_images()?),
            };
            match query {
                Query::Pattern(pattern) => {
                    found.extend(images.iter().filter(|image| pattern.matches(image)).cloned());
                    if found.is_empty() {
                        let message = format!("no image matches \"{word}\"");
                        resolved.missing.push(Missing { full_name: None, message });
                    }
                }
                Query::Names(_) => {
                    let near = suggestions(word, images.iter().map(String::as_str));
                    let message = or_suggest("image", word, &near);
                    let full_name = Some(full_name(word));
                    resolved.missing.push(Missing { full_name, message });
                }
            }
        }
        for image in found {
            if !resolved.images.contains(&image) {
                resolved.images.push(image);
            }
        }
    }
    Ok(resolved)
}

/// Says that something is not there, and what is.
pub(super) fn or_suggest(what: &str, wanted: &str, near: &[&str]) -> String {
    let near: Vec<String> = near.iter().map(|name| format!("\"{name}\"")).collect();
    match near.as_slice() {
        [] => format!("no {what} \"{wanted}\""),
        [one] => format!("no {what} \"{wanted}\"; did you mean {one}?"),
        several => format!("no {what} \"{wanted}\"; did you mean one of {}?", several.join(", ")),
    }
}
