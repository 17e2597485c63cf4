//! How many deliveries wait for each channel, and what becomes of those that are too many.
//!
//! Counted once, when the store is opened, and from then on by what each batch really changes. What would be more than
//! may wait is put in as a dead letter in the same batch, so that nothing is lost and nothing has another id, and the
//! batch says, too, that there is such an overflow: since when, and whether somebody was told. That stands in the store
//! until clearly fewer wait, so that a restart does not tell it again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::engine::{Batch, Engine, Span};
use super::record;
use super::{Store, StoreError, keys};
use crate::domain::model::{ChannelName, Timestamp};
use crate::domain::outbox::Delivery;

/// No bound.
const ANY: u64 = u64::MAX;

/// That more was to be sent to a channel than may wait for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overflow {
    /// When the first of them was planned.
    pub since: Timestamp,
    /// How many became dead letters at once.
    pub refused: u64,
    /// Somebody was told.
    pub told: bool,
}

/// How many may wait for each channel; nobody says so, all.
#[derive(Debug, Clone)]
pub(super) struct Bound(Arc<AtomicU64>);

impl Default for Bound {
    fn default() -> Self {
        Bound(Arc::new(AtomicU64::new(ANY)))
    }
}

/// What waits, as of the last batch.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    bound: Bound,
    counts: BTreeMap<ChannelName, u64>,
    overflows: BTreeMap<ChannelName, Overflow>,
}

/// What a commit has made dead letters of at once: of each channel the first moment, and how many.
pub(super) type Refused = BTreeMap<ChannelName, (Timestamp, u64)>;

impl Waiting {
    /// What waits in an open store.
    pub(super) fn stored(engine: &dyn Engine, bound: Bound) -> Result<Waiting, StoreError> {
        let mut waiting = Waiting { bound, ..Waiting::default() };
        for key in engine.keys(Span::prefix(keys::DUE)) {
            // What another version has written, and nobody can read, waits for nobody.
            if let Ok(channel) = keys::channel_of(&key?) {
                *waiting.counts.entry(channel).or_default() += 1;
            }
        }
        for entry in engine.scan(Span::prefix(keys::OVERFLOWS)) {
            let (key, value) = entry?;
            if let (Ok(channel), Ok(overflow)) = (keys::channel_of(&key), record::read(&value)) {
                waiting.overflows.insert(channel, overflow);
            }
        }
        Ok(waiting)
    }

    /// The delivery as it is to be put in, where so many others for its channel are in the same batch.
    pub(super) fn admit(&self, delivery: Delivery, refused: &mut Refused, planned: u64) -> Delivery {
        let most = self.bound.most();
        let waiting = self.counts.get(&delivery.channel).copied().unwrap_or_default();
        if delivery.state.due_at().is_none() || waiting.saturating_add(planned) < most {
            return delivery;
        }
        let of_channel = refused.entry(delivery.channel.clone()).or_insert((delivery.created_at, 0));
        of_channel.1 += 1;
        delivery.refuse(most)
    }

    /// Counts what the batch changes, and puts into it what is to be known of overflows.
    pub(super) fn follow(
        &mut self,
        engine: &dyn Engine,
        batch: &mut Batch,
        refused: Refused,
        told: &[ChannelName],
    ) -> Result<(), StoreError> {
        for (key, value) in batch.writes().filter(|(key, _)| key.starts_with(keys::DUE)) {
            let of_channel = self.counts.entry(keys::channel_of(key)?).or_default();
            match (engine.has(key)?, value.is_some()) {
                (false, true) => *of_channel += 1,
                (true, false) => *of_channel = of_channel.saturating_sub(1),
                _ => {}
            }
        }
        for (channel, (since, count)) in refused {
            let fresh = Overflow { since, refused: 0, told: false };
            let overflow = self.overflows.entry(channel.clone()).or_insert(fresh);
            overflow.refused += count;
            batch.insert(keys::overflow(&channel), record::write(overflow)?);
        }
        for channel in told {
            if let Some(overflow) = self.overflows.get_mut(channel) {
                overflow.told = true;
                batch.insert(keys::overflow(channel), record::write(overflow)?);
            }
        }
        let most = u128::from(self.bound.most());
        let is_over = |count: u64| u128::from(count) * 10 < most * 9;
        // Who has opened the store without saying how many may wait has no say in it.
        if most < u128::from(ANY) {
            let counts = &self.counts;
            self.overflows.retain(|channel, _| {
                let stays = !is_over(counts.get(channel).copied().unwrap_or_default());
                if !stays {
                    batch.remove(keys::overflow(channel));
                }
                stays
            });
        }
        Ok(())
    }
}

impl Bound {
    fn most(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self, most: u64) {
        self.0.store(most, Ordering::Relaxed);
    }
}

impl Store {
    /// Lets at most so many deliveries wait for each channel. What is planned beyond that is a dead letter at once; what
    /// waits already, and what a person has sent again, is not touched.
    pub fn let_wait_at_most(&self, most: u64) {
        self.inner.committer.bound().set(most);
    }

    /// The channels for which more was to be sent than may wait, until clearly fewer do.
    pub async fn overflows(&self) -> Result<BTreeMap<ChannelName, Overflow>, StoreError> {
        self.reading(|engine| {
            let entries = engine.scan(Span::prefix(keys::OVERFLOWS));
            let mut read = BTreeMap::new();
            for entry in entries {
                let (key, value) = entry?;
                // What another version has written is for that one to tell.
                if let (Ok(channel), Ok(overflow)) = (keys::channel_of(&key), record::read(&value)) {
                    read.insert(channel, overflow);
                }
            }
            Ok(read)
        })
        .await
    }
}

#[cfg(test)]
mod tests;
