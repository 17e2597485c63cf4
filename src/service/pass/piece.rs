//! How what a pass found becomes durable: in pieces, each with its own events and deliveries.
//!
//! Only the last piece moves the cursor. Killed between two pieces, the next pass finds just what is missing.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::domain::diff::Change;
use crate::domain::event::{DeliveryId, Event};
use crate::domain::model::{ChannelName, EntityId, Resource, Timestamp};
use crate::domain::outbox::Digests;
use crate::edge::store::{Commit, Gather, Head, Store, StoreError};
use crate::service::shop::Shop;

/// The most bytes of one commit: half of what sled's measured crash safety was proved with.
const PIECE_BYTES: usize = 192 * 1024;
/// The most rows of one commit: each may bring a dozen keys of events, deliveries and indexes.
const PIECE_ROWS: usize = 100;
/// About what one event or delivery adds to a commit besides its text.
const OVERHEAD_BYTES: usize = 600;
/// How long an event's id is in a delivery.
const ID_BYTES: usize = 40;

/// Commits of one pass in the making.
pub(super) struct Pieces<'a> {
    shop: &'a Shop,
    resource: Resource,
    now: Timestamp,
    commit: Commit,
    bytes: usize,
    events: u64,
    /// Where all events become one message: what goes where so far.
    digests: Option<Digests>,
}

impl<'a> Pieces<'a> {
    /// Nothing yet, of a pass that was read at `now`.
    pub(super) fn new(shop: &'a Shop, resource: Resource, now: Timestamp) -> Self {
        Self { shop, resource, now, commit: Commit::default(), bytes: 0, events: 0, digests: None }
    }

    /// How many events have been committed or are about to be.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// Makes one message of all events from here on, where there are `many`. The promise of it is committed with the
    /// first of them and kept by [`Pieces::finish`]; after a kill in between [`keep_promise`] keeps it.
    pub(super) fn summarize(&mut self, many: bool) {
        self.digests = many.then(Digests::default);
    }

    /// Adds a change of a row that is stored plainly.
    pub(super) async fn add<R: Serialize>(&mut self, change: Change<R>) -> Result<(), StoreError> {
        let row = change.row.as_ref().map(Store::row).transpose()?;
        self.put(change.id, row, change.events).await
    }

    /// Adds a change of a row of a long list.
    pub(super) async fn add_listed<R: Serialize>(&mut self, change: Change<R>, head: Head) -> Result<(), StoreError> {
        let row = change.row.as_ref().map(|row| Store::listed_row(row, head)).transpose()?;
        self.put(change.id, row, change.events).await
    }

    async fn put(&mut self, id: EntityId, row: Option<Vec<u8>>, events: Vec<Event>) -> Result<(), StoreError> {
        let row_bytes = row.as_ref().map_or(0, Vec::len);
        let shared = &self.shop.shared;
        let deliveries = match &mut self.digests {
            None => shared.plan(&events, self.now),
            Some(digests) => {
                events.iter().for_each(|event| digests.add(event, &shared.rules, &shared.destinations));
                self.commit.gather = Some((self.shop.id().clone(), self.resource, Gather::Begin));
                Vec::new()
            }
        };
        // An event holds the row twice at most: as it is and as it was.
        self.bytes += row_bytes + events.len() * (2 * row_bytes + OVERHEAD_BYTES) + deliveries.len() * OVERHEAD_BYTES;
        self.events += events.len() as u64;
        self.commit.rows.push((self.shop.id().clone(), self.resource, id, row));
        self.commit.events.extend(events.into_iter().map(|event| (self.now, event)));
        self.commit.deliveries.extend(deliveries);
        match self.bytes >= PIECE_BYTES || self.commit.rows.len() >= PIECE_ROWS {
            true => self.flush(Commit::default()).await,
            false => Ok(()),
        }
    }

    /// Commits what is left together with what `last` says of the resource.
    pub(super) async fn finish(&mut self, mut last: Commit) -> Result<(), StoreError> {
        if let Some(digests) = self.digests.take() {
            // The last events first, so that the promise and its keeping are two commits whatever comes between.
            self.flush(Commit::default()).await?;
            let mut bytes = 0;
            for delivery in digests.close(self.shop.id(), self.now) {
                bytes += delivery.events.len() * ID_BYTES + OVERHEAD_BYTES;
                last.deliveries.push(delivery);
                if bytes >= PIECE_BYTES {
                    // The promise stands until the last of them; made again after a kill, they have the same ids.
                    let deliveries = std::mem::take(&mut last.deliveries);
                    self.flush(Commit { deliveries, ..Commit::default() }).await?;
                    bytes = 0;
                }
            }
            last.gather = Some((self.shop.id().clone(), self.resource, Gather::End));
        }
        self.flush(last).await
    }

    /// Commits what has been added, and wakes the loops that have something to send.
    pub(super) async fn flush(&mut self, last: Commit) -> Result<(), StoreError> {
        let Commit { rows, events, deliveries, gather, .. } = std::mem::take(&mut self.commit);
        self.bytes = 0;
        let mut commit = last;
        commit.rows.extend(rows);
        commit.events.extend(events);
        commit.deliveries.extend(deliveries);
        commit.gather = commit.gather.or(gather);
        if commit.is_empty() {
            // Most pages of a sweep have nothing to say, and each commit waits for the disk.
            return Ok(());
        }
        let channels: BTreeSet<ChannelName> =
            commit.deliveries.iter().map(|delivery| delivery.channel.clone()).collect();
        self.shop.shared.store.commit(commit).await?;
        self.shop.shared.wake(channels.iter());
        Ok(())
    }
}

/// How many events are looked through at a time.
const EVENTS_AT_ONCE: usize = 1_000;

/// Keeps what killed passes have promised, whether or not their resource is read again.
pub(super) async fn keep_promises(shop: &Shop) -> Result<(), StoreError> {
    for resource in Resource::ALL {
        keep_promise(shop, resource).await?;
    }
    Ok(())
}

/// Plans the message of events that a killed pass has committed without one.
pub(super) async fn keep_promise(shop: &Shop, resource: Resource) -> Result<(), StoreError> {
    let (store, shared) = (&shop.shared.store, &shop.shared);
    let Some(first) = store.gathering(shop.id(), resource).await? else { return Ok(()) };
    let mut digests = Digests::default();
    let mut from = first;
    loop {
        let found = store.events_from(from, shop.id(), EVENTS_AT_ONCE).await?;
        let Some((last, _)) = found.last() else { break };
        from = last + 1;
        for (_, json) in &found {
            let Ok(event) = Event::from_json(json) else { continue };
            if event.kind.resource() == Some(resource) && !is_planned(shop, &event).await? {
                digests.add(&event, &shared.rules, &shared.destinations);
            }
        }
    }
    let now = shared.clock.now();
    let mut pieces = Pieces::new(shop, resource, now);
    pieces.digests = Some(digests);
    pieces.finish(Commit::default()).await
}

/// Whether the event has a message of its own: a refresh may have told it meanwhile.
async fn is_planned(shop: &Shop, event: &Event) -> Result<bool, StoreError> {
    for delivery in shop.shared.plan(std::slice::from_ref(event), shop.shared.clock.now()) {
        let id: DeliveryId = delivery.id;
        if shop.shared.store.delivery(id).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
