//! `diunbox serve` from outside: the real program, a real HTTP client, and badly behaved clients.

mod api;
mod auth;
mod bursts;
mod changes;
mod counts;
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
mod protocol;
mod refused;
mod shutdown;
mod triage;
mod webhook;
