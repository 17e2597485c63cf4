//! What is due, and forgetting what is long finished.

use super::record;
use super::{Commit, Forgotten, Store, StoreError, keys};
use crate::domain::model::{ChannelName, Timestamp};
use crate::domain::outbox::{Delivery, State};

/// How many keys one pruning commit removes: small, so that it never holds up a pass.
const PRUNED_AT_ONCE: usize = 200;

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
        let (due, stale) = self
            .reading(move |tree| {
                let mut due = Due::default();
                let mut stale = Vec::new();
                for key in tree.scan_prefix(&prefix).keys() {
                    let key = key?;
                    let (at, number) =
                        keys::due_parts(&key).ok_or_else(|| StoreError::Damaged("a due key".to_owned()))?;
                    if at > now {
                        due.next = Some(at);
                        break;
                    }
                    // Read again after the question: an attempt that has just ended has left a newer record behind.
                    let delivery = match delivery(tree, number) {
                        Found::Delivery(seen) if busy(&seen) => continue,
                        Found::Delivery(_) => self::delivery(tree, number),
                        other => other,
                    };
                    match delivery {
                        Found::Delivery(delivery) if is_at(&delivery, at) => {
                            let events = events_of(tree, &delivery)?;
                            due.now.push(DueDelivery { delivery: *delivery, events });
                        }
                        // Else it is due at another time, or finished: the key is of no use to anyone.
                        Found::Delivery(_) | Found::Nothing => stale.push(Forgotten(key.to_vec())),
                        Found::Unreadable => due.unreadable += 1,
                        Found::Failed(error) => return Err(error),
                    }
                    if due.now.len() == limit || stale.len() == PRUNED_AT_ONCE {
                        break;
                    }
                }
                Ok((due, stale))
            })
            .await?;
        if !stale.is_empty() {
            self.commit(Commit { removals: stale, ..Commit::default() }).await?;
        }
        Ok(due)
    }

    /// Forgets events and finished deliveries from before `before`. Returns how many of each.
    ///
    /// Goes in small commits, so that a crash in between leaves a shorter list and nothing else.
    pub async fn prune(&self, before: Timestamp) -> Result<(usize, usize), StoreError> {
        let mut forgotten = (0, 0);
        loop {
            let (deliveries, events, removals) = self.reading(move |tree| old(tree, before)).await?;
            if removals.is_empty() {
                return Ok(forgotten);
            }
            forgotten = (forgotten.0 + deliveries, forgotten.1 + events);
            let removals = removals.into_iter().map(Forgotten).collect();
            self.commit(Commit { removals, ..Commit::default() }).await?;
        }
    }
}

/// What stands under a delivery's number.
enum Found {
    Delivery(Box<Delivery>),
    Nothing,
    Unreadable,
    Failed(StoreError),
}

fn delivery(tree: &sled::Tree, number: u64) -> Found {
    match tree.get(keys::numbered(keys::DELIVERIES, number)) {
        Ok(Some(bytes)) => {
            record::read(&bytes).map_or(Found::Unreadable, |delivery| Found::Delivery(Box::new(delivery)))
        }
        Ok(None) => Found::Nothing,
        Err(error) => Found::Failed(error.into()),
    }
}

/// Whether the delivery is due at the moment that a key names, to the key's millisecond.
fn is_at(delivery: &Delivery, at: Timestamp) -> bool {
    delivery.state.due_at().is_some_and(|due_at| due_at.timestamp_millis().max(0) == at.timestamp_millis())
}

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

/// The keys of what is old and finished: deliveries, events, keys. An event stays while a delivery still needs it.
fn old(tree: &sled::Tree, before: Timestamp) -> Result<(usize, usize, Vec<Vec<u8>>), StoreError> {
    let mut removals = Vec::new();
    let mut needed = std::collections::BTreeSet::new();
    let mut deliveries = 0;
    // The newest of each stays, so that numbers never begin again: whoever asks for what came after one relies on it.
    let newest = newest(tree, keys::DELIVERIES)?;
    for entry in tree.scan_prefix(keys::DELIVERIES) {
        let (key, value) = entry?;
        let Ok(delivery) = record::read::<Delivery>(&value) else { continue };
        if delivery.created_at >= before || removals.len() >= PRUNED_AT_ONCE {
            break;
        }
        let number = keys::number_of(&key).unwrap_or_default();
        match delivery.state {
            State::Delivered { at } | State::Dead { at } => {
                if at >= before || Some(number) == newest {
                    needed.extend(delivery.events);
                    continue;
                }
                deliveries += 1;
                removals.push(keys::delivery_by_id(&delivery.id));
                removals.push(keys::numbered(keys::DEAD, number));
                removals.push(key.to_vec());
            }
            State::Pending { .. } | State::Retrying { .. } => needed.extend(delivery.events),
        }
    }
    if !removals.is_empty() {
        return Ok((deliveries, 0, removals));
    }
    let mut events = 0;
    let newest = self::newest(tree, keys::EVENTS)?;
    for entry in tree.scan_prefix(keys::EVENTS) {
        let (key, value) = entry?;
        let Ok((at, json)) = record::read_event(&value) else { continue };
        if at >= before || removals.len() >= PRUNED_AT_ONCE || keys::number_of(&key) == newest {
            break;
        }
        if let Ok(event) = crate::domain::event::Event::from_json(&json)
            && !needed.contains(&event.id)
        {
            events += 1;
            removals.push(keys::event_by_id(&event.id));
            removals.push(key.to_vec());
        }
    }
    Ok((0, events, removals))
}

/// The highest number of a table.
fn newest(tree: &sled::Tree, table: &[u8]) -> Result<Option<u64>, StoreError> {
    let last = tree.scan_prefix(table).keys().next_back().transpose()?;
    Ok(last.and_then(|key| keys::number_of(&key)))
}
