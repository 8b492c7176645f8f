//! The store from outside: against a model, a database of another program's, and trouble.

mod common;

mod store {
    mod foreign;
    mod model;
    mod trouble;
}
