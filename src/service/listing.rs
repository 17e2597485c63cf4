//! A listing as it is answered: one JSON object, made page by page as the reader takes it.
//!
//! Which rows it has is decided first and kept as numbers; of the rows themselves no answer holds more than a page, so
//! readers that are many or slow cost little memory.

use std::time::Duration;

use futures_util::stream;
use serde::de::DeserializeOwned;

use crate::api::{Pieces, Refusal};
use crate::domain::model::Timestamp;
use crate::domain::outbox::Delivery;
use crate::edge::store::{DeliveryFilter, Store};

/// How many rows are read at once.
const PAGE: usize = 25;

/// How many rows a listing has unless asked otherwise.
const LISTED: usize = 100;
/// The most rows of one listing.
pub const LISTED_MOST: usize = 1_000;

/// What the rows are.
pub(super) enum Rows {
    /// Events.
    Events,
    /// Deliveries that pass this filter.
    Deliveries(DeliveryFilter),
}

/// What is still to come of a listing.
struct Rest {
    store: Store,
    rows: Rows,
    /// The next ones at the end, from where they are taken.
    numbers: Vec<u64>,
    /// What stands before the next piece, and before the next row.
    opening: &'static str,
    comma: &'static str,
    tail: String,
}

/// `{"data":[`, the rows with these numbers, and `tail`.
pub(super) fn listing(store: &Store, rows: Rows, mut numbers: Vec<u64>, tail: String) -> Pieces {
    numbers.reverse();
    let rest = Rest { store: store.clone(), rows, numbers, opening: "{\"data\":[", comma: "", tail };
    Box::pin(stream::try_unfold(Some(rest), async |rest| {
        let Some(mut rest) = rest else { return Ok(None) };
        let mut piece = std::mem::take(&mut rest.opening).to_owned();
        if rest.numbers.is_empty() {
            piece.push_str(&rest.tail);
            return Ok(Some((piece, None)));
        }
        for row in rest.page().await? {
            piece.push_str(std::mem::replace(&mut rest.comma, ","));
            piece.push_str(&row);
        }
        Ok(Some((piece, Some(rest))))
    }))
}

impl Rest {
    /// The JSON of the next rows.
    async fn page(&mut self) -> Result<Vec<String>, Refusal> {
        let numbers = self.numbers.split_off(self.numbers.len().saturating_sub(PAGE)).into_iter().rev().collect();
        match &self.rows {
            Rows::Events => Ok(self.store.events_numbered(numbers).await?),
            Rows::Deliveries(filter) => {
                let found: Vec<Delivery> = self.store.deliveries_numbered(numbers, filter.clone()).await?;
                found.iter().map(|delivery| serde_json::to_string(delivery).map_err(Refusal::failed)).collect()
            }
        }
    }
}

/// An id as it is written, where it can be one.
pub(super) fn of_id<T: DeserializeOwned>(id: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(id)).ok()
}

/// `since` as a moment: `2h` is so long before `now`, or an RFC 3339 time.
pub(super) fn since(text: &str, now: Timestamp) -> Result<Timestamp, Refusal> {
    let ago = humantime::parse_duration(text).ok().filter(|ago| *ago <= Duration::from_secs(100 * 365 * 86_400));
    let moment = ago.map(|ago| now - ago).or_else(|| text.parse().ok());
    moment.ok_or_else(|| Refusal::Wrong(format!("`{text}` is no time; write `2h`, `7d` or `2026-11-23T00:00:00Z`")))
}

/// How many rows are wanted.
pub(super) fn limit(asked: Option<usize>) -> Result<usize, Refusal> {
    match asked {
        None => Ok(LISTED),
        Some(limit @ 1..=LISTED_MOST) => Ok(limit),
        Some(_) => Err(Refusal::Wrong(format!("`limit` must be from 1 to {LISTED_MOST}"))),
    }
}
