//! What is due, and what waits.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;

use super::engine::{Engine, Span};
use super::record;
use super::{Store, StoreError, keys};
use crate::domain::event::{DeliveryId, EventKind};
use crate::domain::model::{ChannelName, Subject, Timestamp};
use crate::domain::outbox::{Delivery, News, Waiting};

/// How many waiting deliveries one read looks at: a fraction of a second, so that an end that was asked for is not kept
/// waiting by a thread that reads a million.
const LOOKED_AT_ONCE: usize = 2_000;

/// A delivery that is due, with the events it carries.
#[derive(Debug, Clone)]
pub struct DueDelivery {
    /// The delivery.
    pub delivery: Delivery,
    /// The JSON of its events, to the byte; fewer than the delivery names where the store has lost one.
    pub events: Vec<String>,
}

/// Until when what is due is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    now: Timestamp,
    /// What is due later is due now.
    latest: Timestamp,
}

impl When {
    /// Now, where nothing is put off for longer than `longest`. What is due later than that was put off by a clock that was
    /// ahead, and would wait until that day: it counts as due. Whoever plans farther ahead on purpose says so here.
    pub fn with_pauses(now: Timestamp, longest: Duration) -> When {
        let longest = TimeDelta::from_std(longest).unwrap_or(TimeDelta::MAX);
        When { now, latest: now.checked_add_signed(longest).unwrap_or(Timestamp::MAX_UTC) }
    }
}

impl From<Timestamp> for When {
    /// Now, whatever it was put off by.
    fn from(now: Timestamp) -> When {
        When { now, latest: Timestamp::MAX_UTC }
    }
}

/// What a channel has to do.
#[derive(Debug, Clone, Default)]
pub struct Due {
    /// What is due now: what is critical first, and of each the longest due.
    pub now: Vec<DueDelivery>,
    /// When the next one will be, if nothing else happens.
    pub next: Option<Timestamp>,
    /// How many due records cannot be understood. They stay where they are, for a version that can.
    pub unreadable: usize,
}

/// A part of what waits for a channel.
#[derive(Debug, Clone, Default)]
pub struct WaitingPage {
    /// The deliveries whose events can all be overtaken by newer ones.
    pub states: Vec<Waiting>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<PageStart>,
}

/// Where a part of what waits begins. Only the store can read it.
#[derive(Debug, Clone)]
pub struct PageStart(pub(super) Vec<u8>);

impl Store {
    /// The next part of what waits for `channel`, due or not, without what is `busy`.
    ///
    /// What is unsynced, lost or of another version is left out: it goes its usual way.
    pub async fn waiting_states(
        &self,
        channel: &ChannelName,
        from: Option<PageStart>,
        busy: BTreeSet<DeliveryId>,
    ) -> Result<WaitingPage, StoreError> {
        let prefix = keys::due_of(channel);
        let durable = self.inner.committer.durable();
        self.reading(move |engine| {
            let end = keys::end_of(&prefix);
            let begin = from.map_or(prefix, |PageStart(key)| key);
            let mut page = WaitingPage::default();
            for (looked, key) in engine.keys(Span::from(begin..end)).enumerate() {
                let key = key?;
                if looked == LOOKED_AT_ONCE {
                    page.next = Some(PageStart(key.to_vec()));
                    break;
                }
                let Some(number) = keys::number_of(&key).filter(|number| *number < durable.delivery) else { continue };
                let Stored::Delivery(delivery) = stored(engine, number)? else { continue };
                let is_left_alone = busy.contains(&delivery.id) || !delivery.may_be_overtaken();
                if is_left_alone || delivery.state.due_at().is_none() {
                    continue;
                }
                if let Some(news) = news_of(engine, &delivery)? {
                    page.states.push(Waiting { delivery: *delivery, news });
                }
            }
            Ok(page)
        })
        .await
    }

    /// What is due for `channel` at `when`: at most `limit`, leaving out what `busy` says is under way. Waits until all that
    /// is stored is known to be whole.
    pub async fn due<F>(
        &self,
        channel: &ChannelName,
        when: impl Into<When>,
        limit: usize,
        busy: F,
    ) -> Result<Due, StoreError>
    where
        F: Fn(&Delivery) -> bool + Send + 'static,
    {
        self.whole().await?;
        let (channel, when) = (channel.clone(), when.into());
        let durable = self.inner.committer.durable().delivery;
        self.reading(move |engine| {
            let mut look = Look { engine, durable, limit, busy, due: Due::default() };
            for lane in keys::Lane::ALL {
                look.along(&channel, lane, when)?;
            }
            Ok(look.due)
        })
        .await
    }
}

/// A look at what is due.
struct Look<'a, F> {
    engine: &'a dyn Engine,
    /// The number of the first delivery that is not durable.
    durable: u64,
    limit: usize,
    busy: F,
    due: Due,
}

