//! What is stored, for passes and for people.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::commit::Gathering;
use super::engine::{Bytes, Engine, Span};
use super::listed::split;
use super::record::{self, ChannelsTold, ResourceRecord, ShopRecord};
use super::{Store, StoreError, keys};
use crate::domain::diff::Known;
use crate::domain::diff::guard::{GuardRecord, Held};
use crate::domain::event::DeliveryId;
use crate::domain::model::{ChannelName, EntityId, Resource, ShopId, Timestamp};
use crate::domain::outbox::{Delivery, State};

/// Which deliveries to list.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Only those in this state: `pending`, `retrying`, `delivered`, `dead` or `dropped`.
    pub state: Option<String>,
    /// Only those to this channel.
    pub channel: Option<String>,
    /// Only those before this number.
    pub before: Option<u64>,
    /// At most so many, the newest.
    pub limit: usize,
}

impl DeliveryFilter {
    fn is_for(&self, delivery: &Delivery) -> bool {
        self.state.as_ref().is_none_or(|state| delivery.state.name() == state)
            && self.channel.as_ref().is_none_or(|channel| delivery.channel.as_str() == channel)
    }
}

/// How many deliveries wait, for each channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// Deliveries that are due or will be, by channel.
    pub waiting: BTreeMap<String, u64>,
    /// Dead letters.
    pub dead: u64,
}

impl Store {
    /// What is known of one resource, read whole.
    pub async fn known<R>(&self, shop: &ShopId, resource: Resource) -> Result<Known<R>, StoreError>
    where
        R: DeserializeOwned + Send + 'static,
    {
        let Some(record) = self.resource(shop, resource).await? else { return Ok(Known::Nothing) };
        let prefix = keys::rows(shop, resource);
        self.reading(move |engine| {
            let mut rows = BTreeMap::new();
            for entry in engine.scan(Span::prefix(&prefix)) {
                let (key, value) = entry?;
                let id = keys::entity_of(&key, &prefix)?;
                let row = record::read_of::<R>(split(&value).1, id.as_str())?;
                rows.insert(id, row);
            }
            Ok(Known::Rows { rows, horizon: record.horizon })
        })
        .await
    }

    /// From where on events may wait for messages of several; `None` where none do.
    pub async fn gathering(&self, shop: &ShopId, resource: Resource) -> Result<Option<Gathering>, StoreError> {
        let key = keys::gathering(shop, resource);
        self.reading(move |engine| Ok(engine.get(&key)?.and_then(|bytes| Gathering::read(&bytes)))).await
    }

    /// A row as a commit takes it.
    pub fn row<R: serde::Serialize>(row: &R) -> Result<Vec<u8>, StoreError> {
        record::json(row)
    }

    /// What is known of one resource apart from its rows; `None` before its first accepted pass.
    pub async fn resource(&self, shop: &ShopId, resource: Resource) -> Result<Option<ResourceRecord>, StoreError> {
        self.get(keys::resource(shop, resource)).await
    }

    /// The ids of rows that lie in the store although there was no accepted pass yet: what an interrupted baseline
    /// has left.
    pub async fn leftovers(&self, shop: &ShopId, resource: Resource) -> Result<Vec<EntityId>, StoreError> {
        let prefix = keys::rows(shop, resource);
        self.reading(move |engine| {
            let keys = engine.keys(Span::prefix(&prefix)).collect::<Result<Vec<_>, _>>()?;
            Ok(keys.into_iter().filter_map(|key| keys::entity_of(&key, &prefix).ok()).collect())
        })
        .await
    }

    /// What the guard remembers of a resource.
    pub async fn guard(&self, shop: &ShopId, resource: Resource) -> Result<GuardRecord, StoreError> {
        Ok(self.get(keys::guard(shop, resource)).await?.unwrap_or_default())
    }

    /// The pass over a resource that is held, if one is.
    pub async fn held(&self, shop: &ShopId, resource: Resource) -> Result<Option<Held>, StoreError> {
        Ok(self.guard(shop, resource).await?.held)
    }

