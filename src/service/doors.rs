//! What keeps requests from coming in: the places that cannot be listened at.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::clock::Clock;
use crate::api::{Problem, ProblemKind};
use crate::domain::model::Timestamp;

/// The places that are listened at.
#[derive(Clone)]
pub struct Doors {
    clock: Clock,
    /// Which cannot be, since when and why.
    failing: Arc<Mutex<BTreeMap<String, (Timestamp, String)>>>,
}

impl Doors {
    /// Of a process that starts.
    pub fn new(clock: &Clock) -> Doors {
        Doors { clock: clock.clone(), failing: Arc::default() }
    }

    /// What cannot be listened at.
    pub fn problems(&self) -> Vec<Problem> {
        let failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let since = failing.values().map(|(since, _)| *since).min();
        since.map(|since| Problem::of(ProblemKind::AdminAddress, Some(since))).into_iter().collect()
    }

    /// Notes that `place` can be listened at. Returns whether it could not before.
    pub fn listens(&self, place: &str) -> bool {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).remove(place).is_some()
    }

    /// Notes why `place` cannot be listened at. Returns whether this is news.
    pub fn fails(&self, place: &str, why: &str) -> bool {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = failing.get(place);
        let is_news = known.is_none_or(|(_, before)| before != why);
        let since = known.map_or_else(|| self.clock.now(), |(since, _)| *since);
        failing.insert(place.to_owned(), (since, why.to_owned()));
        is_news
    }
}
