//! The keys: one letter for the table, then what the rows are ordered by.
//!
//! Numbers are big-endian, so that the order of the keys is the order of the numbers. Shop and channel names are
//! plain ([`crate::domain::model::ShopId`] allows no `/`), and an entity id stands last, so no two keys can collide.
//! An id of 24 hex digits, as the API's are, stands there in half as many bytes behind a mark that no other id begins
//! with, and so do the digits of an event's id and of a delivery's.

use super::StoreError;
use crate::domain::event::{DeliveryId, EventId, Severity};
use crate::domain::model::{ChannelName, EntityId, Resource, ShopId, Timestamp};
use crate::domain::outbox::Delivery;
use crate::domain::publish::GroupKey;

pub(super) const EPOCH: &[u8] = b"m/epoch";
pub(super) const NUMBERS: &[u8] = b"m/numbers";
pub(super) const FORM: &[u8] = b"m/form";
pub(super) const REPLAY: &[u8] = b"m/replay";
pub(super) const CHANNELS: &[u8] = b"m/channels";
pub(super) const EVENTS: &[u8] = b"e/";
pub(super) const BLOCKS: &[u8] = b"b/";
pub(super) const DELIVERIES: &[u8] = b"d/";
pub(super) const DUE: &[u8] = b"q/";
pub(super) const DEAD: &[u8] = b"x/";
pub(super) const OVERFLOWS: &[u8] = b"o/";
pub(super) const GUARDS: &[u8] = b"g/";
pub(super) const GROUPS: &[u8] = b"t/";
pub(super) const ALL_ROWS: &[u8] = b"r/";
pub(super) const EVENTS_BY_ID: &[u8] = b"i/";
pub(super) const DELIVERIES_BY_ID: &[u8] = b"j/";

/// Marks the time in a due key of what is critical: the highest bit.
const CRITICAL: u64 = 1 << 63;

/// Stands before an id in few bytes. No id that is written out begins with a control character.
const HEX: u8 = 0x01;
const ENTITY_DIGITS: usize = 24;
const EVENT: &str = "evt_";
const DELIVERY: &str = "dlv_";
const ID_DIGITS: usize = 32;

pub(super) fn shop(shop: &ShopId) -> Vec<u8> {
    format!("s/{shop}").into_bytes()
}

pub(super) fn resource(shop: &ShopId, resource: Resource) -> Vec<u8> {
    format!("p/{shop}/{resource}").into_bytes()
}

pub(super) fn guard(shop: &ShopId, resource: Resource) -> Vec<u8> {
    format!("g/{shop}/{resource}").into_bytes()
}

/// The shop and the resource of a guard's key.
pub(super) fn guard_parts(key: &[u8]) -> Option<(ShopId, Resource)> {
    let (shop, resource) = std::str::from_utf8(key.strip_prefix(GUARDS)?).ok()?.split_once('/')?;
    Some((ShopId::new(shop).ok()?, Resource::by_name(resource)?))
}

pub(super) fn gathering(shop: &ShopId, resource: Resource) -> Vec<u8> {
    format!("w/{shop}/{resource}").into_bytes()
}

/// Of an open group. A rule's name may have any characters and any length, so a hash stands for it.
pub(super) fn group(of: &GroupKey) -> Vec<u8> {
    let recipient = of.address.recipient.as_deref();
    let parts = [of.rule.as_bytes(), of.address.channel.as_str().as_bytes(), recipient.unwrap_or_default().as_bytes()];
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    }
    let mut key = format!("t/{}/", of.shop).into_bytes();
    key.extend_from_slice(&context.finish().as_ref()[..16]);
    key
}

pub(super) fn rows(shop: &ShopId, resource: Resource) -> Vec<u8> {
    format!("r/{shop}/{resource}/").into_bytes()
}

pub(super) fn row(shop: &ShopId, resource: Resource, id: &EntityId) -> Vec<u8> {
    let mut key = rows(shop, resource);
    push_id(&mut key, id.as_str(), ENTITY_DIGITS);
    key
}

/// Of the key of a row, as form 2 wrote it: its key now, its id, and whether rows of its resource have heads.
pub(super) fn row_of_form_2(key: &[u8]) -> Option<(Vec<u8>, String, bool)> {
    let mut parts = std::str::from_utf8(key.strip_prefix(ALL_ROWS)?).ok()?.splitn(3, '/');
    let shop = ShopId::new(parts.next()?).ok()?;
    let resource = Resource::by_name(parts.next()?)?;
    let id = EntityId::new(parts.next()?).ok()?;
    let is_listed = !matches!(resource, Resource::Transactions | Resource::Credit);
    Some((row(&shop, resource, &id), id.as_str().to_owned(), is_listed))
}

