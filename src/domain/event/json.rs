//! The public JSON of an event: a CloudEvents 1.0 object, written once and kept as it was written.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Event, EventData, EventId, EventKind};
use crate::domain::model::{Credit, Product, Sale, ShopId, Subject, Timestamp};

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

#[derive(Deserialize)]
struct SaleData {
    sale: Box<Sale>,
    previous: Option<Box<Sale>>,
    #[serde(default)]
    changed: Vec<String>,
}

#[derive(Deserialize)]
struct ProductData {
    product: Box<Product>,
    previous: Option<Box<Product>>,
    #[serde(default)]
    changed: Vec<String>,
    threshold: Option<super::ThresholdView>,
}

#[derive(Deserialize)]
struct CreditData {
    credit: Box<Credit>,
    previous: Option<Box<Credit>>,
    #[serde(default)]
    changed: Vec<String>,
}

#[derive(Deserialize)]
struct ShopData {
    shop: super::ShopView,
    details: Box<RawValue>,
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
    Ok(match kind {
        EventKind::SaleCreated | EventKind::SaleCancelled | EventKind::SaleUpdated => {
            let SaleData { sale, previous, changed } = serde_json::from_str(text)?;
            EventData::Sale { sale, previous, changed }
        }
        EventKind::StockLow
        | EventKind::StockCritical
        | EventKind::StockOut
        | EventKind::StockRecovered
        | EventKind::StockChanged => {
            let ProductData { product, previous, changed, threshold } = serde_json::from_str(text)?;
            EventData::Product { product, previous, changed, threshold }
        }
        EventKind::CreditCreated | EventKind::CreditOverdue | EventKind::CreditPaid => {
            let CreditData { credit, previous, changed } = serde_json::from_str(text)?;
            EventData::Credit { credit, previous, changed }
        }
        EventKind::ShopBaseline => {
            let ShopData { shop, details } = serde_json::from_str(text)?;
            EventData::Shop { shop, details: super::ShopDetails::Baseline(serde_json::from_str(details.get())?) }
        }
        EventKind::ShopKeyRejected => {
            let ShopData { shop, details } = serde_json::from_str(text)?;
            let Refused { status } = serde_json::from_str(details.get())?;
            EventData::Shop { shop, details: super::ShopDetails::KeyRejected { status } }
        }
    })
}

#[derive(Deserialize)]
struct Refused {
    status: u16,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Epoch, Scribe};
    use crate::domain::model::{EntityId, Quantity};

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
