//! The log of events, for whoever lists it: newest first, or what comes after a number.

use std::borrow::Cow;
use std::ops::Range;

use super::blocks::{SPAN, Wanted, end_of_index, entries};
use super::engine::{Engine, Span};
use super::event_filter::{EventFilter, SOURCE};
use super::prune::STRAGGLERS;
use super::record;
use super::{Store, StoreError, keys};
use crate::domain::event::EventId;
use crate::domain::model::{ShopId, Timestamp};

/// A listed event with its number in the log.
pub type NumberedEvent = (u64, String);

impl Store {
    /// The newest events that pass the filter, oldest first; of a filter with `after`, the ones that come next.
    pub async fn events(&self, filter: EventFilter) -> Result<Vec<NumberedEvent>, StoreError> {
        self.found_events(filter, |number, json| (number, json)).await
    }

    /// The numbers of the same events, which take little memory however long the events are.
    pub async fn event_numbers(&self, filter: EventFilter) -> Result<Vec<u64>, StoreError> {
        self.found_events(filter, |number, _| number).await
    }

    async fn found_events<T: Send + 'static>(
        &self,
        filter: EventFilter,
        keep: fn(u64, String) -> T,
    ) -> Result<Vec<T>, StoreError> {
        let end = self.inner.committer.durable().event.min(filter.before.unwrap_or(u64::MAX));
        self.reading(move |engine| match filter.after {
            Some(after) => following(engine, after.saturating_add(1)..end, &filter, keep),
            None => newest(engine, end, &filter, keep),
        })
        .await
    }

    /// The JSON of the events with these numbers, as far as there still are any.
    pub async fn events_numbered(&self, numbers: Vec<u64>) -> Result<Vec<String>, StoreError> {
        self.reading(move |engine| {
            let stored = |number: u64| engine.get(&keys::numbered(keys::EVENTS, number)).transpose();
            let found = numbers.into_iter().filter_map(stored);
            found.map(|bytes| record::read_event(&bytes?).map(|(_, json)| json)).collect()
        })
        .await
    }

    /// The number of the event with this id.
    pub async fn event_number(&self, id: &EventId) -> Result<Option<u64>, StoreError> {
        let key = keys::event_by_id(id);
        self.reading(move |engine| Ok(engine.get(&key)?.and_then(|number| keys::number_of(&number)))).await
    }

    /// The first events of `shop` from this number on.
    pub async fn events_from(&self, from: u64, shop: &ShopId, limit: usize) -> Result<Vec<NumberedEvent>, StoreError> {
        let end = self.inner.committer.durable().event;
        let filter = EventFilter { shop: Some(shop.to_string()), limit, ..EventFilter::default() };
        self.reading(move |engine| following(engine, from..end, &filter, |number, json| (number, json))).await
    }

    /// Whether there is any event.
    pub async fn has_events(&self) -> Result<bool, StoreError> {
        let end = self.inner.committer.durable().event;
        self.reading(move |engine| Ok(engine.keys(numbers(0, end)).next().transpose()?.is_some())).await
    }

    /// The JSON of one event.
    pub async fn event(&self, id: &EventId) -> Result<Option<String>, StoreError> {
        let key = keys::event_by_id(id);
        let durable = self.inner.committer.durable();
        self.reading(move |engine| {
            let number = engine.get(&key)?.and_then(|number| keys::number_of(&number));
            let Some(number) = number.filter(|number| *number < durable.event) else { return Ok(None) };
            let stored = engine.get(&keys::numbered(keys::EVENTS, number))?;
            stored.map(|bytes| record::read_event(&bytes).map(|(_, json)| json)).transpose()
        })
        .await
    }
}

/// The newest events before a number, oldest first.
fn newest<T>(
    engine: &dyn Engine,
    end: u64,
    filter: &EventFilter,
    keep: fn(u64, String) -> T,
) -> Result<Vec<T>, StoreError> {
    let wanted = Wanted::of(filter);
    let indexed = if wanted.is_some() { end_of_index(engine)?.min(end) } else { 0 };
    let mut found = Found { events: Vec::new(), old: 0, filter, keep };
    for entry in engine.scan_back(numbers(indexed, end)) {
        let (key, value) = entry?;
        if found.is_enough() {
            break;
        }
        let (at, json) = record::read_event(&value)?;
        found.see(keys::number_of(&key).unwrap_or_default(), at, json)?;
    }
    if let Some(wanted) = wanted {
        indexed_newest(engine, indexed, &wanted, &mut found)?;
    }
    found.events.reverse();
    Ok(found.events)
}

