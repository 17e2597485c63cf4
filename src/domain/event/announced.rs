//! Which events a thing of a plain list has: members, vendors and purchase documents come, change and go alike.
//!
//! Sales, products and credits are not here: each has events of its own besides these.

use super::{EventData, EventKind};
use crate::domain::model::{EntityId, Member, Purchase, Subject, Timestamp, Vendor};

/// A thing whose coming, changing and going is announced, and nothing else of it.
pub trait Announced: Clone {
    /// It was not seen before.
    const CREATED: EventKind;
    /// One of its fields changed.
    const UPDATED: EventKind;
    /// It is not in the list any more.
    const REMOVED: EventKind;

    /// What it is told apart by.
    fn id(&self) -> &EntityId;

    /// What its events are about.
    fn subject(&self) -> Subject;

    /// When it was made, where the API says so.
    fn made_at(&self) -> Option<Timestamp>;

    /// The `data` of its events.
    fn data(entity: Self, previous: Option<Self>, changed: Vec<String>) -> EventData;
}

impl Announced for Member {
    const CREATED: EventKind = EventKind::MemberCreated;
    const UPDATED: EventKind = EventKind::MemberUpdated;
    const REMOVED: EventKind = EventKind::MemberRemoved;

    fn id(&self) -> &EntityId {
        &self.id
    }

    fn subject(&self) -> Subject {
        Subject::member(&self.id)
    }

    fn made_at(&self) -> Option<Timestamp> {
        self.created_at
    }

    fn data(member: Self, previous: Option<Self>, changed: Vec<String>) -> EventData {
        EventData::Member { member: Box::new(member), previous: previous.map(Box::new), changed }
    }
}

impl Announced for Vendor {
    const CREATED: EventKind = EventKind::VendorCreated;
    const UPDATED: EventKind = EventKind::VendorUpdated;
    const REMOVED: EventKind = EventKind::VendorRemoved;

    fn id(&self) -> &EntityId {
        &self.id
    }

    fn subject(&self) -> Subject {
        Subject::vendor(&self.id)
    }

    fn made_at(&self) -> Option<Timestamp> {
        None
    }

    fn data(vendor: Self, previous: Option<Self>, changed: Vec<String>) -> EventData {
        EventData::Vendor { vendor: Box::new(vendor), previous: previous.map(Box::new), changed }
    }
}

impl Announced for Purchase {
    const CREATED: EventKind = EventKind::PurchaseCreated;
    const UPDATED: EventKind = EventKind::PurchaseUpdated;
    const REMOVED: EventKind = EventKind::PurchaseRemoved;

    fn id(&self) -> &EntityId {
        &self.id
    }

    fn subject(&self) -> Subject {
        Subject::purchase(&self.id)
    }

    fn made_at(&self) -> Option<Timestamp> {
        self.issued_at
    }

    fn data(purchase: Self, previous: Option<Self>, changed: Vec<String>) -> EventData {
        EventData::Purchase { purchase: Box::new(purchase), previous: previous.map(Box::new), changed }
    }
}