/// The key now of an index by id, where form 2 wrote another.
pub(super) fn by_id_of_form_2(key: &[u8]) -> Option<Vec<u8>> {
    let (table, word) = match key.get(..2)? {
        EVENTS_BY_ID => (EVENTS_BY_ID, EVENT),
        DELIVERIES_BY_ID => (DELIVERIES_BY_ID, DELIVERY),
        _ => return None,
    };
    let new = named(table, std::str::from_utf8(&key[2..]).ok()?, word);
    (new != key).then_some(new)
}

/// The entity at the end of a row's key.
pub(super) fn entity_of(key: &[u8], prefix: &[u8]) -> Result<EntityId, StoreError> {
    let mut id = String::new();
    put_entity(&mut id, key, prefix)?;
    EntityId::new(id).map_err(|_| no_id())
}

fn no_id() -> StoreError {
    StoreError::Unreadable("a row has lost its id".to_owned())
}

/// Writes the entity at the end of a row's key behind `text`.
pub(super) fn put_entity(text: &mut String, key: &[u8], prefix: &[u8]) -> Result<(), StoreError> {
    let id = key.get(prefix.len()..).unwrap_or_default();
    if let Some((&HEX, packed)) = id.split_first() {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = packed.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        text.extend(digits.map(|digit| char::from(DIGITS[usize::from(digit)])));
    } else {
        text.push_str(std::str::from_utf8(id).map_err(|_| no_id())?);
    }
    Ok(())
}

pub(super) fn numbered(table: &[u8], number: u64) -> Vec<u8> {
    let mut key = table.to_vec();
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// Behind every key of a table.
pub(super) fn end_of(table: &[u8]) -> Vec<u8> {
    let mut key = table.to_vec();
    key.extend_from_slice(&[0xff; 9]);
    key
}

/// The number at the end of a key.
pub(super) fn number_of(key: &[u8]) -> Option<u64> {
    let at = key.len().checked_sub(8)?;
    Some(u64::from_be_bytes(key[at..].try_into().ok()?))
}

pub(super) fn event_by_id(id: &EventId) -> Vec<u8> {
    named(EVENTS_BY_ID, id.as_str(), EVENT)
}

pub(super) fn delivery_by_id(id: &DeliveryId) -> Vec<u8> {
    named(DELIVERIES_BY_ID, id.as_str(), DELIVERY)
}

/// Under `table`, an id that begins with `word` as it should.
fn named(table: &[u8], id: &str, word: &str) -> Vec<u8> {
    let mut key = table.to_vec();
    match id.strip_prefix(word) {
        Some(digits) if is_hex(digits, ID_DIGITS) => push_id(&mut key, digits, ID_DIGITS),
        _ => key.extend_from_slice(id.as_bytes()),
    }
    key
}

fn is_hex(id: &str, digits: usize) -> bool {
    id.len() == digits && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Puts an id behind a key: in half as many bytes where it is so many hex digits.
fn push_id(key: &mut Vec<u8>, id: &str, digits: usize) {
    if !is_hex(id, digits) {
        return key.extend_from_slice(id.as_bytes());
    }
    key.push(HEX);
    let value = |digit: u8| if digit < b'a' { digit - b'0' } else { digit - b'a' + 10 };
    key.extend(id.as_bytes().chunks_exact(2).map(|pair| value(pair[0]) << 4 | value(pair[1])));
}

pub(super) fn due_of(channel: &ChannelName) -> Vec<u8> {
    format!("q/{channel}/").into_bytes()
}

/// The two queues of a channel. The keys of what is critical stand behind the others of the same channel, so that
/// whatever is about all that waits finds both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Critical,
    Ordinary,
}

impl Lane {
    /// In the order in which what is due is taken.
    pub(super) const ALL: [Lane; 2] = [Lane::Critical, Lane::Ordinary];

    pub(super) fn of(delivery: &Delivery) -> Lane {
        match delivery.severity {
            Severity::Critical => Lane::Critical,
            Severity::Info | Severity::Warning => Lane::Ordinary,
        }
    }

    /// Stands in a key's time: no time is so late.
    fn mark(self) -> u64 {
        match self {
            Lane::Critical => CRITICAL,
            Lane::Ordinary => 0,
        }
    }
}

/// The due key of a delivery that is due at `at`.
pub(super) fn due_key(delivery: &Delivery, at: Timestamp, number: u64) -> Vec<u8> {
    due(&delivery.channel, Lane::of(delivery), at, number)
}

/// Every due key that the delivery may have: a version without queues put what is critical in with the rest.
pub(super) fn due_keys(delivery: &Delivery, at: Timestamp, number: u64) -> Vec<Vec<u8>> {
    let lanes = match Lane::of(delivery) {
        Lane::Critical => &Lane::ALL[..],
        Lane::Ordinary => &[Lane::Ordinary],
    };
    lanes.iter().map(|lane| due(&delivery.channel, *lane, at, number)).collect()
}

/// Behind every due key of the channel in this queue.
pub(super) fn end_of_lane(channel: &ChannelName, lane: Lane) -> Vec<u8> {
    let mut key = due_of(channel);
    match lane {
        Lane::Critical => end_of(&key),
        Lane::Ordinary => {
            key.extend_from_slice(&CRITICAL.to_be_bytes());
            key
        }
    }
}

pub(super) fn due(channel: &ChannelName, lane: Lane, at: Timestamp, delivery: u64) -> Vec<u8> {
    let mut key = due_of(channel);
    // Before 1970 is as due as 1970.
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0) | lane.mark();
    key.extend_from_slice(&millis.to_be_bytes());
    key.extend_from_slice(&delivery.to_be_bytes());
    key
}

