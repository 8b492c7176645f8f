//! Any variables as the script notifier's: no panic, and an event that reads the same as JSON.

#![no_main]

#[allow(dead_code)]
#[path = "../../src/event.rs"]
mod event;
#[allow(dead_code)]
#[path = "../../src/image.rs"]
mod image;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use event::Event;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 9] = [
    "DIUN_VERSION",
    "DIUN_HOSTNAME",
    "DIUN_ENTRY_STATUS",
    "DIUN_ENTRY_PROVIDER",
    "DIUN_ENTRY_IMAGE",
    "DIUN_ENTRY_CREATED",
    "DIUN_ENTRY_PLATFORM",
    "DIUN_ENTRY_METADATA_CTN_NAMES",
    "DIUN_ENTRY_METADATA_",
];

fuzz_target!(|bytes: &[u8]| {
    // Known names by a number, others in full.
    let variables = bytes.split(|byte| *byte == 0).filter_map(|variable| {
        let (first, rest) = variable.split_first()?;
        let (name, value) = match NAMES.get(usize::from(*first)) {
            Some(name) => (name.as_bytes(), rest),
            None => variable.split_at(variable.iter().position(|byte| *byte == b'=')?),
        };
        Some((OsStr::from_bytes(name).to_owned(), OsStr::from_bytes(value).to_owned()))
    });
    if let Ok(event) = Event::from_env(variables) {
        assert!(!event.image.is_empty());
        let line = serde_json::to_vec(&event).expect("memory takes it");
        assert_eq!(Event::from_json(&line), Ok(event));
    }
});
