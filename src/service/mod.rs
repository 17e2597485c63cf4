//! Where edges and domain meet: two loops around a durable middle.
//!
//! [`poll`] reads a resource, compares, and commits what follows in one step. [`deliver`] takes what is due, sends it
//! and settles it. Neither keeps anything between turns except in the store, so a killed process and a slow one are
//! the same case. A wake-up carries no data: whoever is woken looks in the store.

pub mod acts;
pub mod alone;
pub mod answers;
pub mod backup;
mod catch_up;
pub mod clock;
pub mod compact;
pub mod copies;
pub mod deliver;
pub mod export;
pub mod fetch;
pub mod forget;
pub mod full;
pub mod health;
pub mod held;
mod notice;
mod overflow;
pub mod pace;
pub mod pass;
pub mod poll;
pub mod probe;
pub mod replay;
pub mod report;
pub mod run;
pub mod send_limits;
pub mod setup;
pub mod shop;
pub mod shutdown;
pub mod systemd;
pub mod telemetry;
mod whole;
