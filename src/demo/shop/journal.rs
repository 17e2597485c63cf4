//! What should have been told: every event that a perfect reader of the simulated shop would make, and which of them
//! have not arrived yet.
//!
//! `stock.changed` is not kept. Who polls sees states, and may rightly tell two sales between two looks as one change.

use std::collections::BTreeSet;

use crate::domain::event::EventKind;
use crate::domain::model::{Subject, Timestamp};

/// One event that must be told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expected {
    /// What happened.
    pub kind: EventKind,
    /// To what.
    pub subject: Subject,
    /// When the shop began to show it; of a sale that arrives late, long after it was made.
    pub changed_at: Timestamp,
}

/// All that was to be told since the shop opened, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    expected: Vec<Expected>,
    awaited: BTreeSet<(EventKind, Subject)>,
}

impl Journal {
    /// Every event that must be told, oldest first.
    pub fn expected(&self) -> Vec<Expected> {
        self.expected.clone()
    }

    /// When the latest change of that kind happened to `subject`.
    pub fn changed_at(&self, kind: EventKind, subject: &Subject) -> Option<Timestamp> {
        let latest = self.expected.iter().rev().find(|entry| entry.kind == kind && entry.subject == *subject);
        latest.map(|entry| entry.changed_at)
    }

    /// Whether that event was journaled and has not been acknowledged.
    pub fn awaits(&self, kind: EventKind, subject: &Subject) -> bool {
        self.awaited.contains(&(kind, subject.clone()))
    }

    /// Which events of that subject are still to arrive.
    pub(super) fn awaited_of(&self, subject: &Subject) -> Vec<EventKind> {
        EventKind::ALL.iter().copied().filter(|kind| self.awaits(*kind, subject)).collect()
    }

    /// Whether any event of that subject is still to arrive.
    pub(super) fn awaits_any(&self, subject: &Subject) -> bool {
        EventKind::ALL.iter().any(|kind| self.awaits(*kind, subject))
    }

    /// How many events are still to arrive.
    pub fn awaited(&self) -> usize {
        self.awaited.len()
    }

    /// Writes down an event that must be told from now on.
    pub(super) fn expect(&mut self, entry: Expected) {
        self.awaited.insert((entry.kind, entry.subject.clone()));
        self.expected.push(entry);
    }

    /// Notes that the event has arrived; false where it was not awaited.
    pub(super) fn acknowledge(&mut self, kind: EventKind, subject: &Subject) -> bool {
        self.awaited.remove(&(kind, subject.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::EntityId;

    #[test]
    fn an_event_is_awaited_until_it_is_acknowledged_once() {
        let subject = Subject::sale(&EntityId::new("a").expect("is an id"));
        let changed_at = "2026-11-23T03:00:00Z".parse().expect("is a time");
        let mut journal = Journal::default();
        assert!(!journal.acknowledge(EventKind::SaleCreated, &subject));
        journal.expect(Expected { kind: EventKind::SaleCreated, subject: subject.clone(), changed_at });
        assert!(journal.awaits(EventKind::SaleCreated, &subject) && journal.awaits_any(&subject));
        assert!(journal.acknowledge(EventKind::SaleCreated, &subject));
        assert_eq!((journal.awaited(), journal.expected().len()), (0, 1));
        assert!(!journal.awaits_any(&subject));
        assert_eq!(journal.changed_at(EventKind::SaleCreated, &subject), Some(changed_at));
        assert_eq!(journal.changed_at(EventKind::SaleCancelled, &subject), None);
    }
}
