//! What is due, and what waits.

use std::collections::BTreeSet;

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

/// What a channel has to do.
#[derive(Debug, Clone, Default)]
pub struct Due {
    /// What is due now, the longest due first.
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
pub struct PageStart(Vec<u8>);

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

    /// What is due for `channel` at `now`: at most `limit`, leaving out what `busy` says is under way. Waits until all that
    /// is stored is known to be whole.
    pub async fn due<F>(&self, channel: &ChannelName, now: Timestamp, limit: usize, busy: F) -> Result<Due, StoreError>
    where
        F: Fn(&Delivery) -> bool + Send + 'static,
    {
        self.whole().await?;
        let prefix = keys::due_of(channel);
        let durable = self.inner.committer.durable();
        self.reading(move |engine| {
            let mut due = Due::default();
            for key in engine.keys(Span::prefix(&prefix)) {
                if due.now.len() >= limit {
                    break;
                }
                let key = key?;
                let (at, number) =
                    keys::due_parts(&key).ok_or_else(|| StoreError::Unreadable("a due key".to_owned()))?;
                if at > now {
                    due.next = Some(due.next.map_or(at, |next| next.min(at)));
                    break;
                }
                if number >= durable.delivery {
                    // Its commit is not synced. Sent now and lost in a power cut, its event's number and id would be
                    // given to another change. Whoever commits it wakes the channel.
                    continue;
                }
                // Read once more after the question: an attempt that ended between the look and the question was not
                // busy any more, and what it settled would be sent a second time.
                let seen = match stored(engine, number)? {
                    Stored::Delivery(seen) if busy(&seen) => continue,
                    Stored::Delivery(_) => stored(engine, number)?,
                    other => other,
                };
                let delivery = match seen {
                    Stored::Delivery(delivery) => *delivery,
                    Stored::Nothing => continue,
                    Stored::Unreadable => {
                        due.unreadable += 1;
                        continue;
                    }
                };
                let Some(due_at) = delivery.state.due_at() else { continue };
                if key[..] != keys::due(&delivery.channel, due_at, number)[..] {
                    // Moved meanwhile: it has another key, and counts there.
                    continue;
                }
                if due_at > now {
                    // Later in the same millisecond.
                    due.next = Some(due.next.map_or(due_at, |next| next.min(due_at)));
                    continue;
                }
                let events = events_of(engine, &delivery)?;
                due.now.push(DueDelivery { delivery, events });
            }
            Ok(due)
        })
        .await
    }
}

/// What stands under a delivery's number.
enum Stored {
    Delivery(Box<Delivery>),
    Nothing,
    Unreadable,
}

fn stored(engine: &dyn Engine, number: u64) -> Result<Stored, StoreError> {
    Ok(match engine.get(&keys::numbered(keys::DELIVERIES, number))? {
        Some(bytes) => record::read(&bytes).map_or(Stored::Unreadable, |found| Stored::Delivery(Box::new(found))),
        None => Stored::Nothing,
    })
}

/// One message that cannot be read must not end the service at each start: what is lost is missing here, and the
/// caller gives the delivery up.
fn events_of(engine: &dyn Engine, delivery: &Delivery) -> Result<Vec<String>, StoreError> {
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
        let head = stored.and_then(|stored| record::read_event(&stored).ok());
        let head = head.and_then(|(_, json)| record::read::<Head>(json.as_bytes()).ok());
        let Some(Head { kind, subject }) = head else { return Ok(None) };
        match EventKind::by_name(&kind).filter(|kind| News::can_be_overtaken(*kind)) {
            Some(kind) => all.push(News { kind, subject, number }),
            None => return Ok(None),
        }
    }
    Ok(Some(all))
}
