//! What posbell knows and decides, as pure functions over values.
//!
//! Nothing in here reads a clock, a file or a socket, draws a random number or starts a task: the time, the jitter
//! and everything that was read come in as arguments. So a pass of a year ago can be computed again, and every
//! decision has a test that needs no sleep.

pub mod clock;
pub mod copies;
pub mod diff;
pub mod disk;
pub mod document;
pub mod event;
pub mod message;
pub mod mistake;
pub mod model;
pub mod outbox;
pub mod publish;
pub mod rhythm;
pub mod rules;
pub mod stale;

#[cfg(test)]
mod test_shop;