impl<F: Fn(&Delivery) -> bool> Look<'_, F> {
    /// Takes what is due in one queue of the channel.
    fn along(&mut self, channel: &ChannelName, lane: keys::Lane, When { now, latest }: When) -> Result<(), StoreError> {
        let end = keys::end_of_lane(channel, lane);
        let engine = self.engine;
        for key in engine.keys(Span::from(keys::due(channel, lane, Timestamp::UNIX_EPOCH, 0)..end.clone())) {
            if self.due.now.len() >= self.limit {
                return Ok(());
            }
            let key = key?;
            let (at, number) = due_parts(&key)?;
            if at > now {
                self.next_at(at.min(latest));
                break;
            }
            self.take(&key, number, now)?;
        }
        // In the order of due times too; nothing stands here unless a clock was ahead.
        for key in engine.keys(Span::from(keys::due(channel, lane, latest, u64::MAX)..end)) {
            if self.due.now.len() >= self.limit {
                break;
            }
            let key = key?;
            self.take(&key, due_parts(&key)?.1, Timestamp::MAX_UTC)?;
        }
        Ok(())
    }

    /// Takes the delivery whose key this is, if it is due until `until` and may be sent.
    fn take(&mut self, key: &[u8], number: u64, until: Timestamp) -> Result<(), StoreError> {
        if number >= self.durable {
            // Its commit is not synced. Sent now and lost in a power cut, its event's number and id would be given to
            // another change. Whoever commits it wakes the channel.
            return Ok(());
        }
        // Read once more after the question: an attempt that ended between the look and the question was not busy any
        // more, and what it settled would be sent a second time.
        let seen = match stored(self.engine, number)? {
            Stored::Delivery(seen) if (self.busy)(&seen) => return Ok(()),
            Stored::Delivery(_) => stored(self.engine, number)?,
            other => other,
        };
        let delivery = match seen {
            Stored::Delivery(delivery) => *delivery,
            Stored::Nothing => return Ok(()),
            Stored::Unreadable => {
                self.due.unreadable += 1;
                return Ok(());
            }
        };
        let Some(due_at) = delivery.state.due_at() else { return Ok(()) };
        if !keys::due_keys(&delivery, due_at, number).iter().any(|of_delivery| key == of_delivery) {
            // Moved meanwhile: it has another key, and counts there.
            return Ok(());
        }
        if due_at > until {
            // Later in the same millisecond.
            self.next_at(due_at);
            return Ok(());
        }
        let events = events_of(self.engine, &delivery)?;
        self.due.now.push(DueDelivery { delivery, events });
        Ok(())
    }

    fn next_at(&mut self, at: Timestamp) {
        self.due.next = Some(self.due.next.map_or(at, |next| next.min(at)));
    }
}

fn due_parts(key: &[u8]) -> Result<(Timestamp, u64), StoreError> {
    keys::due_parts(key).ok_or_else(|| StoreError::Unreadable("a due key".to_owned()))
}

/// What stands under a delivery's number.
pub(super) enum Stored {
    Delivery(Box<Delivery>),
    Nothing,
    Unreadable,
}

pub(super) fn stored(engine: &dyn Engine, number: u64) -> Result<Stored, StoreError> {
    Ok(match engine.get(&keys::numbered(keys::DELIVERIES, number))? {
        Some(bytes) => record::read(&bytes).map_or(Stored::Unreadable, |found| Stored::Delivery(Box::new(found))),
        None => Stored::Nothing,
    })
}

/// One message that cannot be read must not end the service at each start: what is lost is missing here, and the
/// caller gives the delivery up.
pub(super) fn events_of(engine: &dyn Engine, delivery: &Delivery) -> Result<Vec<String>, StoreError> {
    let mut events = Vec::with_capacity(delivery.events.len());
    for id in &delivery.events {
        let number = engine.get(&keys::event_by_id(id))?.and_then(|number| keys::number_of(&number));
        let stored = match number {
            Some(number) => engine.get(&keys::numbered(keys::EVENTS, number))?,
            None => None,
        };
        events.extend(stored.and_then(|stored| record::read_event(&stored).ok()).map(|(_, json)| json));
    }
    Ok(events)
}

/// What is known of the events of a delivery; `None` unless all of them can be overtaken.
fn news_of(engine: &dyn Engine, delivery: &Delivery) -> Result<Option<Vec<News>>, StoreError> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "type")]
        kind: String,
        subject: Subject,
    }
    let mut all = Vec::with_capacity(delivery.events.len());
    for id in &delivery.events {
        let Some(number) = engine.get(&keys::event_by_id(id))?.and_then(|number| keys::number_of(&number)) else {
            return Ok(None);
        };
        let stored = engine.get(&keys::numbered(keys::EVENTS, number))?;
        let Some((_, json)) = stored.and_then(|stored| record::read_event(&stored).ok()) else { return Ok(None) };
        let Ok(Head { kind, subject }) = record::read(json.as_bytes()) else { return Ok(None) };
        match EventKind::by_name(&kind).filter(|kind| News::can_be_overtaken(*kind)) {
            Some(kind) => all.push(News { kind, subject, number, json: json.len() }),
            None => return Ok(None),
        }
    }
    Ok(Some(all))
}
