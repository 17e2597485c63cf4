//! sled, made to do what an [`Engine`] must.
//!
//! **What it promises.** What [`Engine`] says, and that damage is found: by a manifest of counts and sums that is written
//! with each batch ([`manifest`]), and by a word beside the data of how many batches there must be ([`witness`]).
//! **What it relies on.** One tree, one batch a commit, no value of more than a few kilobytes in it ([`pieces`]), and a sync
//! of our own: sled's flush does not reach the disk by itself.
//! **What it refuses.** To open what has fewer batches than were synced, or no manifest.

pub(super) mod files;
mod manifest;
mod pieces;
mod sweep;
#[cfg(test)]
mod tests;
mod witness;

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::manifest::{Manifest, Written};
use self::sweep::Sweep;
use self::witness::Witness;
use super::engine::{Batch, Bytes, Engine, Entries, Fence, Holding, Progress, Span};
use super::{Holder, StoreError};

/// sled's default cache is 1 GiB. It counts bytes as they stand on the disk; in memory they are some three times as many.
const CACHE_BYTES: u64 = 4 * 1024 * 1024;

/// The keys from here on are this module's own. Nobody else sees them.
const OWN: u8 = 0xfe;
/// Who may write.
const FENCE: &[u8] = b"\xfef";

/// After how many entries of a long reading it is asked whether to go on.
const ASKED_AFTER: u64 = 1_000;

/// An open store of sled.
pub(super) struct Sled {
    tree: ::sled::Tree,
    written: Mutex<Written>,
    sweep: Mutex<Sweep>,
    /// The log, to be synced, and where it is.
    log: File,
    path: PathBuf,
    witness: Witness,
    // Closed last.
    _db: ::sled::Db,
}

/// What is found where a store is opened.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, for a moment")]
pub(super) enum Found {
    /// One with a manifest, or a new one.
    Store(Sled),
    /// One that was written before there were manifests.
    Older(Older),
}

/// An open store that was written before there were manifests.
pub(super) struct Older {
    tree: ::sled::Tree,
    // Closed last.
    _db: ::sled::Db,
}

impl Older {
    /// The value under `key`.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.tree.get(key)?.map(Bytes::from))
    }

    /// Every entry, in the order of the keys.
    pub(super) fn entries(&self) -> impl Iterator<Item = Result<(Bytes, Bytes), StoreError>> {
        self.tree.iter().map(|entry| entry.map(|(key, value)| (key.into(), value.into())).map_err(StoreError::from))
    }
}

impl Sled {
    /// Opens what is in the directory `path`, or makes a new one there.
    pub(super) fn open(path: &Path) -> Result<Found, StoreError> {
        files::remove_unfinished_snapshots(path).map_err(io)?;
        let db = files::database(path).open().map_err(|error| match error {
            ::sled::Error::Io(io) if io.to_string().starts_with("could not acquire lock") => {
                StoreError::Locked { dir: path.to_owned(), holder: Holder::default() }
            }
            other => StoreError::from(other),
        })?;
        let place = path.join("db");
        let log = File::open(&place).map_err(io)?;
        let tree: ::sled::Tree = (*db).clone();
        if !tree.is_empty() && !Manifest::is_in(&tree)? {
            return Ok(Found::Older(Older { tree, _db: db }));
        }
        // What a killed process left with the kernel is about to be believed and sent: it must not be lost after that. sled
        // writes `conf` once, does not sync it, and cannot be opened with a part of it.
        File::open(path.join("conf")).and_then(|conf| conf.sync_all()).map_err(io)?;
        log.sync_data().map_err(io)?;
        let witness = Witness::open(path).map_err(io)?;
        let manifest = Manifest::read(&tree)?;
        manifest.is_as_late_as(witness.said())?;
        let fence = tree.get(FENCE)?.and_then(|bytes| bytes.as_array().copied()).map_or(0, u64::from_be_bytes);
        let written = Mutex::new(Written { manifest, fence: Fence(fence) });
        let sweep = Mutex::new(Sweep::new(db.clone()));
        Ok(Found::Store(Sled { tree, written, sweep, log, path: place, witness, _db: db }))
    }

    /// Lets the next one who takes over come after whoever wrote into the store that this one replaces.
    pub(super) fn come_after(&self, fence: Fence) {
        let mut written = self.written();
        written.fence = written.fence.max(fence);
    }

