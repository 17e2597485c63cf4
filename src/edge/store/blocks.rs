//! An index of the event log, a block of 256 numbers at a time: of each event when it was seen, and a hash of its type, its
//! shop and its subject.
//!
//! To find the last hundred overdue credits among a million events, some four thousand blocks of a few kilobytes are read
//! instead of a million texts. A block is written some seconds after the last of its events, by a commit of its own, so it
//! costs a pass nothing; what has no block yet is read as it is. Hashes can agree by chance: whoever finds an event here
//! looks at it once more. An index that is gone is made again.

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

use super::engine::{Engine, Span};
use super::event_filter::EventFilter;
use super::record;
use super::{Commit, Store, StoreError, keys};
use crate::domain::event::EventKind;
use crate::domain::model::Timestamp;

/// How many numbers of the log a block spans.
pub(super) const SPAN: u64 = 256;
/// How many blocks one commit writes.
const AT_ONCE: usize = 32;
/// How long an event is in a block: its place, when it was seen (six bytes of milliseconds), and three hashes.
const ENTRY: usize = 1 + 6 + 3 * 4;
/// The hash of a type that this version does not know: it may be any.
const ANY: u32 = 0;

/// What a block knows of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) number: u64,
    /// When it was seen, in milliseconds since 1970.
    pub(super) seen: u64,
    kind: u32,
    shop: u32,
    subject: u32,
}

/// What is looked for, in the words of a block.
#[derive(Debug)]
pub(super) struct Wanted {
    kinds: Option<Kinds>,
    shop: Option<u32>,
    subject: Option<u32>,
    since: Option<u64>,
}

/// Of which types, by their hashes.
#[derive(Debug)]
enum Kinds {
    /// Of this one.
    Only(u32),
    /// Of a family: of none of those that are known to be others. Another version may know more of it.
    NoneOf(Vec<u32>),
}

impl Wanted {
    /// What the filter asks for; `None` where it asks for nothing that a block knows, but for the time.
    pub(super) fn of(filter: &EventFilter) -> Option<Wanted> {
        let EventFilter { kind, shop, subject, since, .. } = filter;
        if kind.is_none() && shop.is_none() && subject.is_none() {
            return None;
        }
        let kinds = kind.as_ref().map(|kind| match kind.strip_suffix('*') {
            Some(family) => Kinds::NoneOf(names().filter(|name| !name.starts_with(family)).map(hash).collect()),
            None => Kinds::Only(hash(kind)),
        });
        let shop = shop.as_ref().map(|shop| hash(shop));
        Some(Wanted { kinds, shop, subject: subject.as_ref().map(|text| hash(text)), since: since.map(millis) })
    }

    /// Whether the event may be meant.
    pub(super) fn may_be(&self, entry: &Entry) -> bool {
        let of_kind = |kinds: &Kinds| match kinds {
            Kinds::Only(kind) => [*kind, ANY].contains(&entry.kind),
            Kinds::NoneOf(others) => !others.contains(&entry.kind),
        };
        self.kinds.as_ref().is_none_or(of_kind)
            && self.shop.is_none_or(|shop| shop == entry.shop)
            && self.subject.is_none_or(|subject| subject == entry.subject)
            && self.is_young(entry)
    }

    /// Whether it was seen in the asked time.
    pub(super) fn is_young(&self, entry: &Entry) -> bool {
        self.since.is_none_or(|since| entry.seen >= since)
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    EventKind::ALL.iter().map(|kind| kind.name())
}

fn hash(text: &str) -> u32 {
    // Of all that there are, this one has another meaning.
    (xxh3_64(text.as_bytes()) as u32).max(ANY + 1)
}

/// Before 1970 is as old as 1970.
fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.timestamp_millis()).unwrap_or(0)
}

/// The events of a block, in the order of their numbers.
pub(super) fn entries(block: u64, bytes: &[u8]) -> impl DoubleEndedIterator<Item = Entry> {
    bytes.as_chunks::<ENTRY>().0.iter().map(move |entry| {
        let part = |from: usize| u32::from_be_bytes([entry[from], entry[from + 1], entry[from + 2], entry[from + 3]]);
        let seen = entry[1..7].iter().fold(0, |seen, byte| seen << 8 | u64::from(*byte));
        let number = block * SPAN + u64::from(entry[0]);
        Entry { number, seen, kind: part(7), shop: part(11), subject: part(15) }
    })
}

/// The number from which on events have no block.
pub(super) fn end_of_index(engine: &dyn Engine) -> Result<u64, StoreError> {
    let last = engine.scan_back(Span::prefix(keys::BLOCKS)).next().transpose()?;
    Ok(last.and_then(|(key, _)| keys::number_of(&key)).map_or(0, |block| (block + 1) * SPAN))
}

impl Store {
    /// Writes the blocks of the index that can be written by now, and returns how many.
    pub async fn index_log(&self) -> Result<usize, StoreError> {
        let mut written = 0;
        loop {
            let end = self.end_of_events();
            let blocks = self.reading(move |engine| next_blocks(engine, end)).await?;
            if blocks.is_empty() {
                return Ok(written);
            }
            written += blocks.len();
            self.commit(Commit { blocks, ..Commit::default() }).await?;
        }
    }
}

/// The next blocks of which every event is durable.
fn next_blocks(engine: &dyn Engine, end: u64) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    let mut blocks: Vec<(u64, Vec<u8>)> = Vec::new();
    let begin = keys::numbered(keys::EVENTS, end_of_index(engine)?);
    let end = keys::numbered(keys::EVENTS, end / SPAN * SPAN);
    for entry in engine.scan(Span::from(begin..end)) {
        let (key, value) = entry?;
        let Some(number) = keys::number_of(&key) else { continue };
        // Numbers may be passed over: after a restore by many.
        if blocks.last().is_none_or(|(block, _)| *block != number / SPAN) {
            if blocks.len() == AT_ONCE {
                break;
            }
            blocks.push((number / SPAN, Vec::new()));
        }
        if let Some((_, block)) = blocks.last_mut() {
            put(block, number, &value)?;
        }
    }
    Ok(blocks)
}

/// Writes one event behind the others of its block. One that cannot be read is left out: nothing finds it anyway.
fn put(block: &mut Vec<u8>, number: u64, stored: &[u8]) -> Result<(), StoreError> {
    #[derive(Deserialize)]
    struct Head {
        source: String,
        #[serde(rename = "type")]
        kind: String,
        subject: String,
    }
    let Ok((at, json)) = record::read_event(stored) else { return Ok(()) };
    let Ok(Head { source, kind, subject }) = record::read::<Head>(json.as_bytes()) else { return Ok(()) };
    let shop = source.strip_prefix(super::event_filter::SOURCE).unwrap_or_default();
    block.push((number % SPAN) as u8);
    block.extend_from_slice(&millis(at).to_be_bytes()[2..]);
    let kind = names().find(|name| *name == kind).map_or(ANY, hash);
    for hash in [kind, hash(shop), hash(&subject)] {
        block.extend_from_slice(&hash.to_be_bytes());
    }
    Ok(())
}
