//! Compares the inbox with what really runs, from the output of the engines' own tools.
//!
//! `shapes` reads the JSON (the fields of `object`), `running` is what is known of each workload, `join` finds the places of the
//! inbox among them, `verdict` says whether a place is done, and [`against`] updates the store with the result.

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
