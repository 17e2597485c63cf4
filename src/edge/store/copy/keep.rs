//! What a copy must not see: the old values of what was changed since it began.
//!
//! # Why the copy is of one moment
//!
//! It begins at a moment *T* on the committer's thread, between two commits. For each key of each later commit the
//! committer does three things in this order: it looks whether the copy has passed the key; if not, and nothing is kept
//! of it, it keeps the value that stands there (or that none does); and then it writes the commit. The copy does three
//! things for each page: it reads the page; it takes what is kept of these keys before what it has read; and it says
//! that it has passed them. The last two of the copy are one step under the lock, and so are the first two of the
//! committer.
//!
//! Take a key, and the first commit after *T* that changes it. Either the committer's step comes first: then the value
//! of *T* is kept, for it is the first change, and the copy takes that, whatever it has read. Or the copy's step comes
//! first: then the page was read before that, and the commit is written after it, so what was read is the value of *T*.
//! In neither case is a value of a later moment in the copy. A commit's keys are each as before, so no part of it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::form::Record;
use crate::edge::store::StoreError;
use crate::edge::store::engine::{Batch, Engine};

/// The most bytes that are kept. A piece of a copy is taken within moments, and a busy shop changes some kilobytes a
/// second.
const KEPT_MOST: usize = 32 * 1024 * 1024;
/// About what an entry costs besides its key and value.
const ENTRY: usize = 96;

/// Whether a copy is under way, and what is kept for it.
#[derive(Debug, Default)]
pub(in crate::edge::store) struct Copying {
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Up to this key the copy has read everything.
    passed: Option<Vec<u8>>,
    /// Of keys that it has not passed: what stood there when it began.
    before: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
    /// More than that was to be kept, so there is nothing any more.
    is_over: bool,
}

impl Copying {
    /// Begins a copy. Called between two commits.
    pub(in crate::edge::store) fn begin(copying: &Arc<Copying>) -> Result<UnderWay, StoreError> {
        let mut kept = copying.locked();
        if kept.is_some() {
            return Err(StoreError::CopyUnderWay);
        }
        *kept = Some(Kept::default());
        Ok(UnderWay { copying: Arc::clone(copying) })
    }

    /// Keeps what `batch` is about to change. Called before it is written.
    pub(in crate::edge::store) fn keep(&self, engine: &dyn Engine, batch: &Batch) -> Result<(), StoreError> {
        let mut kept = self.locked();
        let Some(kept) = kept.as_mut().filter(|kept| !kept.is_over) else { return Ok(()) };
        for (key, _) in batch.writes() {
            let is_passed = kept.passed.as_deref().is_some_and(|passed| key <= passed);
            if is_passed || kept.before.contains_key(key) {
                continue;
            }
            let value = engine.get(key)?.map(|value| value.to_vec());
            kept.bytes += ENTRY + key.len() + value.as_ref().map_or(0, Vec::len);
            kept.before.insert(key.to_vec(), value);
        }
        if kept.bytes > KEPT_MOST {
            *kept = Kept { is_over: true, ..Kept::default() };
        }
        Ok(())
    }

    fn locked(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A copy that is under way; it ends when this is dropped.
#[derive(Debug)]
pub(in crate::edge::store) struct UnderWay {
    copying: Arc<Copying>,
}

impl UnderWay {
    /// Of what was `found` behind the last page up to `upto` (to the end, where there is none): what it was when the
    /// copy began.
    pub(super) fn as_it_was(&self, found: Vec<Record>, upto: Option<&[u8]>) -> Result<Vec<Record>, StoreError> {
        let mut kept = self.copying.locked();
        let kept = kept.as_mut().filter(|kept| !kept.is_over).ok_or(StoreError::CopyTooSlow)?;
        let before = match upto {
            Some(upto) => {
                let later = kept.before.split_off(upto);
                let mut before = std::mem::replace(&mut kept.before, later);
                // The last of the page itself.
                if let Some(value) = kept.before.remove(upto) {
                    before.insert(upto.to_vec(), value);
                }
                before
            }
            None => std::mem::take(&mut kept.before),
        };
        let size = |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| ENTRY + key.len() + value.as_ref().map_or(0, Vec::len);
        kept.bytes -= before.iter().map(size).sum::<usize>();
        // At the end everything is passed that there can be.
        kept.passed = Some(upto.map_or_else(|| vec![0xff; 16], <[u8]>::to_vec));
        if before.is_empty() {
            return Ok(found);
        }
        let mut as_it_was: BTreeMap<Vec<u8>, Option<Vec<u8>>> =
            found.into_iter().map(|(key, value)| (key, Some(value))).collect();
        as_it_was.extend(before);
        Ok(as_it_was.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        *self.copying.locked() = None;
    }
}
