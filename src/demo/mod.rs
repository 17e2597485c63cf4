//! The outside world in a box: a shop that sells and a receiver that listens, for `posbell demo` and for the tests.

pub mod receiver;
pub mod shop;
