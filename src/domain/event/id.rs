//! Ids that are computed, never drawn: the same change has the same id whenever and however often it is found.
//!
//! Ids of `*.created`, `sale.cancelled` and `credit.overdue` are a function of shop, entity and kind alone, so they
//! survive even the loss of the data directory; but for those of a credit so old that it may have been known and
//! forgotten. All others depend on history; they carry the epoch of the data directory and a counter per entity, so
//! that a counter that starts again after a loss cannot give an old id to a new change. A data directory that was
//! restored from a backup has a new epoch, since its counters stand where they stood then.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::EventKind;
use crate::domain::model::{ChannelName, ShopId, Subject};

/// What tells one data directory from every other: 128 random bits, drawn when it is made or restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(String);

impl Epoch {
    /// The epoch of these random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(bytes)))
    }
}

/// `evt_` and 32 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(String);

impl EventId {
    /// The id of a change that can happen only once to its subject.
    pub fn once(shop: &ShopId, subject: &Subject, kind: EventKind) -> Self {
        Self(named("evt", &["once", shop.as_str(), subject.as_str(), kind.name()]))
    }

    /// The id of the `counter`-th change of its subject in this data directory.
    pub fn counted(epoch: &Epoch, shop: &ShopId, subject: &Subject, kind: EventKind, counter: u64) -> Self {
        let counter = counter.to_string();
        Self(named("evt", &["counted", &epoch.0, shop.as_str(), subject.as_str(), kind.name(), &counter]))
    }

    /// The id of the `counter`-th change of one `part` of its subject, where the parts count each for itself.
    pub fn counted_of(
        epoch: &Epoch,
        shop: &ShopId,
        subject: &Subject,
        kind: EventKind,
        part: &str,
        counter: u64,
    ) -> Self {
        let counter = counter.to_string();
        Self(named("evt", &["counted", &epoch.0, shop.as_str(), subject.as_str(), kind.name(), part, &counter]))
    }

    /// The id as it stands in an event and in `webhook-id`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `dlv_` and 32 hex digits: one message to one channel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(String);

impl DeliveryId {
    /// The id of the message that takes these events to this recipient of this channel.
    ///
    /// An event reaches a channel at most once, so nothing else is needed to tell deliveries apart.
    pub fn of(channel: &ChannelName, recipient: Option<&str>, events: &[EventId]) -> Self {
        let mut parts = vec![channel.as_str(), recipient.unwrap_or_default()];
        parts.extend(events.iter().map(EventId::as_str));
        Self(named("dlv", &parts))
    }

    /// The id of a message about posbell itself, which no event stands behind. `once` tells it from all others.
    pub fn of_notice(channel: &ChannelName, recipient: Option<&str>, once: &str) -> Self {
        Self(named("ntc", &[channel.as_str(), recipient.unwrap_or_default(), once]))
    }

    /// The id as it stands in listings and in a mail's Message-ID.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `prefix_` and the first 128 bits of SHA-256 over the parts, each with its length so that no two lists of parts
/// read the same.
fn named(prefix: &str, parts: &[&str]) -> String {
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    for part in parts {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finish();
    let mut id = format!("{prefix}_");
    for byte in &digest.as_ref()[..16] {
        id.push_str(&format!("{byte:02x}"));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::EntityId;

    fn names() -> (ShopId, Subject) {
        let id = EntityId::new("68b7fd1d0000000000000001").expect("is an id");
        (ShopId::new("main").expect("is an id"), Subject::sale(&id))
    }

    #[test]
    fn ids_are_the_same_in_every_version() {
        // Literals on purpose: an id that changes with an upgrade would make every receiver see old sales as new.
        let (shop, subject) = names();
        assert_eq!(
            EventId::once(&shop, &subject, EventKind::SaleCreated).as_str(),
            "evt_202bb8d13d4390ed08cde304ba958854"
        );
        let epoch = Epoch::from_random([7; 16]);
        assert_eq!(
            EventId::counted(&epoch, &shop, &subject, EventKind::SaleUpdated, 3).as_str(),
            "evt_6e2ee4fcb8988d21cd965ea7411cdb33"
        );
    }

    #[test]
    fn another_epoch_counter_kind_or_shop_is_another_id() {
        let (shop, subject) = names();
        let epoch = Epoch::from_random([7; 16]);
        let other = Epoch::from_random([8; 16]);
        let ids = [
            EventId::once(&shop, &subject, EventKind::SaleCreated),
            EventId::once(&shop, &subject, EventKind::SaleCancelled),
            EventId::once(&ShopId::new("second").expect("is an id"), &subject, EventKind::SaleCreated),
            EventId::counted(&epoch, &shop, &subject, EventKind::SaleUpdated, 1),
            EventId::counted(&epoch, &shop, &subject, EventKind::SaleUpdated, 2),
            EventId::counted(&other, &shop, &subject, EventKind::SaleUpdated, 1),
            EventId::counted_of(&epoch, &shop, &subject, EventKind::SaleUpdated, "stock", 1),
            EventId::counted_of(&epoch, &shop, &subject, EventKind::SaleUpdated, "credit", 1),
        ];
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }
}
