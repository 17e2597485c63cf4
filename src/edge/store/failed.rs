//! What waits for a channel because an attempt failed, when the next attempt is, and what is remembered of the channel.
//!
//! The keys of the queue are in the order of time, so what is due already is passed over without being read.

use serde::{Deserialize, Serialize};

use super::engine::Span;
use super::outbox::{DueDelivery, PageStart, Stored, events_of, stored};
use super::{Store, StoreError, keys, record};
use crate::domain::event::DeliveryId;
use crate::domain::model::{ChannelName, Timestamp};
use crate::domain::outbox::{Attempt, State};

/// How many waiting deliveries one read looks at: a fraction of a second.
const LOOKED_AT_ONCE: usize = 2_000;

/// How many deliveries one part has: a commit changes them.
const AT_ONCE: usize = 100;

/// What is known of a channel apart from what waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChannelRecord {
    /// A hash of its settings when it last ran.
    pub settings: String,
    /// When a start last made due what had failed.
    pub tried_at: Option<Timestamp>,
}

/// A part of what failed and waits.
#[derive(Debug, Clone, Default)]
pub struct FailedPage {
    /// The deliveries that are put off because an attempt failed.
    pub ids: Vec<DeliveryId>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<PageStart>,
}

impl Store {
    /// The next part of what is due for `channel` later than `now` because an attempt failed. What the receiver asked to
    /// be left alone for is left out unless `with_pauses`.
    pub async fn failed(
        &self,
        channel: &ChannelName,
        now: Timestamp,
        with_pauses: bool,
        from: Option<PageStart>,
    ) -> Result<FailedPage, StoreError> {
        let durable = self.inner.committer.durable().delivery;
        let channel = channel.clone();
        self.reading(move |engine| {
            let mut page = FailedPage::default();
            let mut looked = 0;
            // In the order of the keys, so that the next part begins where this one ends.
            for lane in keys::Lane::ALL.into_iter().rev() {
                let end = keys::end_of_lane(&channel, lane);
                let begin = keys::due(&channel, lane, now, u64::MAX);
                let begin = match &from {
                    Some(PageStart(from)) if *from >= end => continue,
                    Some(PageStart(from)) => begin.max(from.clone()),
                    None => begin,
                };
                for key in engine.keys(Span::from(begin..end)) {
                    let key = key?;
                    if looked == LOOKED_AT_ONCE || page.ids.len() == AT_ONCE {
                        page.next = Some(PageStart(key.to_vec()));
                        return Ok(page);
                    }
                    looked += 1;
                    let Some(number) = keys::number_of(&key).filter(|number| *number < durable) else { continue };
                    let Stored::Delivery(delivery) = stored(engine, number)? else { continue };
                    let pauses = delivery.attempts.last().is_some_and(|last: &Attempt| last.pauses);
                    if matches!(delivery.state, State::Retrying { .. }) && (with_pauses || !pauses) {
                        page.ids.push(delivery.id);
                    }
                }
            }
            Ok(page)
        })
        .await
    }

    /// Those of these deliveries that wait still, with their events, whatever they are due.
    pub async fn waiting_of(&self, ids: Vec<DeliveryId>) -> Result<Vec<DueDelivery>, StoreError> {
        let durable = self.inner.committer.durable().delivery;
        self.reading(move |engine| {
            let mut found = Vec::new();
            for id in ids {
                let number = engine.get(&keys::delivery_by_id(&id))?.and_then(|number| keys::number_of(&number));
                let Some(number) = number.filter(|number| *number < durable) else { continue };
                let Stored::Delivery(delivery) = stored(engine, number)? else { continue };
                if delivery.state.due_at().is_some() {
                    let events = events_of(engine, &delivery)?;
                    found.push(DueDelivery { delivery: *delivery, events });
                }
            }
            Ok(found)
        })
        .await
    }

    /// When the first delivery that waits for `channel` is due; `None` where none waits.
    pub async fn next_due(&self, channel: &ChannelName) -> Result<Option<Timestamp>, StoreError> {
        let channel = channel.clone();
        self.reading(move |engine| {
            let mut first = None;
            for lane in keys::Lane::ALL {
                let begin = keys::due(&channel, lane, Timestamp::UNIX_EPOCH, 0);
                let key = engine.keys(Span::from(begin..keys::end_of_lane(&channel, lane))).next().transpose()?;
                let at = key.and_then(|key| keys::due_parts(&key)).map(|(at, _)| at);
                first = at.into_iter().chain(first).min();
            }
            Ok(first)
        })
        .await
    }

    /// What is known of a channel apart from what waits for it; `None` where it never ran.
    pub async fn channel(&self, channel: &ChannelName) -> Result<Option<ChannelRecord>, StoreError> {
        let key = keys::channel(channel);
        // What another version has written is as good as nothing: it costs one attempt more.
        self.reading(move |engine| Ok(engine.get(&key)?.and_then(|bytes| record::read(&bytes).ok()))).await
    }
}
