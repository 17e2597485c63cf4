//! A store is written anew beside the one in place: out of a backup, in the form of this version, or as a beginning.

use std::path::{Path, PathBuf};

use super::StoreError;
use super::commit::Numbers;
use super::engine::{Batch, Bytes, Engine, Fence};
use super::keys;
use super::record::{self, FORM};
use super::sled::{Found, Sled, files, io};
use crate::domain::event::Epoch;

/// The most keys and about the most bytes of one batch: the engine's memory follows it.
const BATCH_KEYS: usize = 200;
const BATCH_BYTES: usize = 256 * 1024;
/// After how many batches what was written goes to the disk.
const SYNCED: usize = 20;

/// A store that is being written. Whatever becomes of it, nobody opens it before it is put in place.
pub(super) struct Fresh {
    path: PathBuf,
    engine: Sled,
    fence: Fence,
    batch: Batch,
    bytes: usize,
    unsynced: usize,
}

impl Fresh {
    /// Begins one in `path`, where nothing is.
    pub(super) fn begin(path: &Path) -> Result<Fresh, StoreError> {
        match Sled::open(path)? {
            Found::Store(engine) => {
                let fence = engine.take_over()?;
                Ok(Fresh { path: path.to_owned(), engine, fence, batch: Batch::default(), bytes: 0, unsynced: 0 })
            }
            Found::Older(..) => Err(StoreError::Damaged("something is where a new store is to be written".to_owned())),
        }
    }

    /// Writes one entry.
    pub(super) fn put(&mut self, key: &[u8], value: impl Into<Bytes>) -> Result<(), StoreError> {
        let value = value.into();
        self.bytes += key.len() + value.len();
        self.batch.insert(key, value);
        self.written_enough()
    }

    /// Removes one entry.
    pub(super) fn remove(&mut self, key: &[u8]) -> Result<(), StoreError> {
        self.bytes += key.len();
        self.batch.remove(key);
        self.written_enough()
    }

    fn written_enough(&mut self) -> Result<(), StoreError> {
        if self.batch.len() < BATCH_KEYS && self.bytes < BATCH_BYTES {
            return Ok(());
        }
        self.write()?;
        self.unsynced += 1;
        match self.unsynced < SYNCED {
            true => Ok(()),
            false => self.sync(),
        }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        self.engine.apply(self.fence, &std::mem::take(&mut self.batch))
    }

    /// Brings what was put so far to the disk.
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        self.write()?;
        self.unsynced = 0;
        self.engine.sync()
    }

    /// Says whose it is, as the last thing that is put.
    pub(super) fn sign(&mut self, epoch: &Epoch, numbers: Numbers) -> Result<(), StoreError> {
        self.put(keys::FORM, record::json(&FORM)?)?;
        self.put(keys::EPOCH, record::json(epoch)?)?;
        self.put(keys::NUMBERS, &numbers.bytes())
    }

    /// What was put so far; what was not synced may be missing.
    pub(super) fn engine(&self) -> &Sled {
        &self.engine
    }

    /// The same, opened once more and found as it was written.
    pub(super) fn read_once_more(self) -> Result<Fresh, StoreError> {
        let path = self.path.clone();
        self.close()?;
        let again = Fresh::begin(&path)?;
        again.engine.verify(&mut |_| true)?;
        Ok(again)
    }

    /// Closes it with everything on the disk, after it was opened once more and read whole.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        let path = self.path.clone();
        self.close()?;
        match Sled::open(&path)? {
            Found::Store(engine) => engine.verify(&mut |_| true)?,
            Found::Older(..) => return Err(StoreError::Damaged("it does not open as it was written".to_owned())),
        };
        // Being opened has written, too.
        files::wait_until_closed(&path).and_then(|()| files::make_durable(&path)).map_err(io)
    }

    /// Closes it with everything on the disk, and as small as it gets.
    pub(super) fn close(mut self) -> Result<(), StoreError> {
        self.sync()?;
        while self.engine.tidy()? {}
        let path = self.path;
        drop(self.engine);
        files::wait_until_closed(&path).and_then(|()| files::make_durable(&path)).map_err(io)
    }
}
