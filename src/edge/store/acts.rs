//! What a person's word on the outbox is about: dead letters, past deliveries and past events, part by part.
//!
//! A part is small and says where the next one begins, so that half a million records are gone through with the memory
//! of a hundred, and an end that was asked for is not kept waiting. Only what is durable is seen.

use serde::Deserialize;

use super::engine::{Engine, Span};
use super::record::{self, ReplayRecord};
use super::{Store, StoreError, keys};
use crate::domain::event::{DeliveryId, EventId, EventKind, Pattern};
use crate::domain::model::{ChannelName, Subject, Timestamp};
use crate::domain::outbox::{Address, Delivery, State};

/// How many records one part looks at: a fraction of a second.
const LOOKED_AT_ONCE: usize = 2_000;

/// How much later than its events a delivery is planned at the least: less than nothing, by as much as two readings of
/// a clock that is set in between may differ. A delivery from long before the asked time needs no look at its events.
const PLANNED_BEFORE_SEEN: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// A part of the dead letters.
#[derive(Debug, Clone, Default)]
pub struct DeadPage {
    /// The dead letters, oldest first.
    pub deliveries: Vec<Delivery>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<u64>,
}

/// Which past events are meant, and to where.
#[derive(Debug, Clone)]
pub struct PastFilter {
    /// Seen from here on.
    pub since: Timestamp,
    /// Seen before this.
    pub until: Timestamp,
    /// Only these kinds.
    pub kinds: Option<Pattern>,
    /// Only deliveries to this channel.
    pub channel: Option<ChannelName>,
    /// Only dead letters and what was dropped.
    pub failed: bool,
}

/// A delivery with an event that is meant.
#[derive(Debug, Clone)]
pub struct Past {
    /// The delivery.
    pub delivery: Delivery,
    /// When the first of its events that is meant was seen.
    pub seen: Timestamp,
    /// The kind of that event, as it stands in it.
    pub kind: String,
    /// What that event is about.
    pub subject: Subject,
    /// The store has not all of its events any more, so that it cannot be sent.
    pub is_lost: bool,
}

/// A part of the past deliveries.
#[derive(Debug, Clone, Default)]
pub struct PastDeliveries {
    /// Those that are meant, in the order in which they were planned.
    pub found: Vec<Past>,
    /// How many cannot be understood.
    pub unreadable: u64,
    /// Where the next part begins; `None` at the end.
    pub next: Option<u64>,
}

/// A part of the past events.
#[derive(Debug, Clone, Default)]
pub struct PastEvents {
    /// The JSON of those that are meant with when they were seen, oldest first.
    pub found: Vec<(Timestamp, String)>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<u64>,
}

/// Hands the entries from `begin` on to `take`, which says how many are found by now, until that is enough or enough were
/// looked at. Returns the number of the entry that comes next, if one does.
fn look(
    engine: &dyn Engine,
    begin: Vec<u8>,
    end: Vec<u8>,
    most: usize,
    mut take: impl FnMut(&[u8], &[u8]) -> Result<usize, StoreError>,
) -> Result<Option<u64>, StoreError> {
    if begin >= end {
        return Ok(None);
    }
    let mut found = 0;
    for (looked, entry) in engine.scan(Span::from(begin..end)).enumerate() {
        let (key, value) = entry?;
        if looked == LOOKED_AT_ONCE || found == most {
            return Ok(keys::number_of(&key));
        }
        found = take(&key, &value)?;
    }
    Ok(None)
}

impl Store {
    /// The next dead letters from this number on, at most `most`.
    pub async fn dead_letters(
        &self,
        from: u64,
        channel: Option<ChannelName>,
        most: usize,
    ) -> Result<DeadPage, StoreError> {
        let end = keys::numbered(keys::DEAD, self.inner.committer.durable().delivery);
        self.reading(move |engine| {
            let mut page = DeadPage::default();
            page.next = look(engine, keys::numbered(keys::DEAD, from), end, most, |key, _| {
                let number = keys::number_of(key).unwrap_or_default();
                let stored = engine.get(&keys::numbered(keys::DELIVERIES, number))?;
                // What another version has written waits for one that can read it.
                let delivery = stored.and_then(|bytes| record::read::<Delivery>(&bytes).ok());
                let is_of_channel = |delivery: &Delivery| channel.as_ref().is_none_or(|it| *it == delivery.channel);
                let is_meant =
                    |delivery: &Delivery| is_of_channel(delivery) && matches!(delivery.state, State::Dead { .. });
                page.deliveries.extend(delivery.filter(is_meant));
                Ok(page.deliveries.len())
            })?;
            Ok(page)
        })
        .await
    }

