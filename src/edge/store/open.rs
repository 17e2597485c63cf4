//! Opening a store: the lock first, then sled, then what says whose data it is.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::committer::Committer;
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
        if !dir.join("store").is_dir() && !marker(dir).exists() {
            return Err(StoreError::Absent(dir.to_owned()));
        }
        Self::open(dir, None)
    }

    fn open(dir: &Path, epoch_if_new: Option<Epoch>) -> Result<Store, StoreError> {
        let unusable = |source| StoreError::Directory { dir: dir.to_owned(), source };
        let lock = DirLock::take(dir)?;
        let path = dir.join("store");
        let marked = read_marker(dir).map_err(unusable)?;
        if marked.is_some() && !path.join("db").exists() {
            return Err(lost(dir));
        }
        clear_unfinished(&path).map_err(unusable)?;
        let opened = std::panic::catch_unwind(|| {
            sled::Config::new().path(&path).cache_capacity(CACHE_BYTES).open().map_err(StoreError::from)
        });
        let db = opened.map_err(|_| StoreError::Damaged("sled panicked while opening it".to_owned()))??;
        let tree: sled::Tree = (*db).clone();
        let committer = Committer::start(tree.clone(), &path.join("db")).map_err(unusable)?;
        // Where a store is known to have been, an empty one is no new one.
        let epoch_if_new = epoch_if_new.filter(|_| marked.is_none());
        let epoch = identify(dir, &tree, &committer, epoch_if_new)?;
        match marked {
            None => write_marker(dir, &path, &epoch).map_err(unusable)?,
            Some(marked) if marked != epoch => return Err(lost(dir)),
            Some(_) => {}
        }
        Ok(Store { inner: Arc::new(Inner { committer, tree, epoch, _db: db, lock }) })
    }
}

/// A file outside of sled that says that there is a store, and which: sled opens a log that was emptied as a fresh
/// store, and every message that waited would be gone without a word.
fn marker(dir: &Path) -> PathBuf {
    dir.join("store-epoch")
}

fn read_marker(dir: &Path) -> std::io::Result<Option<Epoch>> {
    match std::fs::read(marker(dir)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Killed before this, the next start finds the store without a marker and writes it then.
fn write_marker(dir: &Path, store: &Path, epoch: &Epoch) -> std::io::Result<()> {
    let fresh = dir.join("store-epoch.new");
    std::fs::write(&fresh, serde_json::to_vec(epoch)?)?;
    File::open(&fresh)?.sync_all()?;
    std::fs::rename(&fresh, marker(dir))?;
    // The names of new files are safe only when their directories are.
    File::open(store)?.sync_all()?;
    File::open(dir)?.sync_all()
}

fn lost(dir: &Path) -> StoreError {
    StoreError::Damaged(format!(
        "{} says that there was a store, and what is there now is empty or another; put a copy of the data directory \
         back, or remove that file to begin anew with a quiet first reading",
        marker(dir).display()
    ))
}

/// Removes the snapshots that sled began to write on a full disk: with one of them there it never opens again. They
/// hold nothing that the log does not.
fn clear_unfinished(store: &Path) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(store) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Reads whose data this is, or writes it into a fresh store.
fn identify(
    dir: &Path,
    tree: &sled::Tree,
    committer: &Committer,
    epoch_if_new: Option<Epoch>,
) -> Result<Epoch, StoreError> {
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
    let epoch = epoch_if_new.ok_or_else(|| lost(dir))?;
    committer.found(&epoch)?;
    Ok(epoch)
}
