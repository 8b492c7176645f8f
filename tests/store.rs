//! The store from outside: against a model, a database of another program's, and trouble.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

mod store {
    mod contract;
    mod foreign;
    mod model;

    mod trouble;
}
