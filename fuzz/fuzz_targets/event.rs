//! Any bytes as an event: no panic, and what is accepted reads the same once it is written.

#![no_main]

#[allow(dead_code)]
#[path = "../../src/event.rs"]
mod event;
#[allow(dead_code)]
#[path = "../../src/image.rs"]
mod image;

use event::Event;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Event::from_json(bytes) {
        Ok(event) => {
            assert!(!event.image.is_empty());
            let _ = event.workload();
            let line = serde_json::to_vec(&event).expect("memory takes it");
            assert_eq!(Event::from_json(&line), Ok(event));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
