//! One delivery in the making, and the bytes that are sent of one.

use std::time::Duration;

use super::GroupKey;
use super::group::MOST_WAITING;
use crate::domain::event::{EventId, Severity};
use crate::domain::model::Timestamp;
use crate::domain::outbox::Delivery;

/// About what one delivery takes in the store, besides the ids of its events.
const DELIVERY_BYTES: usize = 600;
/// About what the id of an event takes in a delivery.
const ID_BYTES: usize = 40;

/// One delivery in the making.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) key: GroupKey,
    /// The highest of its events.
    pub(super) severity: Severity,
    pub(super) events: Vec<EventId>,
    /// How long the JSON of each event is; 0 where that does not matter.
    pub(super) lengths: Vec<u32>,
    /// How long that is together.
    pub(super) json: usize,
    /// What is planned later may still come into it, or could have.
    pub(super) is_gathered: bool,
    /// For how long messages like this are put together with those that come after it; zero for a notice and for what
    /// is critical.
    pub(super) group: Duration,
}

impl Message {
    /// About how many bytes of the store it takes.
    pub(super) fn bytes(&self) -> usize {
        DELIVERY_BYTES + ID_BYTES * self.events.len()
    }

    /// The same at most, with what may wait where it is put.
    pub(super) fn most_bytes(&self) -> usize {
        let waiting = if self.group.is_zero() { 0 } else { MOST_WAITING };
        self.bytes() + ID_BYTES * waiting
    }

    /// Adds an event whose JSON is so long.
    pub(super) fn push(&mut self, event: EventId, length: u32) {
        self.events.push(event);
        self.lengths.push(length);
        self.json += length as usize;
    }

    /// The delivery, due at once.
    pub(super) fn close(self, now: Timestamp) -> Delivery {
        let Message { key: GroupKey { shop, rule, address }, severity, events, .. } = self;
        Delivery { severity, ..Delivery::new(address, shop, rule, events, now) }
    }
}

/// The body of a delivery: one event as it stands, several as a JSON array.
pub fn body(events: &[String]) -> String {
    match events {
        [one] => one.clone(),
        many => format!("[{}]", many.join(",")),
    }
}
