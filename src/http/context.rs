//! What answers need.

use super::auth::Token;
use super::limits::{Capacity, Limits};
use super::log::Log;
use super::metrics::Metrics;
use crate::store::Store;

/// Everything that requests share.
pub(super) struct Context {
    pub(super) store: Box<dyn Store>,
    pub(super) token: Option<Token>,
    /// Whether the `Host` header must name this machine.
    pub(super) local_names_only: bool,
    pub(super) log: Log,
    pub(super) metrics: Metrics,
    pub(super) limits: Limits,
    pub(super) capacity: Capacity,
}
