//! Attacks: faults that are injected for real, hostile input, and many processes at once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

#[path = "common/server.rs"]
mod server;

mod hard {
    mod damage;
    mod dice;
    mod disk;
    mod garbage;
    mod injection;
    mod kill;
    mod names;
    mod paths;
    mod replaced;
    mod secrets;
    mod time;
    mod together;
    mod whole;
}
