//! Compares the inbox with what really runs, from the output of the engines' own tools.
//!
//! `shapes` parses the JSON (with the fields of `object`), `running` describes each workload, `join` matches
//! workloads with the places of the inbox, `verdict` decides whether a place is done, and [`against`] stores the
//! result.

mod apply;
mod crictl;
mod join;
mod kubernetes;
mod listed;
mod object;
mod running;
mod shapes;
mod verdict;

pub use apply::{Error, Options, Report, against};
pub use running::Running;
pub use shapes::ReadError;