    /// Every pass that is held, also of shops that the configuration no longer has.
    pub async fn all_held(&self) -> Result<Vec<(ShopId, Resource, Held)>, StoreError> {
        self.reading(|engine| {
            let mut found = Vec::new();
            for entry in engine.scan(Span::prefix(keys::GUARDS)) {
                let (key, value) = entry?;
                // A resource of a later version is none that can be decided about here.
                let Some((shop, resource)) = keys::guard_parts(&key) else { continue };
                let record: GuardRecord = record::read(&value)?;
                found.extend(record.held.map(|held| (shop, resource, held)));
            }
            Ok(found)
        })
        .await
    }

    /// What is known of a shop.
    pub async fn shop(&self, shop: &ShopId) -> Result<ShopRecord, StoreError> {
        Ok(self.get(keys::shop(shop)).await?.unwrap_or_default())
    }

    /// What was told of channels.
    pub async fn channels_told(&self) -> Result<ChannelsTold, StoreError> {
        Ok(self.get(keys::CHANNELS.to_vec()).await?.unwrap_or_default())
    }

    /// How many of the newest dead letters were given up since this moment. At most so many are looked at.
    pub async fn dead_since(&self, moment: Timestamp, most: usize) -> Result<usize, StoreError> {
        let end = self.inner.committer.durable().delivery;
        self.reading(move |engine| {
            let mut found = 0;
            for stored in candidates(engine, end, Some("dead"))?.take(most) {
                let Some((_, stored)) = stored? else { continue };
                let delivery = record::read::<Delivery>(&stored);
                found += usize::from(
                    delivery.is_ok_and(|delivery| matches!(delivery.state, State::Dead { at } if at >= moment)),
                );
            }
            Ok(found)
        })
        .await
    }

    async fn get<T: DeserializeOwned + Send + 'static>(&self, key: Vec<u8>) -> Result<Option<T>, StoreError> {
        self.reading(move |engine| engine.get(&key)?.map(|bytes| record::read(&bytes)).transpose()).await
    }

    /// The newest deliveries that pass the filter, oldest first.
    pub async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        self.found_deliveries(filter, |_, delivery| delivery).await
    }

    /// The numbers of the same deliveries, which take little memory however long the deliveries are.
    pub async fn delivery_numbers(&self, filter: DeliveryFilter) -> Result<Vec<u64>, StoreError> {
        self.found_deliveries(filter, |number, _| number).await
    }

    async fn found_deliveries<T: Send + 'static>(
        &self,
        filter: DeliveryFilter,
        keep: fn(u64, Delivery) -> T,
    ) -> Result<Vec<T>, StoreError> {
        let end = self.inner.committer.durable().delivery.min(filter.before.unwrap_or(u64::MAX));
        self.reading(move |engine| {
            let mut found = Vec::new();
            for stored in candidates(engine, end, filter.state.as_deref())? {
                if found.len() >= filter.limit {
                    break;
                }
                let Some((number, stored)) = stored? else { continue };
                let delivery: Delivery = record::read(&stored)?;
                if filter.is_for(&delivery) {
                    found.push(keep(number, delivery));
                }
            }
            found.reverse();
            Ok(found)
        })
        .await
    }

    /// The deliveries with these numbers, as far as they still are there and pass the filter.
    pub async fn deliveries_numbered(
        &self,
        numbers: Vec<u64>,
        filter: DeliveryFilter,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.reading(move |engine| {
            let mut found = Vec::new();
            for number in numbers {
                let Some(stored) = engine.get(&keys::numbered(keys::DELIVERIES, number))? else { continue };
                let delivery: Delivery = record::read(&stored)?;
                found.extend(filter.is_for(&delivery).then_some(delivery));
            }
            Ok(found)
        })
        .await
    }

    /// The number of the delivery with this id.
    pub async fn delivery_number(&self, id: DeliveryId) -> Result<Option<u64>, StoreError> {
        let key = keys::delivery_by_id(&id);
        self.reading(move |engine| Ok(engine.get(&key)?.and_then(|number| keys::number_of(&number)))).await
    }

    /// One delivery.
    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let durable = self.inner.committer.durable();
        self.reading(move |engine| {
            let number = engine.get(&keys::delivery_by_id(&id))?.and_then(|number| keys::number_of(&number));
            let Some(number) = number.filter(|number| *number < durable.delivery) else { return Ok(None) };
            engine.get(&keys::numbered(keys::DELIVERIES, number))?.map(|bytes| record::read(&bytes)).transpose()
        })
        .await
    }

    /// How many deliveries wait and how many are dead.
    pub async fn outbox_counts(&self) -> Result<OutboxCounts, StoreError> {
        self.reading(|engine| {
            let mut counts =
                OutboxCounts { dead: engine.scan(Span::prefix(keys::DEAD)).count() as u64, ..OutboxCounts::default() };
            for key in engine.keys(Span::prefix(keys::DUE)) {
                let key = key?;
                *counts.waiting.entry(String::from_utf8_lossy(channel_of(&key)).into_owned()).or_default() += 1;
            }
            Ok(counts)
        })
        .await
    }

    /// The channels that deliveries wait for, whether or not the configuration still has them.
    pub async fn waiting_channels(&self) -> Result<Vec<ChannelName>, StoreError> {
        self.reading(|engine| {
            let mut channels = Vec::new();
            let mut from = keys::DUE.to_vec();
            // From the first of each channel to behind its last: a dead channel may have a million in between.
            while let Some(first) = engine.keys(Span::from(from..keys::end_of(keys::DUE))).next().transpose()? {
                let channel = keys::channel_of(&first)?;
                from = keys::end_of(&keys::due_of(&channel));
                channels.push(channel);
            }
            Ok(channels)
        })
        .await
    }

    /// Whether the store still answers; costs the same however much it holds.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.reading(|engine| match engine.get(keys::FORM)? {
            Some(_) => Ok(()),
            None => Err(StoreError::Damaged("it has lost its form number".to_owned())),
        })
        .await
    }
}

