//! What waits for a channel because an attempt failed, when the next attempt is, and what is remembered of the channel:
//! its settings, and when it was called.
//!
//! The keys of the queue are in the order of time, so what is due already is passed over without being read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::engine::Span;
use super::outbox::{DueDelivery, PageStart, Stored, events_of, stored};
use super::{Store, StoreError, keys, record};
use crate::domain::event::DeliveryId;
use crate::domain::model::{ChannelName, Timestamp};
use crate::domain::outbox::{Attempt, Delivery, State};

/// How many waiting deliveries one read looks at: a fraction of a second.
const LOOKED_AT_ONCE: usize = 2_000;

/// How many deliveries one part has: a commit changes them.
const AT_ONCE: usize = 100;

/// Among how many of the newest deliveries of all channels the latest calls are looked for.
const NEWEST: usize = 1_000;

/// And among how many before the first that waits for a channel.
const BEFORE_THE_FIRST: usize = 200;

/// What is known of a channel apart from what waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChannelRecord {
    /// A hash of its settings when it last ran.
    pub settings: String,
    /// When a start last made due what had failed.
    pub tried_at: Option<Timestamp>,
}

/// Which of what failed is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// All of it.
    All,
    /// All but what met the wish of a receiver to be left alone that is not over.
    WithoutPauses,
    /// Only what met such a wish.
    OnlyPauses,
}

/// A part of what failed and waits.
#[derive(Debug, Clone, Default)]
pub struct FailedPage {
    /// The deliveries that are put off because an attempt failed.
    pub ids: Vec<DeliveryId>,
    /// How much is left of the longest pause that their receivers asked for.
    pub pause: Option<Duration>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<PageStart>,
}

/// What has become of deliveries that were asked for by their ids.
#[derive(Debug, Clone, Default)]
pub struct StillWaiting {
    /// Those that wait still and are not under way, with their events.
    pub waiting: Vec<DueDelivery>,
    /// Those that wait no more.
    pub gone: Vec<DeliveryId>,
}

impl Store {
    /// The next part of what is due for `channel` later than `now` because an attempt failed.
    pub async fn failed(
        &self,
        channel: &ChannelName,
        now: Timestamp,
        which: Failed,
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
                    page.take(*delivery, which, now);
                }
            }
            Ok(page)
        })
        .await
    }

    /// Those of these deliveries that wait still, whatever they are due, without what `busy` says is under way.
    pub async fn waiting_of<F>(&self, ids: Vec<DeliveryId>, busy: F) -> Result<StillWaiting, StoreError>
    where
        F: Fn(&Delivery) -> bool + Send + 'static,
    {
        let durable = self.inner.committer.durable().delivery;
        self.reading(move |engine| {
            let mut found = StillWaiting::default();
            for id in ids {
                let number = engine.get(&keys::delivery_by_id(&id))?.and_then(|number| keys::number_of(&number));
                let Some(number) = number.filter(|number| *number < durable) else {
                    found.gone.push(id);
                    continue;
                };
                // Read once more after the question: an attempt that ended in between was not busy any more.
                let seen = match stored(engine, number)? {
                    Stored::Delivery(seen) if busy(&seen) => continue,
                    Stored::Delivery(_) => stored(engine, number)?,
                    other => other,
                };
                match seen {
                    Stored::Delivery(delivery) if delivery.state.due_at().is_some() => {
                        let events = events_of(engine, &delivery)?;
                        found.waiting.push(DueDelivery { delivery: *delivery, events });
                    }
                    Stored::Delivery(_) | Stored::Nothing | Stored::Unreadable => found.gone.push(id),
                }
            }
            Ok(found)
        })
        .await
    }

    /// When the latest attempts at each of these channels ended, in no order.
    ///
    /// Among the newest deliveries, and where many wait, among those before the first that does: what is sent now is
    /// there. What cannot be read is passed over.
    pub async fn latest_calls(
        &self,
        channels: Vec<ChannelName>,
    ) -> Result<BTreeMap<ChannelName, Vec<Timestamp>>, StoreError> {
        let durable = self.inner.committer.durable().delivery;
        self.reading(move |engine| {
            let mut calls = BTreeMap::new();
            let mut looked = BTreeSet::new();
            let mut look = |end: u64, most: usize| -> Result<(), StoreError> {
                let span = Span::from(keys::DELIVERIES.to_vec()..keys::numbered(keys::DELIVERIES, end));
                for entry in engine.scan_back(span).take(most) {
                    let (key, value) = entry?;
                    let Ok(delivery) = record::read::<Delivery>(&value) else { continue };
                    if looked.insert(key.to_vec()) && channels.contains(&delivery.channel) {
                        let ends = delivery.attempts.iter().map(Attempt::ended);
                        calls.entry(delivery.channel.clone()).or_insert_with(Vec::new).extend(ends);
                    }
                }
                Ok(())
            };
            look(durable, NEWEST)?;
            for channel in &channels {
                for lane in keys::Lane::ALL {
                    let begin = keys::due(channel, lane, Timestamp::UNIX_EPOCH, 0);
                    let key = engine.keys(Span::from(begin..keys::end_of_lane(channel, lane))).next().transpose()?;
                    if let Some(first) = key.and_then(|key| keys::number_of(&key)) {
                        look(first.min(durable), BEFORE_THE_FIRST)?;
                    }
                }
            }
            Ok(calls)
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

impl FailedPage {
    fn take(&mut self, delivery: Delivery, which: Failed, now: Timestamp) {
        let pause = delivery.pause_left(now);
        let is_asked_for = match which {
            Failed::All => true,
            Failed::WithoutPauses => pause.is_none(),
            Failed::OnlyPauses => pause.is_some(),
        };
        if matches!(delivery.state, State::Retrying { .. }) && is_asked_for {
            self.pause = self.pause.max(pause);
            self.ids.push(delivery.id);
        }
    }
}
