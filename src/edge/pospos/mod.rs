//! The POSPOS Developer API: what stands in the shop's account now?
//!
//! Read only, because the API is. Every call goes through the shop's governor ([`quota`]), one request each; lists are
//! read to their end and counted (`pages`), and what comes back is either vouched for as a
//! [`Whole`](crate::domain::model::Whole) or refused as a [`ReadError`]. What the API's fields are called is known in
//! `wire` alone.
//!
//! It refuses to guess about missing rows, to repeat a call, and to follow the API anywhere else with the key.

mod call;
mod client;
mod error;
mod pages;
pub mod quota;
mod wire;

pub use client::{Period, Pospos, PosposSettings, SettingsError};
pub use error::{ReadError, TransportError};
pub use wire::{
    CreditFields, FieldMap, Malformed, MemberFields, PurchaseFields, SaleFields, StockFields, VendorFields, is_pointer,
};
