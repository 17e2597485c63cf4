//! A store out of a backup.
//!
//! **What it promises.** A backup that is not whole is refused before anything is touched. The store that was in place
//! is set aside and never removed. Killed at any step, the next opening finds the old store or the new one, whole
//! ([`swap`]).
//!
//! # What a restored store must not give away twice
//!
//! It has forgotten what was told between the backup and now, and the world has not.
//!
//! * *Counted ids* hold the epoch and a counter that now stands where it stood then. The next change would get an id that
//!   was given to another one. So a restored store has a **new epoch**: what is in it keeps the ids that it has, and what
//!   is told from now on gets ids that no store has ever given. A counter that jumps would do it too, but there is one
//!   for each thing of a shop, and of things that are not in the backup nobody knows that they had one.
//! * *Numbers of the event log*, by which `after=` asks for what comes next, go on from far behind all that can have been
//!   given since ([`JUMP`]): whoever has read up to any number of the lost time is shown what comes.
//! * *The ledger of the quota* is no part of the store or its backup, and stays as it is: it says what was called, and
//!   an older one would allow those calls again. Where there is none, on another machine, the past counts as used up.

pub(super) mod swap;
#[cfg(test)]
mod tests;

use std::fs::{File, TryLockError};
use std::io::{Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::batch::Batch;
use super::blobs::Blobs;
use super::commit::Numbers;
use super::committer::{flush_and_sync, upgrade};
use super::copy::contents::{Contents, Tally};
use super::copy::form::Record;
use super::copy::{BackupError, each_record, open_backup};
use super::open::{MADE, database};
use super::record::{self, FORM};
use super::space::{RESERVE, free_bytes};
use super::{DirLock, StoreError, keys, make_data_dir};
use crate::domain::event::Epoch;
use crate::domain::model::Timestamp;

/// How far the numbers of the event log go on: more events than any shop makes between a backup and its restore, and
/// so few that two million restores fit into a number that JavaScript reads exactly.
const JUMP: u64 = 1 << 32;

/// How many times as large as its records a store may become while it is written.
const LARGER: u64 = 2;

/// How often it is looked whether a store is closed, and how long is waited between: some ten seconds in all.
const LOOKS: usize = 5_000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// The most keys and about the most bytes of one batch: sled's memory follows it.
const BATCH_KEYS: usize = 200;
const BATCH_BYTES: usize = 256 * 1024;
/// After how many batches what was written goes to the disk.
const FLUSHED: usize = 20;

/// A data directory that nobody else has while a backup is restored into it.
#[derive(Debug)]
pub struct Restore {
    dir: PathBuf,
    lock: Option<DirLock>,
}

/// What a restore has done.
#[derive(Debug)]
pub struct Restored {
    /// What was in the backup.
    pub contents: Contents,
    /// Where the store is that was in place before; `None` where there was none.
    pub aside: Option<PathBuf>,
}

impl Restore {
    /// Takes the data directory, or says who has it. One that is missing is made later.
    pub fn begin(dir: &Path) -> Result<Restore, StoreError> {
        let lock = if dir.exists() { Some(DirLock::take(dir)?) } else { None };
        Ok(Restore { dir: dir.to_owned(), lock })
    }

    /// Puts the store of the backup `file` in place, under a new epoch. `progress` is told how many of how many records
    /// are written. Blocks.
    pub fn run(
        mut self,
        file: &Path,
        epoch: Epoch,
        now: Timestamp,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Restored, BackupError> {
        let mut backup = open_backup(file)?;
        let contents = each_record(file, &backup, |_| Ok(()))?;
        if self.lock.is_none() {
            make_data_dir(&self.dir)?;
            self.lock = Some(DirLock::take(&self.dir)?);
        }
        let dir = &self.dir;
        let wanted = RESERVE + LARGER * contents.bytes;
        if free_bytes(dir).is_ok_and(|free| free < wanted) {
            return Err(BackupError::NoRoom { dir: dir.clone(), wanted });
        }
        swap::settle(dir).map_err(changed(dir, "tidied up"))?;
        let place = swap::workplace(dir).map_err(changed(dir, "tidied up"))?;
        let written = catch_unwind(AssertUnwindSafe(|| {
            backup.seek(SeekFrom::Start(0)).map_err(changed(file, "read again"))?;
            load(&place, &contents, &epoch, |take| each_record(file, &backup, take), progress)
        }));
        let panicked = || StoreError::Damaged("sled panicked while it was restored".to_owned());
        if let Err(error) = written.unwrap_or_else(|_| Err(panicked().into())) {
            // What stays of it after all is removed by the next opening.
            drop(swap::workplace(dir));
            return Err(error);
        }
        let aside = swap::has_store(dir).then(|| swap::aside(dir, now));
        let to = aside.clone().unwrap_or_else(|| swap::aside(dir, now));
        for step in swap::STEPS {
            step(dir, &to).map_err(changed(dir, "changed"))?;
        }
        Ok(Restored { contents, aside })
    }
}

/// Names the directory and what was tried.
fn changed(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Directory { path, doing, source }
}

/// Writes records into a fresh store.
struct Loader {
    tree: sled::Tree,
    file: File,
    blobs: Blobs,
    batch: Batch,
    bytes: usize,
    unflushed: usize,
    _db: sled::Db,
}

impl Loader {
    fn open(path: &Path) -> Result<Loader, BackupError> {
        let db = database(path).open().map_err(StoreError::from)?;
        let file = File::open(path.join("db")).map_err(changed(path, "opened"))?;
        let blobs = Blobs::new(path.join("blobs"));
        let tree = (*db).clone();
        Ok(Loader { tree, file, blobs, batch: Batch::default(), bytes: 0, unflushed: 0, _db: db })
    }

    fn add(&mut self, records: Vec<Record>) -> Result<(), StoreError> {
        for (key, value) in records {
            self.bytes += key.len() + value.len();
            self.batch.insert(key, value);
            if self.batch.keys().len() >= BATCH_KEYS || self.bytes >= BATCH_BYTES {
                self.write()?;
            }
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        std::mem::take(&mut self.batch).apply(&self.tree)?;
        self.unflushed += 1;
        if self.unflushed < FLUSHED {
            return Ok(());
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.unflushed = 0;
        std::mem::take(&mut self.batch).apply(&self.tree)?;
        flush_and_sync(&self.tree, &self.file, &mut self.blobs)
    }

    /// Returns when nothing has the store open any more. sled's own threads may, for a moment after it was dropped, and
    /// neither can it be opened again until they have ended, nor should it be moved.
    fn close(self, path: &Path) -> Result<(), BackupError> {
        drop(self);
        let file = File::open(path.join("db")).map_err(changed(path, "closed"))?;
        for _look in 0..LOOKS {
            match file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => std::thread::park_timeout(BETWEEN_LOOKS),
                Err(TryLockError::Error(source)) => return Err(changed(path, "closed")(source)),
            }
        }
        Err(StoreError::Damaged("it does not close".to_owned()).into())
    }
}

/// Writes the records into a store at `path` and makes one of it that can be put in place.
fn load(
    path: &Path,
    contents: &Contents,
    epoch: &Epoch,
    read: impl FnOnce(&mut dyn FnMut(Vec<Record>) -> Result<(), BackupError>) -> Result<Contents, BackupError>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), BackupError> {
    let mut loader = Loader::open(path)?;
    let mut done = 0;
    let again = read(&mut |records| {
        done += records.len() as u64;
        loader.add(records)?;
        progress(done, contents.records);
        Ok(())
    })?;
    loader.flush()?;
    loader.close(path)?;
    if again != *contents {
        return Err(StoreError::Unreadable("the backup was changed while it was read".to_owned()).into());
    }
    adopt(path, contents, epoch)?;
    make_durable(path).map_err(changed(path, "brought to the disk"))
}

/// Opens what was written once more, believes it when it is the backup's to the byte, and makes it a store that goes on
/// by itself.
fn adopt(path: &Path, contents: &Contents, epoch: &Epoch) -> Result<(), BackupError> {
    let mut loaded = Loader::open(path)?;
    let mut tally = Tally::default();
    for entry in &loaded.tree {
        let (key, value) = entry.map_err(StoreError::from)?;
        tally.add(&key, &value);
    }
    if !contents.are(&tally) {
        return Err(StoreError::Damaged("it does not give back what was written into it".to_owned()).into());
    }
    if contents.form < FORM {
        upgrade(&loaded.tree, &loaded.file, &mut loaded.blobs)?;
    }
    let mut numbers = Numbers::stored(&loaded.tree)?;
    numbers.event = numbers.event.saturating_add(JUMP);
    loaded.batch.insert(keys::EPOCH, record::write(epoch)?);
    loaded.batch.insert(keys::NUMBERS, &numbers.bytes());
    loaded.flush()?;
    loaded.close(path)
}

/// Brings every file of a closed store to the disk, with the mark that there is one.
fn make_durable(path: &Path) -> std::io::Result<()> {
    File::create(path.join(MADE))?;
    sync(path)
}

fn sync(path: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => sync(&entry.path())?,
            false => File::open(entry.path())?.sync_all()?,
        }
    }
    File::open(path)?.sync_all()
}
