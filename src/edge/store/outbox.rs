//! What is due.

use super::record;
use super::{Store, StoreError, keys};
use crate::domain::model::{ChannelName, Timestamp};
use crate::domain::outbox::Delivery;

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

impl Store {
    /// What is due for `channel` at `now`: at most `limit`, leaving out what `busy` says is under way.
    pub async fn due<F>(&self, channel: &ChannelName, now: Timestamp, limit: usize, busy: F) -> Result<Due, StoreError>
    where
        F: Fn(&Delivery) -> bool + Send + 'static,
    {
        let prefix = keys::due_of(channel);
        let durable = self.inner.committer.durable();
        self.reading(move |tree| {
            let mut due = Due::default();
            for key in tree.scan_prefix(&prefix).keys() {
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
                let seen = match stored(tree, number)? {
                    Stored::Delivery(seen) if busy(&seen) => continue,
                    Stored::Delivery(_) => stored(tree, number)?,
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
                if key != keys::due(&delivery.channel, due_at, number) {
                    // Moved meanwhile: it has another key, and counts there.
                    continue;
                }
                if due_at > now {
                    // Later in the same millisecond.
                    due.next = Some(due.next.map_or(due_at, |next| next.min(due_at)));
                    continue;
                }
                let events = events_of(tree, &delivery)?;
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

fn stored(tree: &sled::Tree, number: u64) -> Result<Stored, StoreError> {
    Ok(match tree.get(keys::numbered(keys::DELIVERIES, number))? {
        Some(bytes) => record::read(&bytes).map_or(Stored::Unreadable, |found| Stored::Delivery(Box::new(found))),
        None => Stored::Nothing,
    })
}

/// One message that cannot be read must not end the service at each start: what is lost is missing here, and the
/// caller gives the delivery up.
fn events_of(tree: &sled::Tree, delivery: &Delivery) -> Result<Vec<String>, StoreError> {
    let mut events = Vec::with_capacity(delivery.events.len());
    for id in &delivery.events {
        let number = tree.get(keys::event_by_id(id))?.and_then(|number| keys::number_of(&number));
        let stored = match number {
            Some(number) => tree.get(keys::numbered(keys::EVENTS, number))?,
            None => None,
        };
        events.extend(stored.and_then(|stored| record::read_event(&stored).ok()).map(|(_, json)| json));
    }
    Ok(events)
}
