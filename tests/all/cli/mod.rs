//! The command line, run as a process.

mod ack;
mod backup;
mod cluster;
mod images;
mod import;
mod ingest;
mod input;
mod kubernetes;
mod list;
mod prune;
mod reconcile;
mod show;
mod status;
mod streams;
mod tag;
mod terminal;
mod triage;
mod watch;
