//! Forgetting what is old and finished, in small commits.
//!
//! An event stays while a delivery that is not delivered needs it, a dead letter too: a person may try it again.
//! Neither log is quite in the order of time (clocks are set), so one entry from the future does not end the search.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::blocks::SPAN;
use super::commit::Entry;
use super::engine::{Engine, Span};
use super::record;
use super::rule_state;
use super::{Commit, Forgotten, Store, StoreError, keys};
use crate::domain::event::EventId;
use crate::domain::model::Timestamp;
use crate::domain::outbox::{Delivery, State};

/// How many entries one commit forgets: of two or three keys each, so that it never holds up a pass.
const FORGOTTEN_AT_ONCE: usize = 100;

/// For how many events at once the outbox is searched for who needs them: about a megabyte of ids.
const EVENTS_AT_ONCE: usize = 10_000;

/// After how many entries in a row that are out of the asked time the rest is taken to be so too: more than posbell
/// writes while a clock is wrong, few enough to read in a moment.
pub(super) const STRAGGLERS: usize = 1_000;

/// What one look has found, and where the next one begins; `None` at the end.
struct Found<T> {
    entries: T,
    next: Option<u64>,
}

impl Store {
    /// Forgets events from before `before` and deliveries that were finished before. Returns how many of each,
    /// deliveries first.
    ///
    /// A crash in between leaves a shorter list and nothing else.
    pub async fn prune(&self, before: Timestamp) -> Result<(usize, usize), StoreError> {
        let (mut deliveries, mut events) = (0, 0);
        let mut from = Some(0);
        while let Some(first) = from {
            let found = self.reading(move |engine| old_deliveries(engine, first, before)).await?;
            from = found.next;
            deliveries += self.forget(found.entries.into_iter().map(Entry::Delivery)).await?;
        }
        from = Some(0);
        while let Some(first) = from {
            let found = self.reading(move |engine| old_events(engine, first, before)).await?;
            from = found.next;
            events += self.forget(found.entries.into_iter().map(|(id, number)| Entry::Event(number, id))).await?;
        }
        let blocks = self.reading(empty_blocks).await?;
        self.forget(blocks.into_iter().map(Entry::Block)).await?;
        Ok((deliveries, events))
    }

    async fn forget(&self, entries: impl Iterator<Item = Entry>) -> Result<usize, StoreError> {
        let entries: Vec<Forgotten> = entries.map(Forgotten).collect();
        let count = entries.len();
        let mut entries = entries.into_iter().peekable();
        while entries.peek().is_some() {
            let removals = entries.by_ref().take(FORGOTTEN_AT_ONCE).collect();
            self.commit(Commit { removals, ..Commit::default() }).await?;
        }
        Ok(count)
    }
}

fn old_deliveries(engine: &dyn Engine, first: u64, before: Timestamp) -> Result<Found<Vec<u64>>, StoreError> {
    let mut entries = Vec::new();
    let mut young = 0;
    for entry in engine.scan(Span::from(keys::numbered(keys::DELIVERIES, first)..keys::end_of(keys::DELIVERIES))) {
        let (key, value) = entry?;
        let number = keys::number_of(&key).unwrap_or_default();
        if entries.len() == FORGOTTEN_AT_ONCE {
            return Ok(Found { entries, next: Some(number) });
        }
        let delivery: Delivery = record::read(&value)?;
        young = if delivery.created_at < before { 0 } else { young + 1 };
        if young > STRAGGLERS {
            break;
        }
        match delivery.state {
            State::Delivered { at } | State::Dead { at } | State::Dropped { at } if at < before => entries.push(number),
            _ => {}
        }
    }
    Ok(Found { entries, next: None })
}

fn old_events(engine: &dyn Engine, first: u64, before: Timestamp) -> Result<Found<BTreeMap<EventId, u64>>, StoreError> {
    let mut entries = BTreeMap::new();
    let mut young = 0;
    let mut next = None;
    for entry in engine.scan(Span::from(keys::numbered(keys::EVENTS, first)..keys::end_of(keys::EVENTS))) {
        let (key, value) = entry?;
        let number = keys::number_of(&key).unwrap_or_default();
        if entries.len() == EVENTS_AT_ONCE {
            next = Some(number);
            break;
        }
        let (at, json) = record::read_event(&value)?;
        young = if at < before { 0 } else { young + 1 };
        if young > STRAGGLERS {
            break;
        }
        if at < before {
            entries.insert(id_of(&json)?, number);
        }
    }
    if !entries.is_empty() {
        keep_needed(engine, &mut entries)?;
    }
    Ok(Found { entries, next })
}

/// The parts of the index that are about nothing any more: all before the first event that is left.
fn empty_blocks(engine: &dyn Engine) -> Result<Vec<u64>, StoreError> {
    let first = engine.keys(Span::prefix(keys::EVENTS)).next().transpose()?;
    let end = match first.and_then(|key| keys::number_of(&key)) {
        Some(first) => keys::numbered(keys::BLOCKS, first / SPAN),
        None => keys::end_of(keys::BLOCKS),
    };
    let blocks = engine.keys(Span::from(keys::BLOCKS.to_vec()..end));
    blocks.map(|key| Ok(keys::number_of(&key?).unwrap_or_default())).collect()
}

/// Takes out of `entries` what a delivery still needs, or the message that a group becomes.
fn keep_needed(engine: &dyn Engine, entries: &mut BTreeMap<EventId, u64>) -> Result<(), StoreError> {
    for group in rule_state::open_groups(engine) {
        let (_, group) = group?;
        for event in &group.events {
            entries.remove(event);
        }
    }
    for key in engine.keys(Span::prefix(keys::DUE)).chain(engine.keys(Span::prefix(keys::DEAD))) {
        let number = keys::number_of(&key?).unwrap_or_default();
        if let Some(bytes) = engine.get(&keys::numbered(keys::DELIVERIES, number))? {
            let delivery: Delivery = record::read(&bytes)?;
            for event in &delivery.events {
                entries.remove(event);
            }
        }
    }
    Ok(())
}

/// The id alone: an event of a kind that another version made must be forgotten too.
fn id_of(json: &str) -> Result<EventId, StoreError> {
    #[derive(Deserialize)]
    struct Head {
        id: EventId,
    }
    record::read::<Head>(json.as_bytes()).map(|head| head.id)
}
