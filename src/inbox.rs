//! The domain, without I/O: updates, places, queries and actions.

pub mod action;
pub mod fold;
pub mod history;
pub mod labels;
pub mod query;
pub mod received;
pub mod refused;
pub mod scan;
pub mod seen;
pub mod time;
pub mod until;
pub mod update;
pub mod version;
