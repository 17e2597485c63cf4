//! The engine that is in use, and which calls of it are under way.
//!
//! A call on a disk that hangs never returns and gives no error, so somebody else has to look: each call has a number, and
//! one that is still there a minute later has not returned.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use super::StoreError;
use super::engine::Engine;

/// How long an engine may take to be closed.
const CLOSING: Duration = Duration::from_secs(10);

/// How long is waited between two looks at a thread.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// Returns when the thread has ended, or `limit` is over. On a disk that hangs it never ends, and is left to the end of the
/// process; `give_up` is asked at each look.
pub(super) fn join_within(limit: Duration, thread: JoinHandle<()>, mut give_up: impl FnMut() -> bool) {
    for _look in 0..limit.as_millis() / BETWEEN_LOOKS.as_millis() {
        if thread.is_finished() {
            // A panic of the thread has been reported to whoever waited for it.
            return drop(thread.join());
        }
        if give_up() {
            return;
        }
        std::thread::park_timeout(BETWEEN_LOOKS);
    }
}

/// The engine that is in use.
pub(super) struct InUse {
    engine: RwLock<Option<Box<dyn Engine>>>,
    calls: Arc<Calls>,
}

impl InUse {
    pub(super) fn new(engine: impl Engine + 'static) -> InUse {
        InUse { engine: RwLock::new(Some(Box::new(engine))), calls: Arc::default() }
    }

    /// The calls that are under way.
    pub(super) fn calls(&self) -> &Arc<Calls> {
        &self.calls
    }

    /// Does something with it. Not to be called within itself.
    pub(super) fn with<T>(&self, act: impl FnOnce(&dyn Engine) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.with_progress(|engine, _| act(engine))
    }

    /// The same for what takes long: it says of its call that it goes on.
    pub(super) fn with_progress<T>(
        &self,
        act: impl FnOnce(&dyn Engine, &Call<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let call = self.calls.begin();
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        let gone = || StoreError::ended("it could not be opened again");
        act(engine.as_deref().ok_or_else(gone)?, &call)
    }

    /// Puts another one in its place, which `by` makes of it, while nobody uses it. Where that fails there is none any more.
    pub(super) fn replace(
        &self,
        by: impl FnOnce(Box<dyn Engine>) -> Result<Box<dyn Engine>, StoreError>,
    ) -> Result<(), StoreError> {
        let _call = self.calls.begin();
        let mut engine = self.engine.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = engine.take() {
            *engine = Some(by(old)?);
        }
        Ok(())
    }

    /// Whether there is none any more.
    pub(super) fn is_gone(&self) -> bool {
        self.engine.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let engine = self.engine.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // sled syncs while it is closed, and panics where its disk refuses that. What was acknowledged was synced before.
        let closing = std::thread::Builder::new().name("closing".to_owned()).spawn(move || drop(engine));
        if let Ok(closing) = closing {
            join_within(CLOSING, closing, || false);
        }
    }
}

/// The calls of an engine that are under way, by their numbers: a later one has a higher one.
#[derive(Debug, Default)]
pub struct Calls {
    begun: AtomicU64,
    under_way: Mutex<BTreeSet<u64>>,
}

impl Calls {
    /// The number of the oldest, if there is one. The same number again after a minute is a call that has not come on
    /// since.
    pub fn oldest(&self) -> Option<u64> {
        self.under_way().first().copied()
    }

    fn begin(&self) -> Call<'_> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        self.under_way().insert(number);
        Call { calls: self, number: AtomicU64::new(number) }
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is under way, until it is dropped.
pub(super) struct Call<'a> {
    calls: &'a Calls,
    number: AtomicU64,
}

impl Call<'_> {
    /// It has come on, and counts as begun now.
    pub(super) fn goes_on(&self) {
        let number = self.calls.begun.fetch_add(1, Ordering::Relaxed);
        let mut under_way = self.calls.under_way();
        under_way.insert(number);
        under_way.remove(&self.number.swap(number, Ordering::Relaxed));
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.calls.under_way().remove(self.number.get_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_does_not_come_on_keeps_its_number() {
        let calls = Calls::default();
        assert_eq!(calls.oldest(), None);
        let long = calls.begin();
        let stuck = calls.begin();
        let oldest = calls.oldest();
        assert_eq!(calls.oldest(), oldest);
        long.goes_on();
        assert_ne!(calls.oldest(), oldest, "the first has come on");
        let second = calls.oldest();
        long.goes_on();
        assert_eq!(calls.oldest(), second, "the second has not");
        drop(stuck);
        assert_ne!(calls.oldest(), second);
        drop(long);
        assert_eq!(calls.oldest(), None);
    }
}
