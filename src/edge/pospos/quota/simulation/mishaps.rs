//! What may happen in a world besides calls, and how often.

use crate::edge::pospos::quota::Urgency;

/// What happens besides calls; times in milliseconds, on average.
#[derive(Clone)]
pub struct Mishaps {
    /// Between crashes, reboots, reloads and the like; 0 is never.
    pub every: u64,
    /// Between callers that come.
    pub wish_every: u64,
    /// One answer in so many is a 429; 0 is none.
    pub too_many_in: u64,
    /// One crash in so many is followed by somebody who meddles with the files.
    pub meddled_in: u64,
    /// The longest answer.
    pub latency: u64,
    /// These classes always wait, whatever comes.
    pub always: Vec<Urgency>,
}

impl Default for Mishaps {
    fn default() -> Self {
        Self { every: 0, wish_every: 0, too_many_in: 0, meddled_in: u64::MAX, latency: 5000, always: Vec::new() }
    }
}

impl Mishaps {
    /// None at all, while these classes always wait and answers take up to a second.
    pub fn none(always: &[Urgency]) -> Self {
        Self { latency: 1000, always: always.to_vec(), ..Self::default() }
    }
}
