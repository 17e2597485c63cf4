//! Which notices nobody is known to have taken.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::event::{Event, EventId};
use crate::domain::model::Timestamp;

/// Notices that nobody is known to have taken, with when they were committed.
#[derive(Debug, Default)]
pub struct OpenNotices(Mutex<BTreeMap<EventId, (Timestamp, Event)>>);

impl OpenNotices {
    /// Notes the notices among these events, which were committed at `now`.
    pub fn note(&self, events: &[Event], now: Timestamp) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events.iter().filter(|event| event.kind.is_notice()) {
            open.entry(event.id.clone()).or_insert_with(|| (now, event.clone()));
        }
    }

    pub(super) fn all(&self) -> Vec<(Timestamp, Event)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(super) fn end(&self, id: &EventId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}