/// Deliveries as they are stored, one at a time, with their numbers.
type StoredDeliveries<'a> = Box<dyn Iterator<Item = Result<Option<(u64, Bytes)>, StoreError>> + 'a>;

/// The deliveries below the number `end` that may be in this state, the newest first: of dead ones and of those that wait
/// no others are read, however many there are.
fn candidates<'a>(engine: &'a dyn Engine, end: u64, state: Option<&str>) -> Result<StoredDeliveries<'a>, StoreError> {
    let get = |number| {
        let stored = engine.get(&keys::numbered(keys::DELIVERIES, number))?;
        Ok(stored.map(|stored| (number, stored)))
    };
    Ok(match state {
        Some("dead") => {
            let dead = engine.scan_back(Span::from(keys::DEAD.to_vec()..keys::numbered(keys::DEAD, end)));
            Box::new(dead.map(move |entry| get(keys::number_of(&entry?.0).unwrap_or_default())))
        }
        Some("pending" | "retrying") => {
            let due = engine.keys(Span::prefix(keys::DUE));
            let mut waiting: Vec<u64> =
                due.map(|key| Ok(keys::number_of(&key?).unwrap_or_default())).collect::<Result<_, StoreError>>()?;
            waiting.retain(|number| *number < end);
            waiting.sort_unstable();
            Box::new(waiting.into_iter().rev().map(get))
        }
        _ => {
            let all = engine.scan_back(Span::from(keys::DELIVERIES.to_vec()..keys::numbered(keys::DELIVERIES, end)));
            Box::new(all.map(|entry| {
                let (key, stored) = entry?;
                Ok(Some((keys::number_of(&key).unwrap_or_default(), stored)))
            }))
        }
    })
}

/// The channel's name in a due key.
fn channel_of(key: &[u8]) -> &[u8] {
    key[keys::DUE.len()..].split(|byte| *byte == b'/').next().unwrap_or_default()
}
