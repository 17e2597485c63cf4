//! What waits to be refreshed, and which answer about a product is the newer one.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use tokio::sync::Notify;

use crate::domain::model::EntityId;
use crate::edge::pospos::quota::Monotonic;

/// How many codes wait at most. More than that is not a sale but an import, and the next pass finds it.
const WAITING: usize = 200;

/// What waits to be refreshed, and what was read when.
#[derive(Debug, Default)]
pub struct Refreshes {
    codes: Mutex<BTreeSet<String>>,
    pub(super) wake: Notify,
    seen: Mutex<Seen>,
}

/// When the requests left whose answers have been committed.
#[derive(Debug, Default)]
struct Seen {
    /// Of refreshes, since the present sweep began.
    refreshed: HashMap<EntityId, Monotonic>,
    /// Of the sweep, while a refresh is on its way: one that left later need not ask.
    swept: HashMap<EntityId, Monotonic>,
    /// How many refreshes are between their request and their commit.
    on_the_way: usize,
}

/// A refresh between its request and its commit.
pub(super) struct OnTheWay<'a>(&'a Refreshes);

impl Drop for OnTheWay<'_> {
    fn drop(&mut self) {
        let mut seen = lock(&self.0.seen);
        seen.on_the_way -= 1;
        if seen.on_the_way == 0 {
            seen.swept = HashMap::new();
        }
    }
}

impl Refreshes {
    /// Leaves these codes to the loop.
    pub(super) fn push(&self, codes: BTreeSet<String>) {
        if codes.is_empty() {
            return;
        }
        let mut waiting = lock(&self.codes);
        let room = WAITING.saturating_sub(waiting.len());
        waiting.extend(codes.into_iter().take(room));
        drop(waiting);
        self.wake.notify_one();
    }

    /// A sweep begins: whatever was committed before was asked for before.
    pub(super) fn sweep_begins(&self) {
        lock(&self.seen).refreshed = HashMap::new();
    }

    /// Notes a row of a sweep, or says that a refresh was asked for later.
    pub(super) fn sweep(&self, id: &EntityId, sent: Monotonic) -> bool {
        let mut seen = lock(&self.seen);
        let is_newest = seen.refreshed.get(id).is_none_or(|refreshed| *refreshed <= sent);
        if is_newest && seen.on_the_way > 0 {
            seen.swept.insert(id.clone(), sent);
        }
        is_newest
    }

    /// A refresh is about to ask. Kept until its answer is committed.
    pub(super) fn leave(&self) -> OnTheWay<'_> {
        lock(&self.seen).on_the_way += 1;
        OnTheWay(self)
    }

    /// Notes a refreshed row, or says that a sweep has asked later.
    pub(super) fn refresh(&self, id: &EntityId, sent: Monotonic) -> bool {
        let mut seen = lock(&self.seen);
        let is_newest = seen.swept.get(id).is_none_or(|swept| *swept <= sent)
            && seen.refreshed.get(id).is_none_or(|refreshed| *refreshed <= sent);
        if is_newest {
            seen.refreshed.insert(id.clone(), sent);
        }
        is_newest
    }

    pub(super) fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut lock(&self.codes))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Every change under these locks is one call.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::default().plus(Duration::from_secs(seconds))
    }

    #[test]
    fn of_two_answers_the_one_that_was_asked_for_later_stays() {
        let refreshes = Refreshes::default();
        let id = EntityId::new("a").unwrap();
        refreshes.sweep_begins();
        let on_the_way = refreshes.leave();
        assert!(refreshes.sweep(&id, at(2)), "nothing newer is there");
        assert!(!refreshes.refresh(&id, at(1)), "the sweep has asked later");
        assert!(refreshes.refresh(&id, at(3)));
        assert!(!refreshes.sweep(&id, at(2)), "a page that was on its way is older");
        drop(on_the_way);
        assert!(!refreshes.sweep(&id, at(2)), "and stays older until its sweep ends");
        assert!(lock(&refreshes.seen).swept.is_empty());
        refreshes.sweep_begins();
        assert!(refreshes.sweep(&id, at(4)));
        assert!(lock(&refreshes.seen).swept.is_empty(), "nobody could ask for it");
    }
}
