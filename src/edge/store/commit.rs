//! What becomes durable in one step, and the one batch of keys that it is.
//!
//! A batch is whole or absent, so a commit is too. Only the committer's thread comes here, so what is looked up in the
//! store cannot change before the batch is applied.

use std::collections::{BTreeMap, BTreeSet};

use super::engine::{Batch, Engine};
use super::failed::ChannelRecord;
use super::listed;
use super::record::{self, ChannelsTold, GroupRecord, ReplayRecord, ResourceRecord, ShopRecord};
use super::waiting::{Refused, Waiting};
use super::{StoreError, keys};
use crate::domain::diff::guard::GuardRecord;
use crate::domain::event::{DeliveryId, Event, EventId};
use crate::domain::model::{ChannelName, EntityId, Resource, ShopId, Timestamp};
use crate::domain::outbox::{Act, Collapse, Delivery, State};
use crate::domain::publish::RuleState;

/// What becomes durable in one step.
#[derive(Debug, Default)]
pub struct Commit {
    /// Snapshot rows; `None` forgets one.
    pub rows: Vec<(ShopId, Resource, EntityId, Option<Vec<u8>>)>,
    /// Events with the moment they were seen, oldest first.
    pub events: Vec<(Timestamp, Event)>,
    /// Deliveries of these events.
    pub deliveries: Vec<Delivery>,
    /// Deliveries that were tried: before and after.
    pub settled: Vec<(Delivery, Delivery)>,
    /// What a person says about deliveries, and when. Each is decided on what is stored by then, and left out where
    /// that is as it should be already.
    pub acts: Vec<(DeliveryId, Act, Timestamp)>,
    /// How far a replay has come; `None` within means that it has ended.
    pub replay: Option<Option<ReplayRecord>>,
    /// A step of a catch-up; void when any of it is not as it was planned.
    pub collapse: Option<Collapse>,
    /// What is known of a resource from now on.
    pub resource: Option<(ShopId, Resource, ResourceRecord)>,
    /// What the guard remembers of a resource from now on.
    pub guard: Option<(ShopId, Resource, GuardRecord)>,
    /// What is known of a shop from now on.
    pub shop: Option<(ShopId, ShopRecord)>,
    /// What was told of channels from now on.
    pub channels_told: Option<ChannelsTold>,
    /// What the rules remember differently from now on.
    pub rule_state: RuleState,
    /// Whether events wait for one message of them all.
    pub gather: Option<(ShopId, Resource, Gather)>,
    /// Blocks of the index of the log, by their number, as the store's own indexing made them.
    pub blocks: Vec<(u64, Vec<u8>)>,
    /// What is known of a channel from now on.
    pub channel: Option<(ChannelName, ChannelRecord)>,
    /// Channels of whose overflow somebody was told.
    pub overflow_told: Vec<ChannelName>,
    /// Finished work to forget, as the store's own pruning found it.
    pub removals: Vec<Forgotten>,
}

impl Commit {
    /// Whether nothing would become of it.
    pub fn is_empty(&self) -> bool {
        let Commit { rows, events, deliveries, settled, acts, collapse, .. } = self;
        let Commit { resource, guard, shop, channel, channels_told, gather, replay, .. } = self;
        let Commit { overflow_told, removals, blocks, rule_state, .. } = self;
        let told = [rows.len(), events.len(), deliveries.len(), settled.len(), acts.len()];
        let kept = [overflow_told.len(), removals.len(), blocks.len(), rule_state.groups.len()];
        let known = [resource.is_some(), guard.is_some(), shop.is_some(), channel.is_some(), channels_told.is_some()];
        let single = [collapse.is_some(), gather.is_some(), replay.is_some()];
        told == [0; 5] && kept == [0; 4] && known == [false; 5] && single == [false; 3]
    }
}

/// The promise that events get the deliveries that carry several of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gather {
    /// From the events of this commit on. A promise that stands already begins no later.
    Begin,
    /// Kept: after this commit there are the deliveries.
    End,
}

