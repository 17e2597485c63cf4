//! What a store must be able to do for everything else here: give a value, walk through keys in order, and write a batch
//! whole or not at all.
//!
//! Tables, indexes and what they mean are the same for every engine ([`super::keys`], [`super::commit`]); an engine knows
//! bytes alone. The suite in [`conformance`] says what one must do, and runs against each.
//!
//! **What it promises.** A batch is seen whole or not at all by whoever begins to read after it, and by whoever opens the
//! store after a kill. After [`Engine::sync`] what was applied before survives a power cut. A batch with a fence that is
//! not the newest changes nothing.
//! **What it relies on.** Calls block: they come from threads that may. One caller at a time applies and syncs.
//! **What it refuses.** To go on with a value that it cannot give back as it was written: that is an error, and no value.

#[cfg(test)]
pub(super) mod conformance;
#[cfg(test)]
pub(super) mod model;

use std::collections::BTreeMap;
use std::ops::{Bound, Deref, Range};

use super::StoreError;

/// Keeps keys and values.
pub(super) trait Engine: Send + Sync {
    /// The value under `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// The entries of these keys, in the order of the keys. What is applied meanwhile may be seen or not, entry by entry.
    fn scan(&self, span: Span) -> Entries<'_>;

    /// The same from the last key to the first.
    fn scan_back(&self, span: Span) -> Entries<'_>;

    /// Their keys alone, in their order.
    fn keys(&self, span: Span) -> Box<dyn Iterator<Item = Result<Bytes, StoreError>> + '_> {
        Box::new(self.scan(span).map(|entry| entry.map(|(key, _)| key)))
    }

    /// What it holds, as far as that is known without reading it.
    fn holding(&self) -> Holding;

    /// Makes whoever asks the one who may write. Whoever was it before may not any more.
    fn take_over(&self) -> Result<Fence, StoreError>;

    /// Writes the batch as one step; not durable before [`Engine::sync`]. [`StoreError::Fenced`] where somebody has taken
    /// over since `fence` was given.
    fn apply(&self, fence: Fence, batch: &Batch) -> Result<(), StoreError>;

    /// Returns when all that was applied survives a power cut.
    fn sync(&self) -> Result<(), StoreError>;

    /// Does a little of what the engine owes, so that what it wrote takes less space; durable when it returns. Returns
    /// whether more is owed. Called while nothing waits.
    fn tidy(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Whether its files are still where they were opened, and not deleted or covered by another disk.
    fn is_in_place(&self) -> Result<bool, StoreError> {
        Ok(true)
    }

    /// Reads everything and compares it with what is known to be written: [`StoreError::Damaged`] where it differs.
    /// `go_on` is told now and then how far it is, and ends it by `false`. Returns whether all was read.
    fn verify(&self, go_on: &mut dyn FnMut(Progress) -> bool) -> Result<bool, StoreError>;

    /// Whether there is a value under `key`.
    fn has(&self, key: &[u8]) -> Result<bool, StoreError> {
        Ok(self.get(key)?.is_some())
    }
}

/// Entries in an order.
pub(super) type Entries<'a> = Box<dyn Iterator<Item = Result<(Bytes, Bytes), StoreError>> + 'a>;

/// How far a long reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Entries that were read.
    pub done: u64,
    /// How many there are.
    pub of: u64,
}

/// What an engine holds. Two of a kind that hold the same entries say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Holding {
    /// How many entries there are.
    pub(super) entries: u64,
    /// How many bytes their keys and values have.
    pub(super) bytes: u64,
    /// A sum of their hashes.
    pub(super) sum: u128,
}

/// Says who may write: the one to whom the newest was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fence(pub(super) u64);

/// A key or a value as it came from an engine. Short ones cost no allocation, long ones are shared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bytes(::sled::IVec);

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<::sled::IVec> for Bytes {
    fn from(bytes: ::sled::IVec) -> Bytes {
        Bytes(bytes)
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        Bytes(bytes.into())
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Bytes {
        Bytes(bytes.into())
    }
}

impl<const N: usize> From<&[u8; N]> for Bytes {
    fn from(bytes: &[u8; N]) -> Bytes {
        Bytes(bytes[..].into())
    }
}

impl From<&Bytes> for ::sled::IVec {
    fn from(bytes: &Bytes) -> ::sled::IVec {
        bytes.0.clone()
    }
}

/// Keys from one to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Bound<Vec<u8>>,
    pub(super) to: Bound<Vec<u8>>,
}

impl Span {
    /// Every key.
    pub(super) fn all() -> Span {
        Span { from: Bound::Unbounded, to: Bound::Unbounded }
    }

    /// Every key that begins so.
    pub(super) fn prefix(prefix: &[u8]) -> Span {
        let mut end = prefix.to_vec();
        // Behind the last of them is the next prefix of the same length, if there is one.
        while end.last() == Some(&u8::MAX) {
            end.pop();
        }
        let to = match end.last_mut() {
            Some(last) => {
                *last += 1;
                Bound::Excluded(end)
            }
            None => Bound::Unbounded,
        };
        Span { from: Bound::Included(prefix.to_vec()), to }
    }

    /// Every key behind this one.
    pub(super) fn behind(key: Vec<u8>) -> Span {
        Span { from: Bound::Excluded(key), to: Bound::Unbounded }
    }

    /// Whether no key can be in it.
    pub(super) fn is_empty(&self) -> bool {
        match (&self.from, &self.to) {
            (Bound::Included(from), Bound::Included(to)) => from > to,
            (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to) | Bound::Included(to)) => from >= to,
            (Bound::Unbounded, Bound::Excluded(to)) => to.is_empty(),
            _ => false,
        }
    }
}

impl From<Range<Vec<u8>>> for Span {
    fn from(Range { start, end }: Range<Vec<u8>>) -> Span {
        Span { from: Bound::Included(start), to: Bound::Excluded(end) }
    }
}

/// What is written in one step: of each key the last word.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    writes: BTreeMap<Vec<u8>, Option<Bytes>>,
}

impl Batch {
    /// Puts this value under the key.
    pub(super) fn insert(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Bytes>) {
        self.writes.insert(key.into(), Some(value.into()));
    }

    /// Takes away what is under the key.
    pub(super) fn remove(&mut self, key: impl Into<Vec<u8>>) {
        self.writes.insert(key.into(), None);
    }

    /// Every key with what becomes of it; `None` removes it.
    pub(super) fn writes(&self) -> impl Iterator<Item = (&[u8], Option<&Bytes>)> {
        self.writes.iter().map(|(key, value)| (&key[..], value.as_ref()))
    }

    /// How many keys it changes.
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }
}
