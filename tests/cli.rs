//! The command line as its users meet it: as a process.

mod common;

mod cli {
    mod ack;
    mod backup;
    mod cluster;
    mod images;
    mod ingest;
    mod input;
    mod list;
    mod prune;
    mod show;
    mod status;
    mod streams;
    mod tag;
    mod terminal;
}
