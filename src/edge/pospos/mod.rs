//! The POSPOS Developer API: what stands in the shop's account now?
//!
//! Read only, because the API is. Every call goes through the shop's governor ([`quota`]), one request each; lists are
//! read in windows that overlap (`walk`), a page at a time ([`Reading`]), and one that may have lost a row is refused as a
//! [`ReadError`]. What the API's fields are called is known in
//! `wire` alone.
//!
//! It refuses to guess about missing rows, to repeat a call, and to follow the API anywhere else with the key.

mod blockade;
mod body;
mod call;
mod calls;
mod client;
mod error;
mod notes;
mod probe;
mod pull;
mod question;
pub mod quota;
mod reading;
mod retry_after;
mod seen;
mod transport;
mod walk;
mod wall_clock;
mod wire;

pub use calls::Period;
pub use client::{Pospos, PosposSettings, SettingsError};
pub use error::{ReadError, TransportError};
pub use notes::{ListNotes, Progress};
pub use probe::{Probe, ProbedPage};
pub use question::Question;
pub use reading::{Fresh, RawReading, Reading};
pub use wall_clock::WallClock;
pub use wire::{
    CreditFields, Fault, FieldMap, LeftOut, Malformed, MemberFields, Presence, PurchaseFields, SaleFields, StockFields,
    Survey, Surveyed, VendorFields, is_pointer,
};
