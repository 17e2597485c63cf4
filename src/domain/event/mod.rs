//! What happened: events, their stable ids and their public JSON.
//!
//! An event is made by the [`Scribe`] in the middle of a comparison and never changes afterwards. Its JSON is the
//! default body of a webhook and what the store keeps, so a repeat has the same bytes.

mod announced;
mod data;
mod id;
mod json;
mod kind;
mod schema;
mod scribe;
mod service;
mod severity;

pub use announced::Announced;
pub use data::{BaselineCounts, EventData, HeldCounts, HeldPass, Level, ShopDetails, ShopView, ThresholdView};
pub use id::{DeliveryId, Epoch, EventId};
pub use json::NotAnEvent;
pub use kind::{EventKind, Pattern, PatternError};
pub use schema::SCHEMA;
pub use scribe::Scribe;
pub use service::{ChannelFailing, ChannelFault, ChannelRecovered, ShopRecovered, ShopStale, StaleCause};
pub use severity::Severity;

use crate::domain::model::{ShopId, Subject, Timestamp};

#[cfg(test)]
mod golden;

/// One change, or one notice of the service's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Computed from the change: the same change has the same id.
    pub id: EventId,
    /// The shop in which it happened.
    pub shop: ShopId,
    /// `sale.created`, `stock.low`, …
    pub kind: EventKind,
    /// The thing it is about.
    pub subject: Subject,
    /// When it happened where the API says so, else when it was first seen.
    pub time: Timestamp,
    /// The things themselves.
    pub data: EventData,
}
