//! The rules of the inbox, as SQL on the tables of SQLite: what an event or an action changes, and what a
//! query selects. `SqliteStore` runs them in its file, `PostgresStore` on a working copy.

pub(super) mod act;
pub(super) mod adopt;
mod arrival;
mod before;
pub(super) mod history;
pub(super) mod hosts;
pub(super) mod ignores;
pub(super) mod import;
pub(super) mod labels;
pub(super) mod lines;
pub(super) mod patterns;
pub(super) mod query;
pub(super) mod reconcile;
pub(super) mod refused;
pub(super) mod row;
pub(super) mod scans;
pub(super) mod selection;
pub(super) mod tags;
pub(super) mod undo;
pub(super) mod upsert;
