//! How what a pass found becomes durable: in pieces, each with its own events and deliveries.
//!
//! Only the last piece moves the cursor. Killed between two pieces, the next pass finds just what is missing.
//!
//! **One message of what a pass brings.** A pass that fits into one commit has the deliveries of its events in it. Of a
//! longer one each piece has the deliveries that carry one event, and with them the promise of those that carry several:
//! they are planned from the log after the last piece, which comes within moments, because a pass reads everything
//! before it tells anything. After a kill in between, [`keep_promises`] does the same at the next start. What has a
//! delivery already is left out, so each event goes to each address once, whatever was cut off where.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::diff::Change;
use crate::domain::event::{Event, EventId};
use crate::domain::model::{EntityId, Resource, Timestamp};
use crate::domain::outbox::Address;
use crate::domain::publish::{GroupKey, Plan};
use crate::edge::store::{Commit, Gather, Gathering, Head, Store, StoreError};
use crate::service::guard::read_event;
use crate::service::shop::Shop;

/// The most bytes of one commit: half of what sled's measured crash safety was proved with.
const PIECE_BYTES: usize = 192 * 1024;
/// The most rows of one commit: each may bring a dozen keys of events, deliveries and indexes.
const PIECE_ROWS: usize = 100;
/// About what one event adds to a commit besides its text.
const OVERHEAD_BYTES: usize = 600;

/// Commits of one pass in the making.
pub(super) struct Pieces<'a> {
    shop: &'a Shop,
    resource: Resource,
    now: Timestamp,
    commit: Commit,
    bytes: usize,
    events: u64,
    /// What the events of the commit in the making become.
    plan: Plan,
    /// Events that are committed wait for a message of several.
    promised: bool,
    /// The groups that this pass has begun.
    begun: BTreeSet<GroupKey>,
}

impl<'a> Pieces<'a> {
    /// Nothing yet, of a pass that was read at `now`.
    pub(super) fn new(shop: &'a Shop, resource: Resource, now: Timestamp) -> Self {
        let (commit, plan) = (Commit::default(), Plan::default());
        let begun = BTreeSet::new();
        Self { shop, resource, now, commit, bytes: 0, events: 0, plan, promised: false, begun }
    }

    /// How many events have been committed or are about to be.
    pub(super) fn events(&self) -> u64 {
        self.events
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
        // Before it is added and not after: what is left at the end is never nothing, so that a pass which fits into one
        // commit is one.
        if self.is_full() {
            self.flush(Commit::default()).await?;
        }
        let row_bytes = row.as_ref().map_or(0, Vec::len);
        // An event holds the row twice at most: as it is and as it was.
        self.bytes += row_bytes + events.len() * (2 * row_bytes + OVERHEAD_BYTES);
        self.events += events.len() as u64;
        self.commit.rows.push((self.shop.id().clone(), self.resource, id, row));
        self.tell(events);
        Ok(())
    }

    /// Adds events with their messages, whether or not a row brings them.
    pub(super) fn tell(&mut self, events: Vec<Event>) {
        events.iter().for_each(|event| self.plan.add(event, &self.shop.shared.settings));
        self.commit.events.extend(events.into_iter().map(|event| (self.now, event)));
    }

    fn is_full(&self) -> bool {
        self.commit.rows.len() >= PIECE_ROWS || self.bytes + self.plan.bytes() >= PIECE_BYTES
    }

    /// Commits what is left together with what `last` says of the resource, and keeps what was promised. `last` brings
    /// no events of its own: see [`Pieces::tell`].
    pub(super) async fn finish(&mut self, last: Commit) -> Result<(), StoreError> {
        if self.promised || self.plan.most_bytes() >= PIECE_BYTES {
            self.flush(last).await?;
            return match std::mem::take(&mut self.promised) {
                true => keep_promise(self.shop, self.resource).await,
                false => Ok(()),
            };
        }
        let plan = std::mem::take(&mut self.plan);
        self.commit(plan, last).await
    }

    /// Commits what has been added together with `besides`. Messages of several events are promised.
    pub(super) async fn flush(&mut self, besides: Commit) -> Result<(), StoreError> {
        let (plan, others) = std::mem::take(&mut self.plan).alone();
        let mut commit = besides;
        if others {
            commit.gather = Some((self.shop.id().clone(), self.resource, Gather::Begin));
            self.promised = true;
        }
        self.commit(plan, commit).await
    }

    /// Commits this with the rows and events that have been added, and wakes the loops that have something to send.
    async fn commit(&mut self, plan: Plan, mut commit: Commit) -> Result<(), StoreError> {
        let Commit { rows, events, .. } = std::mem::take(&mut self.commit);
        self.bytes = 0;
        commit.rows.extend(rows);
        commit.events.extend(events);
        // Most pages of a sweep have nothing to say, and then nothing waits for the disk.
        Box::pin(self.shop.shared.publish_plan(plan, commit, &mut self.begun)).await
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

/// Plans the messages of events that were committed without some, and tells nothing to anybody twice.
pub(super) async fn keep_promise(shop: &Shop, resource: Resource) -> Result<(), StoreError> {
    let (store, shared) = (&shop.shared.store, &shop.shared);
    let Some(Gathering { event, delivery }) = store.gathering(shop.id(), resource).await? else { return Ok(()) };
    let planned = planned_since(shop, delivery).await?;
    let mut plan = Plan::default();
    let mut from = event;
    loop {
        let found = store.events_from(from, shop.id(), EVENTS_AT_ONCE).await?;
        let Some((last, _)) = found.last() else { break };
        from = last + 1;
        for (_, json) in &found {
            let Some(event) = read_event(json) else { continue };
            if event.kind.resource() == Some(resource) {
                let is_new = |address: &Address| planned.get(address).is_none_or(|known| !known.contains(&event.id));
                plan.add_where(&event, &shared.settings, is_new);
            }
        }
    }
    let mut pieces = Pieces::new(shop, resource, shared.clock.now());
    let mut parts = plan.in_parts(PIECE_BYTES);
    // The promise stands until the last of them.
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        pieces.commit(part, Commit::default()).await?;
    }
    let gather = Some((shop.id().clone(), resource, Gather::End));
    pieces.commit(last, Commit { gather, ..Commit::default() }).await
}

/// Which events have been planned for which address since the delivery with this number, or wait for the end of a group.
async fn planned_since(shop: &Shop, delivery: u64) -> Result<BTreeMap<Address, BTreeSet<EventId>>, StoreError> {
    let mut planned: BTreeMap<Address, BTreeSet<EventId>> = BTreeMap::new();
    // Before the deliveries: what is sent meanwhile is found there.
    for (key, group) in shop.shared.store.all_rule_state().await?.groups {
        planned.entry(key.address).or_default().extend(group.into_iter().flat_map(|group| group.events));
    }
    let mut from = Some(delivery);
    while let Some(first) = from {
        let of_shop = shop.id().clone();
        let (found, next) = shop.shared.store.addressed(first, move |delivery| delivery.shop == of_shop).await?;
        for (address, events) in found {
            planned.entry(address).or_default().extend(events);
        }
        from = next;
    }
    Ok(planned)
}
