//! pospos.
pub mod quota;
