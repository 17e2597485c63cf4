//! Time that goes when the test says so: one for the shop, the service and the quota.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use posbell::domain::model::Timestamp;
use posbell::edge::pospos::quota::BootClock;
use posbell::service::clock::Clock;

/// The time of one run. Its clones show the same.
#[derive(Clone)]
pub struct Time {
    begin: Timestamp,
    gone: Arc<Mutex<Duration>>,
}

impl Time {
    /// Begins at that moment.
    pub fn from(begin: Timestamp) -> Time {
        Time { begin, gone: Arc::default() }
    }

    /// How much of it has gone.
    pub fn gone(&self) -> Duration {
        *self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.begin + self.gone()
    }

    /// Goes on to that moment; never back.
    pub fn go_to(&self, moment: Timestamp) {
        let gone = (moment - self.begin).to_std().unwrap_or_default();
        let mut held = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        *held = gone.max(*held);
    }

    /// The same for the service.
    pub fn clock(&self) -> Clock {
        let time = self.clone();
        Clock::showing(move || time.now())
    }
}

impl BootClock for Time {
    fn boot_id(&self) -> String {
        "a month".to_owned()
    }

    fn now(&self) -> Duration {
        self.gone()
    }
}
