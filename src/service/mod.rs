//! Where edges and domain meet: two loops around a durable middle.
//!
//! [`poll`] reads a resource, compares, and commits what follows in one step. [`deliver`] takes what is due, sends it
//! and settles it. Neither keeps anything between turns except in the store, so a killed process and a slow one are
//! the same case. A wake-up carries no data: whoever is woken looks in the store.

pub mod acts;
pub mod alone;
pub mod app;
pub mod backup;
pub mod callers;
mod catch_up;
mod channels;
pub mod clock;
pub mod compact;
pub mod copies;
pub mod deliver;
pub mod deliveries;
pub mod disk;
pub mod doors;
pub mod events;
pub mod export;
pub mod fetch;
pub mod forget;
mod groups;
pub mod guard;
pub mod health;
mod heartbeat;
pub mod held;
pub mod interface;
mod key;
pub mod listing;
pub mod mistaken;

mod notice;
pub mod notices;
pub mod open_notices;
pub mod pace;
pub mod pass;
pub mod patience;
pub mod poll;
pub mod probe;
pub mod problems;
mod publish;
pub mod ready;
pub mod replay;
pub mod report;
pub mod run;
pub mod running;
pub mod send_limits;
pub mod setup;
pub mod shared;
pub mod shop;
pub mod shutdown;
mod stale;
pub mod systemd;
pub mod telemetry;
pub mod watchdog;
mod whole;
