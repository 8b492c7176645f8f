//! The store by its trait: the contract, a model, databases of another program, and failures.

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
mod follow;
mod foreign;
mod model;
mod queries;
mod random;
mod reports;
mod running;
mod trouble;
mod undo;
mod upkeep;
