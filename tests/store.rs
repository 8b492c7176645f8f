//! The store from outside: against a model, a database of another program's, and trouble.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

/// Runs each rule of a module against each engine.
macro_rules! contract {
    ($($rule:ident)*) => {
        mod sqlite {
            $(#[test] fn $rule() { super::$rule(&*crate::store::contract::sqlite()) })*
        }
    };
}

mod store {
    mod contract;
    mod foreign;
    mod model;
    mod random;
    mod triage;
    mod trouble;
}