/// What is known of a channel apart from what waits for it.
pub(super) fn channel(channel: &ChannelName) -> Vec<u8> {
    format!("c/{channel}").into_bytes()
}

pub(super) fn overflow(channel: &ChannelName) -> Vec<u8> {
    format!("o/{channel}").into_bytes()
}

/// The channel of a due key or of an overflow.
pub(super) fn channel_of(key: &[u8]) -> Result<ChannelName, StoreError> {
    let name = key.split(|byte| *byte == b'/').nth(1).and_then(|name| std::str::from_utf8(name).ok());
    let name = name.and_then(|name| ChannelName::new(name).ok());
    name.ok_or_else(|| StoreError::Unreadable("a key has lost its channel".to_owned()))
}

/// When the delivery of a due key is due, and its number.
pub(super) fn due_parts(key: &[u8]) -> Option<(Timestamp, u64)> {
    let number = number_of(key)?;
    let millis = number_of(key.get(..key.len().checked_sub(8)?)?)? & !CRITICAL;
    Some((Timestamp::from_timestamp_millis(i64::try_from(millis).ok()?)?, number))
}

/// The shop whose entry stands under `key`, empty where it is of none, and the letter of its table.
pub(super) fn table_of(key: &[u8]) -> (&[u8], u8) {
    let letter = key.first().copied().unwrap_or_default();
    let shop = match letter {
        // Open groups stand under no shop: an older posbell, which does not know them, counts them so too.
        b'r' | b'p' | b'g' | b'w' | b's' => key.split(|byte| *byte == b'/').nth(1).unwrap_or_default(),
        _ => &[],
    };
    (shop, letter)
}

/// What a table's entries are called.
pub(super) fn table_name(letter: u8) -> &'static str {
    match letter {
        b'r' => "rows",
        b'p' => "notes on lists",
        b'g' => "notes of the guard",
        b'w' => "promises of a message",
        b't' => "open groups",
        b's' => "notes on shops",
        b'e' => "events",
        b'i' => "ids of events",
        b'b' => "parts of the index of events",
        b'd' => "deliveries",
        b'j' => "ids of deliveries",
        b'q' => "entries of the queue",
        b'x' => "dead letters",
        b'o' => "notes on overflows",
        b'c' => "notes on channels",
        b'm' => "notes on the store",
        0xfe => "notes of who may write",
        0xff => "parts of long values",
        _ => "other entries",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_keys_are_in_the_order_of_time() {
        let channel = ChannelName::new("erp").expect("is a name");
        let at = |millis| Timestamp::from_timestamp_millis(millis).expect("is in range");
        for lane in Lane::ALL {
            let early = due(&channel, lane, at(1_000), 9);
            let late = due(&channel, lane, at(256_000), 1);
            let last = due(&channel, lane, Timestamp::MAX_UTC, u64::MAX);
            assert!(early < late && late < last && last < end_of_lane(&channel, lane));
            assert_eq!(due_parts(&late), Some((at(256_000), 1)));
            assert!(early.starts_with(&due_of(&channel)) && last < end_of(&due_of(&channel)));
        }
        assert_eq!(end_of_lane(&channel, Lane::Ordinary)[..], due(&channel, Lane::Critical, at(0), 0)[..14]);
    }
}
