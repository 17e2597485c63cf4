//! The one place that asks the system for the time and for randomness.
//!
//! A run in time of its own, a month in a minute, has a clock that somebody else sets; its randomness is real.
//!
//! The clock is believed for as long as the shop's server has the same time and nobody has set it since
//! ([`crate::domain::clock`]).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};

use crate::domain::clock::{Apart, Mark, apart};
use crate::domain::event::Epoch;
use crate::domain::model::Timestamp;

/// A clock, and the system's source of randomness.
#[derive(Clone)]
pub struct Clock {
    random: SystemRandom,
    face: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    up: Arc<dyn Fn() -> Duration + Send + Sync>,
    /// When a server last had the same time; `None` where the last one had another, or none has said its time yet.
    agreed: Arc<Mutex<Option<Mark>>>,
}

impl Default for Clock {
    /// The system's.
    #[expect(clippy::disallowed_methods, reason = "this is the clock: everyone else is handed the time")]
    fn default() -> Self {
        let begun = Instant::now();
        Self::showing(chrono::Utc::now, move || begun.elapsed())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("now", &self.now()).finish_non_exhaustive()
    }
}

impl Clock {
    /// A clock that shows what `face` says, which may be set; `up` never is.
    pub fn showing(
        face: impl Fn() -> Timestamp + Send + Sync + 'static,
        up: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        Self { random: SystemRandom::new(), face: Arc::new(face), up: Arc::new(up), agreed: Arc::default() }
    }

    /// This moment, to see later whether the clock was set since.
    pub fn mark(&self) -> Mark {
        Mark { shown: self.now(), up: (self.up)() }
    }

    /// Holds itself against the time of a server that has just said it.
    pub fn hear(&self, server: Timestamp) -> Option<Apart> {
        let now = self.mark();
        let apart = apart(now.shown, server);
        *self.agreed.lock().unwrap_or_else(PoisonError::into_inner) = apart.is_none().then_some(now);
        apart
    }

    /// Whether a server was heard since the start, the last one had the same time, and the clock was not set since.
    pub fn is_right(&self) -> bool {
        let agreed = *self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
        agreed.is_some_and(|agreed| agreed.is_followed_by(self.mark()))
    }

    /// Now, to the microsecond: what is stored reads back as it was written.
    pub fn now(&self) -> Timestamp {
        let now = (self.face)();
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

    /// A text of 32 characters that nobody can guess.
    pub fn token(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.bytes()))
    }

    /// Random bytes for a token.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes).expect("the kernel always has randomness after boot");
        bytes
    }
}