/// Those of them that have a place in the index.
fn indexed_newest<T>(
    engine: &dyn Engine,
    end: u64,
    wanted: &Wanted,
    found: &mut Found<'_, T>,
) -> Result<(), StoreError> {
    let blocks = Span::from(keys::BLOCKS.to_vec()..keys::numbered(keys::BLOCKS, end.div_ceil(SPAN)));
    for entry in engine.scan_back(blocks) {
        let (key, block) = entry?;
        for entry in entries(keys::number_of(&key).unwrap_or_default(), &block).rev() {
            if found.is_enough() {
                return Ok(());
            }
            if !wanted.is_young(&entry) {
                found.old += 1;
                continue;
            }
            found.old = 0;
            if wanted.may_be(&entry) {
                found.look(engine, entry.number)?;
            }
        }
    }
    Ok(())
}

/// The first events from a number on: whoever asks again with the one after the last he was given misses none.
fn following<T>(
    engine: &dyn Engine,
    Range { start: mut from, end }: Range<u64>,
    filter: &EventFilter,
    keep: fn(u64, String) -> T,
) -> Result<Vec<T>, StoreError> {
    let wanted = Wanted::of(filter);
    let mut found = Found { events: Vec::new(), old: 0, filter, keep };
    if let Some(wanted) = wanted {
        let indexed = end_of_index(engine)?.min(end);
        let first = keys::numbered(keys::BLOCKS, from / SPAN);
        for entry in engine.scan(Span::from(first..keys::numbered(keys::BLOCKS, indexed.div_ceil(SPAN)))) {
            let (key, block) = entry?;
            for entry in entries(keys::number_of(&key).unwrap_or_default(), &block) {
                if found.events.len() >= filter.limit {
                    return Ok(found.events);
                }
                if (from..end).contains(&entry.number) && wanted.may_be(&entry) {
                    found.look(engine, entry.number)?;
                }
            }
        }
        from = from.max(indexed);
    }
    for entry in engine.scan(numbers(from, end)) {
        let (key, value) = entry?;
        if found.events.len() >= filter.limit {
            break;
        }
        let (at, json) = record::read_event(&value)?;
        found.see(keys::number_of(&key).unwrap_or_default(), at, json)?;
    }
    Ok(found.events)
}

/// The events with these numbers.
fn numbers(from: u64, end: u64) -> Span {
    Span::from(keys::numbered(keys::EVENTS, from)..keys::numbered(keys::EVENTS, end))
}

/// What was found so far.
struct Found<'f, T> {
    events: Vec<T>,
    /// How many in a row were older than asked.
    old: usize,
    filter: &'f EventFilter,
    /// What is kept of each of them.
    keep: fn(u64, String) -> T,
}

impl<T> Found<'_, T> {
    /// Whether more need not be looked for. The clock may have been behind when an event was written: a few that are too
    /// old do not hide the others.
    fn is_enough(&self) -> bool {
        self.events.len() >= self.filter.limit || self.old > STRAGGLERS
    }

    fn look(&mut self, engine: &dyn Engine, number: u64) -> Result<(), StoreError> {
        // Forgotten meanwhile, its place in the index is there for as long as its neighbours are.
        let Some(stored) = engine.get(&keys::numbered(keys::EVENTS, number))? else { return Ok(()) };
        let (at, json) = record::read_event(&stored)?;
        self.see(number, at, json)
    }

    fn see(&mut self, number: u64, at: Timestamp, json: String) -> Result<(), StoreError> {
        if self.filter.since.is_some_and(|since| at < since) {
            self.old += 1;
            return Ok(());
        }
        self.old = 0;
        if matches(&json, self.filter)? {
            self.events.push((self.keep)(number, json));
        }
        Ok(())
    }
}

/// Whether an event is meant, apart from when it was seen.
pub(super) fn matches(json: &str, filter: &EventFilter) -> Result<bool, StoreError> {
    if filter.kind.is_none() && filter.shop.is_none() && filter.subject.is_none() {
        return Ok(true);
    }
    #[derive(serde::Deserialize)]
    struct Head<'a> {
        #[serde(borrow)]
        source: Cow<'a, str>,
        #[serde(rename = "type", borrow)]
        kind: Cow<'a, str>,
        #[serde(borrow)]
        subject: Cow<'a, str>,
    }
    let head: Head<'_> = serde_json::from_str(json).map_err(|_| StoreError::Unreadable("an event".to_owned()))?;
    let of_kind = filter.kind.as_ref().is_none_or(|wanted| match wanted.strip_suffix('*') {
        Some(family) => head.kind.starts_with(family),
        None => head.kind == *wanted,
    });
    let of_shop = filter.shop.as_ref().is_none_or(|shop| head.source.strip_prefix(SOURCE) == Some(shop));
    let of_subject = filter.subject.as_ref().is_none_or(|subject| head.subject == *subject);
    Ok(of_kind && of_shop && of_subject)
}