    /// Whether nothing was ever written into it.
    pub(super) fn is_empty(&self) -> bool {
        self.tree.is_empty()
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sweep(&self) -> MutexGuard<'_, Sweep> {
        self.sweep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value that stands in the tree as `stored`, put together.
    fn whole(&self, key: &[u8], stored: ::sled::IVec) -> Result<Option<Bytes>, StoreError> {
        let mut stored = stored;
        loop {
            if !pieces::is_cut(&stored) {
                return Ok(Some(stored.into()));
            }
            if let Some(whole) = pieces::join(&self.tree, key, &stored)? {
                return Ok(Some(whole.into()));
            }
            // Replaced while it was put together, or not all of it is there.
            match self.tree.get(key)? {
                None => return Ok(None),
                Some(now) if now == stored => {
                    return Err(StoreError::Damaged("a part of a long value is missing".to_owned()));
                }
                Some(now) => stored = now,
            }
        }
    }

    fn entries(&self, span: Span) -> Option<::sled::Iter> {
        let to = match span.to {
            Bound::Excluded(to) | Bound::Included(to) if to.first() >= Some(&OWN) => Bound::Excluded(vec![OWN]),
            Bound::Unbounded => Bound::Excluded(vec![OWN]),
            to => to,
        };
        let span = Span { from: span.from, to };
        (!span.is_empty()).then(|| self.tree.range((span.from, span.to)))
    }

    fn read(&self, entry: ::sled::Result<(::sled::IVec, ::sled::IVec)>) -> Option<Result<(Bytes, Bytes), StoreError>> {
        let whole = entry.map_err(StoreError::from).and_then(|(key, stored)| {
            let value = self.whole(&key, stored)?;
            Ok(value.map(|value| (Bytes::from(key), value)))
        });
        whole.transpose()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that flushes: the sync comes right after it")]
    fn flush(&self) -> Result<(), StoreError> {
        self.tree.flush()?;
        self.log.sync_data().map_err(io)
    }
}

impl Engine for Sled {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        match self.tree.get(key)? {
            Some(stored) => self.whole(key, stored),
            None => Ok(None),
        }
    }

    fn scan(&self, span: Span) -> Entries<'_> {
        Box::new(self.entries(span).into_iter().flatten().filter_map(|entry| self.read(entry)))
    }

    fn scan_back(&self, span: Span) -> Entries<'_> {
        Box::new(self.entries(span).into_iter().flat_map(Iterator::rev).filter_map(|entry| self.read(entry)))
    }

    fn holding(&self) -> Holding {
        self.written().manifest.holding()
    }

    fn take_over(&self) -> Result<Fence, StoreError> {
        let mut written = self.written();
        written.fence.0 += 1;
        let mut batch = ::sled::Batch::default();
        let bytes = written.fence.0.to_be_bytes();
        let mut change = written.manifest.change();
        change.put(&self.tree, &mut batch, FENCE, &bytes)?;
        change.close(&mut batch);
        self.tree.apply_batch(batch)?;
        Ok(written.fence)
    }

    fn apply(&self, fence: Fence, batch: &Batch) -> Result<(), StoreError> {
        let mut written = self.written();
        if fence != written.fence {
            return Err(StoreError::Fenced);
        }
        let mut writes = ::sled::Batch::default();
        let mut change = written.manifest.change();
        for (key, value) in batch.writes() {
            pieces::write(&self.tree, &mut change, &mut writes, key, value)?;
        }
        change.close(&mut writes);
        self.tree.apply_batch(writes)?;
        self.sweep().owe(batch.len())
    }

    fn tidy(&self) -> Result<bool, StoreError> {
        if !self.sweep().pay()? {
            return Ok(false);
        }
        self.flush()?;
        Ok(self.sweep().is_owing())
    }

    fn sync(&self) -> Result<(), StoreError> {
        let batches = self.written().manifest.batches();
        self.flush()?;
        self.witness.say(batches).map_err(io)
    }

    fn is_in_place(&self) -> Result<bool, StoreError> {
        let open = self.log.metadata().map_err(io)?;
        match std::fs::metadata(&self.path) {
            Ok(found) => Ok((found.dev(), found.ino()) == (open.dev(), open.ino())),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
            Err(error) => Err(io(error)),
        }
    }

    fn verify(&self, go_on: &mut dyn FnMut(Progress) -> bool) -> Result<bool, StoreError> {
        let said = self.written().manifest.clone();
        let of = said.entries();
        let mut read = Manifest::default();
        for (done, entry) in (0..).zip(self.tree.iter()) {
            let (key, value) = entry?;
            read.add(&key, &value);
            if done % ASKED_AFTER == ASKED_AFTER - 1 && !go_on(Progress { done, of }) {
                return Ok(false);
            }
        }
        read.is(&said).map(|()| true)
    }
}

/// What an error of its files says of a store.
pub(super) fn io(error: std::io::Error) -> StoreError {
    StoreError::from(::sled::Error::Io(error))
}
