//! What the values look like: JSON, packed where that is shorter, with a form number in the store; readable by every
//! later version.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{StoreError, packed};
use crate::domain::event::ChannelFault;
use crate::domain::model::{ChannelName, KeyHash, ShopId, Timestamp};
use crate::domain::outbox::Address;
use crate::domain::publish::{GroupKey, OpenGroup};
use crate::domain::rhythm::hours::Observed;
use crate::domain::stale::StaleRecord;

/// The form that this version writes.
pub(super) const FORM: u32 = 3;

/// What is known of one resource of one shop, apart from its rows. Present from the first accepted pass on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRecord {
    /// When the first pass was accepted.
    pub baseline_at: Timestamp,
    /// When the latest pass was accepted.
    pub passed_at: Timestamp,
    /// From which moment on sales have been read without a gap; `null` for other resources.
    pub horizon: Option<Timestamp>,
    /// By which fields the rows were read: a hash of `[shop.fields]` and of what posbell assumes without it.
    pub fields: String,
    /// By what the rows were measured besides: a hash of the thresholds, for products.
    #[serde(default)]
    pub measure: String,
    /// How many rows the latest pass had.
    pub rows: u64,
    /// How many of them could not be understood.
    pub unreadable: u64,
    /// How many calls the latest pass took; 0 where that is not known.
    #[serde(default)]
    pub calls: u32,
}

/// An open group, with its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct GroupRecord {
    shop: ShopId,
    rule: String,
    channel: ChannelName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recipient: Option<String>,
    #[serde(flatten)]
    group: OpenGroup,
}

impl GroupRecord {
    pub(super) fn of(key: &GroupKey, group: &OpenGroup) -> GroupRecord {
        let GroupKey { shop, rule, address: Address { channel, recipient } } = key.clone();
        GroupRecord { shop, rule, channel, recipient, group: group.clone() }
    }

    pub(super) fn parts(self) -> (GroupKey, OpenGroup) {
        let GroupRecord { shop, rule, channel, recipient, group } = self;
        (GroupKey { shop, rule, address: Address { channel, recipient } }, group)
    }
}

/// What is known of one shop apart from its resources.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ShopRecord {
    /// When posbell first ran for this shop.
    pub began_at: Option<Timestamp>,
    /// `shop.baseline` was told.
    pub baseline_told: bool,
    /// How often the key was refused; part of the next notice's id.
    pub key_refusals: u64,
    /// The key was refused and nothing may be read with it.
    pub stopped: Option<Stopped>,
    /// When sales were seen to be made.
    #[serde(default)]
    pub observed: Observed,
    /// What was told of lists that are not read.
    #[serde(default)]
    pub stale: StaleRecord,
}

/// What was told of channels, by their names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChannelsTold(pub BTreeMap<ChannelName, ChannelTold>);

/// What was told of one channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChannelTold {
    /// It fails: a problem, whether or not it was told yet.
    pub failing: Option<FailingRecord>,
    /// `channel.failing` was told, of a failure since then, and `channel.recovered` not yet.
    #[serde(default)]
    pub told_since: Option<Timestamp>,
    /// When it was last told.
    #[serde(default)]
    pub told_at: Option<Timestamp>,
    /// It was told again so soon that the channel fails and works in turns.
    #[serde(default)]
    pub flaps: bool,
    /// Since when more was to be sent to it than may wait, where that was told and has not ended.
    #[serde(default)]
    pub overflow_since: Option<Timestamp>,
    /// How many `channel.failing` there have been; part of the next one's id.
    pub failing_events: u64,
    /// How many `channel.recovered` there have been.
    pub recovered_events: u64,
}

/// A channel that fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailingRecord {
    /// When the first of the failed attempts was.
    pub since: Timestamp,
    /// What kind of failure it was.
    pub cause: ChannelFault,
}

/// Why a shop is not read at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// When the key was refused.
    pub at: Timestamp,
    /// The status that refused it.
    pub status: u16,
    /// A hash of the refused key: another key may be tried.
    pub key_hash: KeyHash,
}

/// How far a replay has come: written with each of its steps, so that it can go on after a kill where it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayRecord {
    /// What was asked for, as it was asked: the same words mean the same replay.
    pub words: String,
    /// When it was first said.
    pub began_at: Timestamp,
    /// When it last came on.
    pub at: Timestamp,
    /// Events seen from here on.
    pub since: Timestamp,
    /// Events seen before this.
    pub until: Timestamp,
    /// What comes next.
    pub next: ReplayPlace,
    /// How many messages it has made due.
    pub queued: u64,
}

/// Where a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayPlace {
    /// At the delivery with this number: what was planned before is sent again.
    Deliveries(u64),
    /// At the event with this number: what was never planned for a channel is planned.
    Events(u64),
}

#[derive(Serialize)]
struct EventOut<'a> {
    at: Timestamp,
    event: &'a RawValue,
}

#[derive(Deserialize)]
struct EventIn {
    at: Timestamp,
    event: Box<RawValue>,
}

/// A stored event: when it was seen, and its public JSON to the byte.
pub(super) fn write_event(at: Timestamp, json: &str) -> Result<Vec<u8>, StoreError> {
    let event: &RawValue = serde_json::from_str(json).map_err(damaged)?;
    write(&EventOut { at, event })
}

/// When a stored event was seen, and its JSON as it was written.
pub(super) fn read_event(bytes: &[u8]) -> Result<(Timestamp, String), StoreError> {
    let EventIn { at, event } = read(bytes)?;
    Ok((at, event.get().to_owned()))
}

/// Any record as bytes.
pub(super) fn write<T: Serialize>(record: &T) -> Result<Vec<u8>, StoreError> {
    Ok(packed::pack(&json(record)?))
}

/// Any record as JSON: of the form and of whose data it is, which every version must be able to read, so it is stored.
pub(super) fn json<T: Serialize>(record: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(record).map_err(damaged)
}

/// A record from its bytes.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    read_of(bytes, "")
}

/// A record from its bytes, under a key that ends with this id. A panic over one of them is no damage of the store.
pub(super) fn read_of<T: DeserializeOwned>(bytes: &[u8], own: &str) -> Result<T, StoreError> {
    let read = || serde_json::from_slice(&packed::unpack(bytes, own)?).map_err(damaged);
    let panicked = |_| Err(StoreError::Unreadable("a record (reading it panics)".to_owned()));
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(panicked)
}

/// The text of a `serde_json` error names a place and a type, never a value of the row.
fn damaged(error: serde_json::Error) -> StoreError {
    StoreError::Unreadable(format!("a record ({:?} at column {})", error.classify(), error.column()))
}
