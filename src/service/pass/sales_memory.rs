//! What is remembered from one pass over the sales to the next.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::marks::Marks;
use crate::domain::model::{ShopId, Timestamp};
use crate::domain::rhythm::sales::{Depth, SalesPlan, next_depth};
use crate::edge::store::{Store, StoreError};

/// What the running service remembers of its passes over the sales. Lost with the process, and then the first pass
/// reads the whole window and compares every sale.
#[derive(Debug, Default)]
pub struct SalesMemory {
    inner: Mutex<Remembered>,
    marks: Mutex<Option<Marks>>,
}

#[derive(Debug, Default, Clone)]
struct Remembered {
    plan: Option<SalesPlan>,
    today_at: Option<Timestamp>,
    trailing_at: Option<Timestamp>,
    /// The latest pass read more than the newest page, and failed.
    deep_failed: bool,
}

impl SalesMemory {
    /// Reads by this plan from now on.
    pub fn follow(&self, plan: SalesPlan) {
        lock(&self.inner).plan = Some(plan);
    }

    pub(super) fn depth(&self, now: Timestamp) -> Depth {
        let inner = lock(&self.inner);
        match &inner.plan {
            // One bad page three days back must not hide today's sales. Every other pass still tries; and after a start
            // the whole window comes first, because only that covers the time in which posbell was off.
            _ if inner.deep_failed && inner.trailing_at.is_some() => Depth::Head,
            Some(plan) => next_depth(plan, inner.today_at, inner.trailing_at, now),
            None => Depth::Trailing,
        }
    }

    /// Notes an accepted pass. Returns whether it read the newest page alone because more than that had failed.
    pub(super) fn note(&self, depth: Depth, now: Timestamp) -> bool {
        let mut inner = lock(&self.inner);
        let is_part = inner.deep_failed && depth == Depth::Head;
        inner.deep_failed = false;
        match depth {
            Depth::Head => {}
            Depth::Today => inner.today_at = Some(now),
            Depth::Trailing => (inner.today_at, inner.trailing_at) = (Some(now), Some(now)),
        }
        is_part
    }

    pub(super) fn note_failure(&self) {
        let mut inner = lock(&self.inner);
        inner.deep_failed = !inner.deep_failed;
    }

    /// What is remembered of the known sales; not here again before it is given back.
    pub(super) async fn take_marks(&self, store: &Store, shop: &ShopId) -> Result<Marks, StoreError> {
        let kept = lock(&self.marks).take();
        match kept {
            Some(marks) => Ok(marks),
            None => Marks::of_stored(store, shop).await,
        }
    }

    pub(super) fn give_marks_back(&self, marks: Marks) {
        *lock(&self.marks) = Some(marks);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change of either is one assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
