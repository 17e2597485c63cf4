//! The least that an engine can be: a map in memory. What the others do is compared with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::xxh3_128;

use super::{Batch, Bytes, Engine, Entries, Fence, Holding, Progress, Span};
use crate::edge::store::StoreError;

/// Keeps everything until the last clone of it is dropped.
#[derive(Clone, Default)]
pub(in crate::edge::store) struct Model(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    entries: BTreeMap<Vec<u8>, Bytes>,
    fence: u64,
}

impl Model {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn found(&self, span: Span) -> Vec<Result<(Bytes, Bytes), StoreError>> {
        if span.is_empty() {
            return Vec::new();
        }
        let kept = self.kept();
        let found = kept.entries.range((span.from, span.to));
        found.map(|(key, value)| Ok((Bytes::from(&key[..]), value.clone()))).collect()
    }
}

impl Engine for Model {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.kept().entries.get(key).cloned())
    }

    fn scan(&self, span: Span) -> Entries<'_> {
        Box::new(self.found(span).into_iter())
    }

    fn scan_back(&self, span: Span) -> Entries<'_> {
        Box::new(self.found(span).into_iter().rev())
    }

    fn holding(&self) -> Holding {
        let kept = self.kept();
        let mut holding = Holding::default();
        for (key, value) in &kept.entries {
            holding.entries += 1;
            holding.bytes += (key.len() + value.len()) as u64;
            holding.sum = holding.sum.wrapping_add(xxh3_128(&[&key[..], b"\0", value].concat()));
        }
        holding
    }

    fn take_over(&self) -> Result<Fence, StoreError> {
        let mut kept = self.kept();
        kept.fence += 1;
        Ok(Fence(kept.fence))
    }

    fn apply(&self, fence: Fence, batch: &Batch) -> Result<(), StoreError> {
        let mut kept = self.kept();
        if fence != Fence(kept.fence) {
            return Err(StoreError::Fenced);
        }
        for (key, value) in batch.writes() {
            match value {
                Some(value) => drop(kept.entries.insert(key.to_vec(), value.clone())),
                None => drop(kept.entries.remove(key)),
            }
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn verify(&self, go_on: &mut dyn FnMut(Progress) -> bool) -> Result<bool, StoreError> {
        let of = self.kept().entries.len() as u64;
        Ok(go_on(Progress { done: of, of }))
    }
}
