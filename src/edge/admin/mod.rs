//! Whoever asks over HTTP: health, and what the command line shows while the service holds the store.
//!
//! It refuses requests whose `Host` is not its own (a web page elsewhere could otherwise make a browser read the
//! owner's data), anything but GET without the token, and from other machines GET without it too.

mod access;
mod routes;

pub use access::Access;
pub use routes::{Answers, DeliveryQuery, EventQuery, Refusal, router};
