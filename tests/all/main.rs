//! All tests of diunbox from outside, as one program: the command line and the server as processes, the store by its
//! trait, and the generated files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

mod architecture;
mod cli;
mod common;
mod completion;
mod generated;
mod hard;
mod healthcheck;
#[cfg(feature = "postgres")]
mod postgres;
mod serve;
mod store;