/// From where on a promise holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gathering {
    /// The number of the first event that may wait for a message of several.
    pub event: u64,
    /// The number of the first delivery that may carry one of these events.
    pub delivery: u64,
}

impl Gathering {
    /// What is stored. An earlier version wrote the number of the event alone.
    pub(super) fn read(bytes: &[u8]) -> Option<Gathering> {
        let event = keys::number_of(bytes)?;
        let delivery = bytes.len().checked_sub(8).and_then(|before| keys::number_of(&bytes[..before]));
        Some(Gathering { event, delivery: delivery.unwrap_or_default() })
    }

    fn bytes(self) -> [u8; 16] {
        (u128::from(self.delivery) << 64 | u128::from(self.event)).to_be_bytes()
    }
}

/// Something that the store's pruning takes out.
#[derive(Debug)]
pub struct Forgotten(pub(super) Entry);

/// An entry of a log, by its number.
#[derive(Debug)]
pub(super) enum Entry {
    Delivery(u64),
    Event(u64, EventId),
    Block(u64),
}

/// The next free numbers of the event log and of the outbox.
///
/// Kept in the store, and not taken from the last entry: pruning may have forgotten that one, and a number that is
/// given again would be hidden from whoever asked for what comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Numbers {
    pub(super) event: u64,
    pub(super) delivery: u64,
}

impl Numbers {
    pub(super) fn stored(engine: &dyn Engine) -> Result<Numbers, StoreError> {
        let stored = engine.get(keys::NUMBERS)?;
        let read = stored.as_deref().and_then(|bytes| bytes.as_array::<16>().copied());
        let both =
            read.map(u128::from_be_bytes).ok_or_else(|| StoreError::Damaged("it has lost its numbers".to_owned()))?;
        Ok(Numbers { event: (both >> 64) as u64, delivery: both as u64 })
    }

    pub(super) fn bytes(self) -> [u8; 16] {
        (u128::from(self.event) << 64 | u128::from(self.delivery)).to_be_bytes()
    }
}

/// The batch that `commit` is.
pub(super) fn batch_of(
    engine: &dyn Engine,
    numbers: &mut Numbers,
    waiting: &mut Waiting,
    commit: Commit,
) -> Result<Batch, StoreError> {
    let before = *numbers;
    let mut batch = Batch::default();
    if let Some((shop, resource, promise)) = commit.gather {
        gather(engine, &mut batch, numbers, keys::gathering(&shop, resource), promise)?;
    }
    put_rows(&mut batch, commit.rows);
    let known_before = tell(engine, &mut batch, numbers, commit.events)?;
    let refused = plan(engine, &mut batch, (numbers, waiting), commit.deliveries, &known_before)?;
    for (before, after) in commit.settled {
        settle(engine, &mut batch, &before, after)?;
    }
    act(engine, &mut batch, commit.acts)?;
    match commit.replay {
        Some(Some(record)) => batch.insert(keys::REPLAY, record::write(&record)?),
        Some(None) => batch.remove(keys::REPLAY),
        None => {}
    }
    if let Some(step) = commit.collapse {
        collapse(engine, &mut batch, numbers, step)?;
    }
    if let Some((shop, resource, record)) = commit.resource {
        batch.insert(keys::resource(&shop, resource), record::write(&record)?);
    }
    if let Some((shop, resource, record)) = commit.guard {
        batch.insert(keys::guard(&shop, resource), record::write(&record)?);
    }
    if let Some((shop, record)) = commit.shop {
        batch.insert(keys::shop(&shop), record::write(&record)?);
    }
    if let Some(records) = commit.channels_told {
        batch.insert(keys::CHANNELS, record::write(&records)?);
    }
    if let Some((channel, record)) = commit.channel {
        batch.insert(keys::channel(&channel), record::write(&record)?);
    }
    for (key, group) in &commit.rule_state.groups {
        match group {
            Some(group) => batch.insert(keys::group(key), record::write(&GroupRecord::of(key, group))?),
            None => batch.remove(keys::group(key)),
        }
    }
    for (block, entries) in commit.blocks {
        batch.insert(keys::numbered(keys::BLOCKS, block), entries);
    }
    for Forgotten(entry) in commit.removals {
        forget(engine, &mut batch, entry)?;
    }
    waiting.follow(engine, &mut batch, refused, &commit.overflow_told)?;
    if *numbers != before {
        batch.insert(keys::NUMBERS, &numbers.bytes());
    }
    Ok(batch)
}

