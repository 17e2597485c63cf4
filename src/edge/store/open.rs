//! Opening a store: the lock first, then sled, then what says whose data it is.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::commit::Numbers;
use super::committer::{Committer, found};
use super::record::{self, FORM};
use super::{DirLock, Inner, Store, StoreError, keys};
use crate::domain::event::Epoch;

/// sled's default cache is 1 GiB; on a small machine 16 MiB reads a large shop as fast.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

impl Store {
    /// Opens the store in `dir`, or makes one with this epoch.
    ///
    /// Blocks; call it before anything is served.
    pub fn open_or_create(dir: &Path, epoch_if_new: Epoch) -> Result<Store, StoreError> {
        std::fs::create_dir_all(dir).map_err(|source| StoreError::Directory { dir: dir.to_owned(), source })?;
        Self::open(dir, Some(epoch_if_new))
    }

    /// Opens the store in `dir` if there is one.
    pub fn open_existing(dir: &Path) -> Result<Store, StoreError> {
        if !dir.join("store").is_dir() {
            return Err(StoreError::Absent(dir.to_owned()));
        }
        Self::open(dir, None)
    }

    fn open(dir: &Path, epoch_if_new: Option<Epoch>) -> Result<Store, StoreError> {
        let lock = DirLock::take(dir)?;
        let path = dir.join("store");
        let opened = std::panic::catch_unwind(|| {
            sled::Config::new().path(&path).cache_capacity(CACHE_BYTES).open().map_err(StoreError::from)
        });
        let db = opened.map_err(|_| StoreError::Damaged("sled panicked while opening it".to_owned()))??;
        let tree: sled::Tree = (*db).clone();
        let unusable = |source| StoreError::Directory { dir: dir.to_owned(), source };
        let file = File::open(path.join("db")).map_err(unusable)?;
        // What a killed process left with the kernel is about to be believed and sent: it must not be lost after that.
        file.sync_data().map_err(unusable)?;
        let epoch = identify(&tree, &file, epoch_if_new)?;
        let committer = Committer::start(tree.clone(), file, Numbers::stored(&tree)?).map_err(unusable)?;
        Ok(Store { inner: Arc::new(Inner { committer, tree, epoch, _db: db, lock }) })
    }
}

/// Reads whose data this is, or writes it into a fresh store.
fn identify(tree: &sled::Tree, file: &File, epoch_if_new: Option<Epoch>) -> Result<Epoch, StoreError> {
    if let Some(form) = tree.get(keys::FORM)? {
        let found: u32 = record::read(&form)?;
        if found > FORM {
            return Err(StoreError::Newer { found, known: FORM });
        }
        let epoch = tree.get(keys::EPOCH)?.ok_or_else(|| StoreError::Damaged("it has lost its epoch".to_owned()))?;
        return record::read(&epoch);
    }
    if !tree.is_empty() {
        return Err(StoreError::Damaged("it has rows but has lost its form number".to_owned()));
    }
    let epoch = epoch_if_new.ok_or_else(|| StoreError::Damaged("it is empty".to_owned()))?;
    found(tree, file, &epoch)?;
    Ok(epoch)
}
