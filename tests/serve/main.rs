//! `diunbox serve` from outside: the real program, a real HTTP client, and clients that are not so
//! well-behaved.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod api;
mod auth;
mod bursts;
mod changes;
mod durability;
mod inside;
mod keep_alive;
mod limits;
mod listen;
mod log;
mod login;
mod memory;
mod page;
mod panic;
mod ping;
mod shutdown;
mod triage;
mod webhook;

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/server.rs"]
mod server;
