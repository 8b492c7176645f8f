//! Any names and patterns: no panic, no time that grows out of hand, and forms that agree.

#![no_main]

#[path = "../../src/image.rs"]
mod image;

use std::time::{Duration, Instant};

use image::{ImageName, ImagePattern, full_name, is_pattern, short_name, suggestions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (word, image) = input;
    let began = Instant::now();
    let full = full_name(image);
    assert!(image.ends_with(short_name(image)));
    if let Ok(name) = ImageName::new(image) {
        let full = name.as_str();
        assert_eq!(ImageName::new(full).as_ref(), Ok(&name), "a full name is its own");
        assert_eq!(ImageName::new(short_name(full)), Ok(name), "and its short name's");
    }
    if let Ok(pattern) = ImagePattern::new(word) {
        let _ = pattern.matches(image);
        if !is_pattern(word) {
            assert!(pattern.matches(word));
        }
    }
    let _ = suggestions(word, [image, full.as_str()]);
    assert!(began.elapsed() < Duration::from_secs(1));
});
