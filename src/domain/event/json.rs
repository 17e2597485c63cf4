//! The public JSON of an event: a CloudEvents 1.0 object, written once and kept as it was written.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Event, EventData, EventId, EventKind, ShopDetails};
use crate::domain::model::{ShopId, Subject, Timestamp};

/// A stored text that is no event of this version.
#[derive(Debug, thiserror::Error)]
pub enum NotAnEvent {
    /// The JSON does not have the shape of an event.
    #[error("not an event: {0}")]
    Shape(#[from] serde_json::Error),
    /// The `type` is of another version.
    #[error("unknown event type `{0}`")]
    Kind(String),
    /// The `source` names no shop.
    #[error("unknown source `{0}`")]
    Source(String),
}

#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a EventId,
    source: String,
    #[serde(rename = "type")]
    kind: &'static str,
    subject: &'a Subject,
    time: Timestamp,
    datacontenttype: &'static str,
    data: &'a EventData,
}

#[derive(Deserialize)]
struct StoredEvent {
    id: EventId,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: Subject,
    time: Timestamp,
    data: Box<RawValue>,
}

/// The members of a `data`, each still as text.
struct Members(BTreeMap<String, Box<RawValue>>);

impl Members {
    fn required<T: DeserializeOwned>(&self, name: &'static str) -> Result<T, NotAnEvent> {
        let text = self.0.get(name).ok_or_else(|| <serde_json::Error as serde::de::Error>::missing_field(name))?;
        Ok(serde_json::from_str(text.get())?)
    }

    fn optional<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, NotAnEvent> {
        self.0.get(name).map_or_else(|| Ok(T::default()), |text| Ok(serde_json::from_str(text.get())?))
    }
}

impl Event {
    /// The event as one line of JSON: the body of a webhook, and what the store keeps.
    pub fn to_json(&self) -> String {
        let event = CloudEvent {
            specversion: "1.0",
            id: &self.id,
            source: format!("/shops/{}", self.shop),
            kind: self.kind.name(),
            subject: &self.subject,
            time: self.time,
            datacontenttype: "application/json",
            data: &self.data,
        };
        serde_json::to_string(&event).expect("an event has only string keys and exact numbers")
    }

    /// Reads what [`Event::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Event, NotAnEvent> {
        let stored: StoredEvent = serde_json::from_str(text)?;
        let kind = EventKind::by_name(&stored.kind).ok_or(NotAnEvent::Kind(stored.kind))?;
        let shop = stored.source.strip_prefix("/shops/").and_then(|id| ShopId::new(id).ok());
        let shop = shop.ok_or(NotAnEvent::Source(stored.source))?;
        let data = data_of(kind, stored.data.get())?;
        Ok(Event { id: stored.id, shop, kind, subject: stored.subject, time: stored.time, data })
    }
}

fn data_of(kind: EventKind, text: &str) -> Result<EventData, NotAnEvent> {
    let data = Members(serde_json::from_str(text)?);
    macro_rules! about {
        ($family:ident, $thing:ident $(, $more:ident)*) => {
            EventData::$family {
                $thing: data.required(stringify!($thing))?,
                previous: data.optional("previous")?,
                changed: data.optional("changed")?,
                $($more: data.optional(stringify!($more))?,)*
            }
        };
    }
    let details = match kind {
        EventKind::SaleCreated | EventKind::SaleCancelled | EventKind::SaleUpdated => return Ok(about!(Sale, sale)),
        EventKind::StockLow
        | EventKind::StockCritical
        | EventKind::StockOut
        | EventKind::StockRecovered
        | EventKind::StockChanged
        | EventKind::ProductCreated
        | EventKind::ProductUpdated
        | EventKind::ProductRemoved => return Ok(about!(Product, product, threshold)),
        EventKind::CreditCreated
        | EventKind::CreditUpdated
        | EventKind::CreditOverdue
        | EventKind::CreditAging
        | EventKind::CreditPaid => return Ok(about!(Credit, credit)),
        EventKind::MemberCreated | EventKind::MemberUpdated | EventKind::MemberRemoved => {
            return Ok(about!(Member, member));
        }
        EventKind::VendorCreated | EventKind::VendorUpdated | EventKind::VendorRemoved => {
            return Ok(about!(Vendor, vendor));
        }
        EventKind::PurchaseCreated | EventKind::PurchaseUpdated | EventKind::PurchaseRemoved => {
            return Ok(about!(Purchase, purchase));
        }
        EventKind::ShopBaseline => ShopDetails::Baseline(data.required("details")?),
        EventKind::ShopKeyRejected => {
            let Refused { status } = data.required("details")?;
            ShopDetails::KeyRejected { status }
        }
        EventKind::PassHeld => ShopDetails::PassHeld(data.required("details")?),
        EventKind::ShopStale => ShopDetails::Stale(data.required("details")?),
        EventKind::ShopRecovered => ShopDetails::Recovered(data.required("details")?),
        EventKind::ChannelFailing => ShopDetails::ChannelFailing(data.required("details")?),
        EventKind::ChannelRecovered => ShopDetails::ChannelRecovered(data.required("details")?),
    };
    Ok(EventData::Shop { shop: data.required("shop")?, details })
}

#[derive(Deserialize)]
struct Refused {
    status: u16,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Epoch, Scribe};
    use crate::domain::model::{EntityId, Product, Quantity};

    fn product(quantity: &str) -> Product {
        Product {
            id: EntityId::new("600c45c60000000000000004").expect("is an id"),
            code: Some("PK64000158".to_owned()),
            name: Some("ข้าวสาร".to_owned()),
            barcode: None,
            category: None,
            unit: None,
            price: None,
            cost: Some("737.10".parse().expect("is money")),
            quantity: Some(quantity.parse::<Quantity>().expect("is a quantity")),
            updated_at: None,
        }
    }

    #[test]
    fn an_event_reads_back_as_it_was_written() {
        let now = "2026-11-23T03:00:00Z".parse().expect("is a time");
        let scribe = Scribe::new(ShopId::new("main").expect("is an id"), "ร้าน", Epoch::from_random([1; 16]), now);
        let event = scribe.stock_changed(1, &product("1.50"), &product("4"));
        let json = event.to_json();
        assert_eq!(Event::from_json(&json).expect("reads back"), event);
        assert!(json.starts_with(r#"{"specversion":"1.0","id":"evt_"#), "{json}");
        assert!(json.contains(r#""source":"/shops/main","type":"stock.changed","#), "{json}");
        assert!(json.contains(r#""time":"2026-11-23T03:00:00Z""#), "{json}");
        assert!(json.contains(r#""quantity":1.50"#) && json.contains(r#""cost":737.10"#), "{json}");
    }
}
