//! The store from outside: against a model, a database of another program's, and trouble.

/// Runs each rule of a module against each engine.
macro_rules! contract {
    ($($rule:ident)*) => {
        mod sqlite {
            $(#[test] fn $rule() { super::$rule(&*crate::store::fixture::sqlite()) })*
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[test] fn $rule() {
                if let Some(fixture) = crate::store::fixture::postgres() {
                    super::$rule(&*fixture);
                }
            })*
        }
    };
}

mod decisions;
mod fixture;
mod folding;
mod foreign;
mod model;
mod queries;
mod random;
mod reports;
mod running;
mod trouble;
mod undo;
mod upkeep;
