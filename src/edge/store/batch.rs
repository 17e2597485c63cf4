//! One batch of keys that knows which keys it changes. sled's own does not say, and a copy that is under way must know.

use sled::IVec;

use super::StoreError;

/// What is written in one step.
#[derive(Debug, Default)]
pub(super) struct Batch {
    writes: sled::Batch,
    keys: Vec<IVec>,
}

impl Batch {
    pub(super) fn insert<K: Into<IVec>, V: Into<IVec>>(&mut self, key: K, value: V) {
        let key = key.into();
        self.keys.push(key.clone());
        self.writes.insert(key, value);
    }

    pub(super) fn remove<K: Into<IVec>>(&mut self, key: K) {
        let key = key.into();
        self.keys.push(key.clone());
        self.writes.remove(key);
    }

    /// Every key that is written or removed; some twice.
    pub(super) fn keys(&self) -> &[IVec] {
        &self.keys
    }

    /// Writes it into the tree; not durable before the flush and the sync.
    pub(super) fn apply(self, tree: &sled::Tree) -> Result<(), StoreError> {
        Ok(tree.apply_batch(self.writes)?)
    }
}
