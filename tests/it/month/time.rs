//! Time that goes when the test says so: one for the shop, the service and the quota.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use posbell::domain::model::Timestamp;
use posbell::edge::pospos::quota::{BootClock, Waiting};
use posbell::service::clock::Clock;

/// What lives on while somebody waits, until that moment.
type Life = Box<dyn FnMut(Timestamp) + Send>;

/// The time of one run. Its clones show the same.
#[derive(Clone)]
pub struct Time {
    begin: Timestamp,
    gone: Arc<Mutex<Duration>>,
    /// How far the service's clock is ahead.
    ahead: Arc<Mutex<TimeDelta>>,
    life: Arc<Mutex<Option<Life>>>,
}

impl Time {
    /// Begins at that moment.
    pub fn from(begin: Timestamp) -> Time {
        Time { begin, gone: Arc::default(), ahead: Arc::default(), life: Arc::default() }
    }

    /// Lets `life` go on whenever somebody waits. It has to bring the time along.
    pub fn live(&self, life: impl FnMut(Timestamp) + Send + 'static) {
        *lock(&self.life) = Some(Box::new(life));
    }

    /// How much of it has gone.
    pub fn gone(&self) -> Duration {
        *lock(&self.gone)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.begin + self.gone()
    }

    /// Goes on to that moment; never back.
    pub fn go_to(&self, moment: Timestamp) {
        let gone = (moment - self.begin).to_std().unwrap_or_default();
        let mut held = lock(&self.gone);
        *held = gone.max(*held);
    }

    /// Sets the service's clock so far ahead. The shop's stays right.
    pub fn set_ahead(&self, by: TimeDelta) {
        *lock(&self.ahead) = by;
    }

    /// What the service's clock shows.
    pub fn wall(&self) -> Timestamp {
        self.now() + *lock(&self.ahead)
    }

    /// The service's clock: the same time unless it was set.
    pub fn clock(&self) -> Clock {
        let (time, up) = (self.clone(), self.clone());
        Clock::showing(move || time.wall(), move || up.gone())
    }
}

impl BootClock for Time {
    fn boot_id(&self) -> String {
        "a month".to_owned()
    }

    fn now(&self) -> Duration {
        self.gone()
    }

    /// Nobody really waits: the world goes on to the moment that is waited for.
    fn wait(&self, duration: Duration) -> Waiting {
        let until = Time::now(self) + duration;
        if let Some(life) = lock(&self.life).as_mut() {
            life(until);
        }
        self.go_to(until);
        Box::pin(std::future::ready(()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
