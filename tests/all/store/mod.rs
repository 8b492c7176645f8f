//! The store from outside: against a model, a database of another program's, and trouble.

/// Runs each rule of a module against each engine.
macro_rules! contract {
    ($($rule:ident)*) => {
        mod sqlite {
            $(#[test] fn $rule() { super::$rule(&*crate::store::contract::sqlite()) })*
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[test] fn $rule() {
                if let Some(fixture) = crate::store::contract::postgres() {
                    super::$rule(&*fixture);
                }
            })*
        }
    };
}

mod contract;
mod foreign;
mod model;
mod random;
mod triage;
mod trouble;
