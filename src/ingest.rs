//! Reading events from files and pipes, in bounded memory.

pub mod source;
pub mod splitter;
