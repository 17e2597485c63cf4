//! demo.
pub mod shop;
