//! The one place that asks the system for the time and for randomness.

use ring::rand::{SecureRandom, SystemRandom};

use crate::domain::event::Epoch;
use crate::domain::model::Timestamp;

/// The system's clock and source of randomness.
#[derive(Debug, Clone)]
pub struct Clock {
    random: SystemRandom,
}

impl Default for Clock {
    fn default() -> Self {
        Self { random: SystemRandom::new() }
    }
}

impl Clock {
    /// Now, to the microsecond: what is stored reads back as it was written.
    #[expect(clippy::disallowed_methods, reason = "this is the clock: everyone else is handed the time")]
    pub fn now(&self) -> Timestamp {
        let now = chrono::Utc::now();
        Timestamp::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }

    /// A draw from 0.0 up to 1.0, for the pauses between attempts.
    pub fn jitter(&self) -> f64 {
        let bits = u64::from_be_bytes(self.bytes());
        // The upper 53 bits fill a double's fraction exactly.
        (bits >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The epoch for a new data directory.
    pub fn new_epoch(&self) -> Epoch {
        Epoch::from_random(self.bytes())
    }

    /// Random bytes for a token.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes).expect("the kernel always has randomness after boot");
        bytes
    }
}
