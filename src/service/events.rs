//! The log of events, as it is listed.

use super::listing::{Rows, limit, listing, of_id, since};
use crate::api::{EventQuery, Pieces, Refusal};
use crate::domain::event::EventId;
use crate::domain::model::Timestamp;
use crate::edge::store::{EventFilter, Store};
use serde_json::value::RawValue;

/// The events that `query` asks for, `{"data":[…],"last":number}`. The number is that of the last one: `after` of the next
/// question. Where there is none, it is the `after` of this one, or `null` while nothing has ever happened.
pub async fn list(store: &Store, query: EventQuery, now: Timestamp) -> Result<Pieces, Refusal> {
    let since = query.since.as_deref().map(|text| since(text, now)).transpose()?;
    let limit = limit(query.limit)?;
    let after = query.after;
    let before = match &query.before {
        Some(_) if after.is_some() => return Err(Refusal::Wrong("give one of `after` and `before`".to_owned())),
        Some(id) => {
            let missing = || Refusal::NotFound(format!("there is no event `{id}`"));
            Some(store.event_number(&of_id(id).ok_or_else(missing)?).await?.ok_or_else(missing)?)
        }
        None => None,
    };
    let filter =
        EventFilter { kind: query.kind, shop: query.shop, subject: query.subject, since, after, before, limit };
    let numbers = store.event_numbers(filter).await?;
    let last = match (numbers.last(), after) {
        (Some(number), _) => Some(*number),
        (None, Some(after)) => Some(after),
        // Nothing passes the filter yet: what comes is after the newest of all.
        (None, None) => store.event_numbers(EventFilter { limit: 1, ..EventFilter::default() }).await?.pop(),
    };
    let tail = format!("],\"last\":{}}}", last.map_or("null".to_owned(), |last| last.to_string()));
    Ok(listing(store, Rows::Events, numbers, tail))
}

/// The event with this id, as it is sent.
pub async fn one(store: &Store, id: &str) -> Result<Box<RawValue>, Refusal> {
    let missing =
        || Refusal::NotFound(format!("there is no event `{id}`; `posbell events` lists those that there are"));
    let id: EventId = of_id(id).ok_or_else(missing)?;
    let number = store.event_number(&id).await?.ok_or_else(missing)?;
    let json = store.events_numbered(vec![number]).await?.pop().ok_or_else(missing)?;
    RawValue::from_string(json).map_err(Refusal::failed)
}
