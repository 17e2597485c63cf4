//! The outbox, as it is listed.

use super::listing::{Rows, limit, listing, of_id};
use crate::api::{DeliveryQuery, Pieces, Refusal};
use crate::domain::event::DeliveryId;
use crate::domain::outbox::{Delivery, State};
use crate::edge::store::{DeliveryFilter, Store};

/// The deliveries that `query` asks for, `{"data":[…]}`.
pub async fn list(store: &Store, query: DeliveryQuery) -> Result<Pieces, Refusal> {
    if let Some(state) = query.state.as_ref().filter(|state| !State::NAMES.contains(&state.as_str())) {
        return Err(Refusal::Wrong(format!("`{state}` is no state; it is one of: {}", State::NAMES.join(", "))));
    }
    let before = match &query.before {
        Some(id) => {
            let missing = || Refusal::NotFound(format!("there is no delivery `{id}`"));
            Some(store.delivery_number(of_id(id).ok_or_else(missing)?).await?.ok_or_else(missing)?)
        }
        None => None,
    };
    let limit = limit(query.limit)?;
    let filter = DeliveryFilter { state: query.state, channel: query.channel, before, limit };
    let numbers = store.delivery_numbers(filter.clone()).await?;
    Ok(listing(store, Rows::Deliveries(filter), numbers, "]}".to_owned()))
}

/// The delivery with this id.
pub async fn one(store: &Store, id: &str) -> Result<Delivery, Refusal> {
    let missing = || Refusal::NotFound(format!("there is no delivery `{id}`"));
    let id: DeliveryId = of_id(id).ok_or_else(missing)?;
    store.delivery(id).await?.ok_or_else(missing)
}