fn gather(
    engine: &dyn Engine,
    batch: &mut Batch,
    numbers: &Numbers,
    key: Vec<u8>,
    promise: Gather,
) -> Result<(), StoreError> {
    match promise {
        Gather::Begin if engine.has(&key)? => {}
        Gather::Begin => {
            let Numbers { event, delivery } = *numbers;
            batch.insert(key, &Gathering { event, delivery }.bytes());
        }
        Gather::End => batch.remove(key),
    }
    Ok(())
}

/// Rows, packed.
fn put_rows(batch: &mut Batch, rows: Vec<(ShopId, Resource, EntityId, Option<Vec<u8>>)>) {
    for (shop, resource, id, row) in rows {
        let key = keys::row(&shop, resource, &id);
        match row {
            Some(row) => batch.insert(key, listed::packed(&row, id.as_str())),
            None => batch.remove(key),
        }
    }
}

/// Puts into the log what is not there yet, and returns what is.
fn tell(
    engine: &dyn Engine,
    batch: &mut Batch,
    numbers: &mut Numbers,
    events: Vec<(Timestamp, Event)>,
) -> Result<BTreeSet<EventId>, StoreError> {
    let mut known_before = BTreeSet::new();
    let mut told = BTreeSet::new();
    for (at, event) in events {
        let by_id = keys::event_by_id(&event.id);
        if engine.has(&by_id)? {
            // The same change was told before; its id says so. Telling it again would be the second time.
            known_before.insert(event.id);
            continue;
        }
        if !told.insert(event.id.clone()) {
            continue;
        }
        batch.insert(keys::numbered(keys::EVENTS, numbers.event), record::write_event(at, &event.to_json())?);
        batch.insert(by_id, &numbers.event.to_be_bytes());
        numbers.event += 1;
    }
    Ok(known_before)
}

/// Deliveries of these and of older events; what only repeats is left out. Returns how many were more than may wait.
fn plan(
    engine: &dyn Engine,
    batch: &mut Batch,
    (numbers, waiting): (&mut Numbers, &Waiting),
    deliveries: Vec<Delivery>,
    known_before: &BTreeSet<EventId>,
) -> Result<Refused, StoreError> {
    let mut refused = Refused::new();
    let mut planned = BTreeSet::new();
    let mut by_channel: BTreeMap<ChannelName, u64> = BTreeMap::new();
    for delivery in deliveries {
        // What was told before has had its deliveries then.
        let Some(delivery) = delivery.without(known_before) else { continue };
        // Two under one id would share one settling, and the other would be sent for ever.
        let by_id = keys::delivery_by_id(&delivery.id);
        if engine.has(&by_id)? || !planned.insert(delivery.id.clone()) {
            continue;
        }
        let of_channel = by_channel.entry(delivery.channel.clone()).or_default();
        let delivery = waiting.admit(delivery, &mut refused, *of_channel);
        *of_channel += u64::from(delivery.state.due_at().is_some());
        put_delivery(batch, numbers.delivery, &delivery)?;
        batch.insert(by_id, &numbers.delivery.to_be_bytes());
        numbers.delivery += 1;
    }
    Ok(refused)
}

fn settle(engine: &dyn Engine, batch: &mut Batch, before: &Delivery, after: Delivery) -> Result<(), StoreError> {
    let Some((number, stored)) = delivery_of(engine, &after.id)? else {
        // Forgotten meanwhile: nobody waits for it any more.
        return Ok(());
    };
    if matches!(stored.state, State::Delivered { .. }) {
        // Whatever a second attempt says: it was taken.
        return Ok(());
    }
    let after = stored.clone().after_attempt(before, after);
    replace(batch, number, &stored, &after)
}

