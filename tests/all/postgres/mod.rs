//! Tests for PostgreSQL alone: URLs, errors, the schema, and servers that fail.

mod errors;
mod failover;
mod same;
mod schema;
mod settings;
mod slow;
mod spool;
mod url;
