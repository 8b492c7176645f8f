//! Output: tables, JSON and times, safe for a terminal.

mod columns;
pub mod counts;
mod fit;
pub mod groups;
pub mod history;
pub mod hosts;
pub mod item;
pub mod json;
mod links;
pub mod page;
pub mod place;
pub mod reconcile;
pub mod refused;
pub mod table;
pub mod terminal;
pub mod time;