fn act(engine: &dyn Engine, batch: &mut Batch, acts: Vec<(DeliveryId, Act, Timestamp)>) -> Result<(), StoreError> {
    let mut acted = BTreeSet::new();
    for (id, act, at) in acts {
        // A second word of the same commit would not see what the first one puts in.
        if !acted.insert(id.clone()) {
            continue;
        }
        let Some((number, stored)) = delivery_of(engine, &id)? else { continue };
        if let Ok(after) = stored.act(act, at) {
            replace(batch, number, &stored, &after)?;
        }
    }
    Ok(())
}

/// Moves a delivery to where its state belongs.
///
/// From what is stored, not from what the caller last saw: a key that stays behind is sent again for ever.
fn replace(batch: &mut Batch, number: u64, stored: &Delivery, after: &Delivery) -> Result<(), StoreError> {
    if let Some(due_at) = stored.state.due_at() {
        for key in keys::due_keys(stored, due_at, number) {
            batch.remove(key);
        }
    }
    if matches!(stored.state, State::Dead { .. }) {
        batch.remove(keys::numbered(keys::DEAD, number));
    }
    put_delivery(batch, number, after)
}

/// Whole or not at all: a digest must not stand for what a person has dropped meanwhile, nothing may be collapsed
/// into a digest that is not put in, and what has been sent is not told anew under another id.
fn collapse(engine: &dyn Engine, batch: &mut Batch, numbers: &mut Numbers, step: Collapse) -> Result<(), StoreError> {
    for (before, _) in &step.settled {
        if delivery_of(engine, &before.id)?.is_none_or(|(_, stored)| stored != *before) {
            return Ok(());
        }
    }
    if let Some(digest) = step.digest {
        let by_id = keys::delivery_by_id(&digest.id);
        if engine.has(&by_id)? {
            return Ok(());
        }
        put_delivery(batch, numbers.delivery, &digest)?;
        batch.insert(by_id, &numbers.delivery.to_be_bytes());
        numbers.delivery += 1;
    }
    for (before, after) in step.settled {
        settle(engine, batch, &before, after)?;
    }
    Ok(())
}

fn forget(engine: &dyn Engine, batch: &mut Batch, entry: Entry) -> Result<(), StoreError> {
    match entry {
        Entry::Delivery(number) => {
            let Some((_, delivery)) = stored_delivery(engine, Some(number))? else { return Ok(()) };
            if delivery.state.due_at().is_some() {
                // Made pending again since it was found to be finished.
                return Ok(());
            }
            batch.remove(keys::delivery_by_id(&delivery.id));
            batch.remove(keys::numbered(keys::DEAD, number));
            batch.remove(keys::numbered(keys::DELIVERIES, number));
        }
        Entry::Block(number) => batch.remove(keys::numbered(keys::BLOCKS, number)),
        Entry::Event(number, id) => {
            batch.remove(keys::event_by_id(&id));
            batch.remove(keys::numbered(keys::EVENTS, number));
        }
    }
    Ok(())
}

fn delivery_of(engine: &dyn Engine, id: &DeliveryId) -> Result<Option<(u64, Delivery)>, StoreError> {
    let number = engine.get(&keys::delivery_by_id(id))?.and_then(|number| keys::number_of(&number));
    stored_delivery(engine, number)
}

fn stored_delivery(engine: &dyn Engine, number: Option<u64>) -> Result<Option<(u64, Delivery)>, StoreError> {
    let Some(number) = number else { return Ok(None) };
    let stored = engine.get(&keys::numbered(keys::DELIVERIES, number))?;
    stored.map(|bytes| Ok((number, record::read(&bytes)?))).transpose()
}

fn put_delivery(batch: &mut Batch, number: u64, delivery: &Delivery) -> Result<(), StoreError> {
    batch.insert(keys::numbered(keys::DELIVERIES, number), record::write(delivery)?);
    if let Some(due_at) = delivery.state.due_at() {
        batch.insert(keys::due_key(delivery, due_at, number), &[]);
    }
    if matches!(delivery.state, State::Dead { .. }) {
        batch.insert(keys::numbered(keys::DEAD, number), &[]);
    }
    Ok(())
}