    /// The next past deliveries from this number on, at most `most`. What was collapsed into another is left out.
    pub async fn past_deliveries(
        &self,
        from: u64,
        filter: PastFilter,
        most: usize,
    ) -> Result<PastDeliveries, StoreError> {
        let end = keys::numbered(keys::DELIVERIES, self.inner.committer.durable().delivery);
        self.reading(move |engine| {
            let mut page = PastDeliveries::default();
            page.next = look(engine, keys::numbered(keys::DELIVERIES, from), end, most, |_, value| {
                match record::read::<Delivery>(value) {
                    Ok(delivery) => page.found.extend(past(engine, delivery, &filter)?),
                    Err(_) => page.unreadable += 1,
                }
                Ok(page.found.len())
            })?;
            Ok(page)
        })
        .await
    }

    /// The next past events from this number on, at most `most`.
    pub async fn past_events(&self, from: u64, filter: PastFilter, most: usize) -> Result<PastEvents, StoreError> {
        let end = keys::numbered(keys::EVENTS, self.inner.committer.durable().event);
        self.reading(move |engine| {
            let mut page = PastEvents::default();
            page.next = look(engine, keys::numbered(keys::EVENTS, from), end, most, |_, value| {
                if let Ok((seen, json)) = record::read_event(value)
                    && filter.means(seen, || Some(record::read::<Head>(json.as_bytes()).ok()?.kind))
                {
                    page.found.push((seen, json));
                }
                Ok(page.found.len())
            })?;
            Ok(page)
        })
        .await
    }

    /// Where the next deliveries go that are `wanted`, from this number on, with the events they carry; and where the next
    /// part begins.
    pub async fn addressed<F>(
        &self,
        from: u64,
        wanted: F,
    ) -> Result<(Vec<(Address, Vec<EventId>)>, Option<u64>), StoreError>
    where
        F: Fn(&Delivery) -> bool + Send + 'static,
    {
        let end = keys::numbered(keys::DELIVERIES, self.inner.committer.durable().delivery);
        self.reading(move |engine| {
            let mut found = Vec::new();
            let next = look(engine, keys::numbered(keys::DELIVERIES, from), end, usize::MAX, |_, value| {
                if let Ok(delivery) = record::read::<Delivery>(value)
                    && wanted(&delivery)
                {
                    let Delivery { channel, recipient, events, .. } = delivery;
                    found.push((Address { channel, recipient }, events));
                }
                Ok(found.len())
            })?;
            Ok((found, next))
        })
        .await
    }

    /// Which of these deliveries there are already.
    pub async fn are_planned(&self, ids: Vec<DeliveryId>) -> Result<Vec<bool>, StoreError> {
        self.reading(move |engine| ids.iter().map(|id| engine.has(&keys::delivery_by_id(id))).collect()).await
    }

    /// The replay that was begun and has not ended.
    pub async fn replay(&self) -> Result<Option<ReplayRecord>, StoreError> {
        self.reading(|engine| engine.get(keys::REPLAY)?.map(|bytes| record::read(&bytes)).transpose()).await
    }
}

/// What is read of an event to know whether it is meant.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
    subject: Subject,
}

impl PastFilter {
    /// Whether an event seen then is meant; its kind is asked for only where that matters.
    fn means(&self, seen: Timestamp, kind: impl FnOnce() -> Option<String>) -> bool {
        let of_time = self.since <= seen && seen < self.until;
        let of_kind = |pattern: &Pattern| {
            kind().and_then(|kind| EventKind::by_name(&kind)).is_some_and(|kind| pattern.matches(kind))
        };
        of_time && self.kinds.as_ref().is_none_or(of_kind)
    }
}

/// The delivery, if one of its events is meant.
fn past(engine: &dyn Engine, delivery: Delivery, filter: &PastFilter) -> Result<Option<Past>, StoreError> {
    let is_failed = matches!(delivery.state, State::Dead { .. } | State::Dropped { .. });
    let is_meant = filter.channel.as_ref().is_none_or(|channel| *channel == delivery.channel);
    let is_old = filter.since - delivery.created_at > PLANNED_BEFORE_SEEN;
    if !is_meant || is_old || (filter.failed && !is_failed) || delivery.collapsed_into.is_some() {
        return Ok(None);
    }
    let (mut first, mut is_lost) = (None, false);
    for id in &delivery.events {
        let number = engine.get(&keys::event_by_id(id))?.and_then(|number| keys::number_of(&number));
        let Some(number) = number else {
            is_lost = true;
            continue;
        };
        if first.is_some() {
            continue;
        }
        let Some(stored) = engine.get(&keys::numbered(keys::EVENTS, number))? else {
            is_lost = true;
            continue;
        };
        let Ok((seen, json)) = record::read_event(&stored) else { continue };
        let Ok(Head { kind, subject }) = record::read::<Head>(json.as_bytes()) else { continue };
        if filter.means(seen, || Some(kind.clone())) {
            first = Some((seen, kind, subject));
        }
    }
    Ok(first.map(|(seen, kind, subject)| Past { delivery, seen, kind, subject, is_lost }))
}
