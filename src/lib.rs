//! An inbox for container-image updates.
//!
//! [Diun](https://crazymax.dev/diun/) watches registries and fires one notification per change. diunbox receives
//! these [events](event::Event), [stores](store::Store) the current state of each image in SQLite or PostgreSQL,
//! and answers what is pending, where and since when.
//!
//! Data goes one way: from arguments or HTTP through the store to its engine, and back through [`render`].

pub mod cli;
pub mod command;
pub mod completion;
pub mod event;
pub mod http;
pub mod image;
pub mod inbox;
pub mod ingest;
pub mod reconcile;
pub mod render;
pub mod store;
