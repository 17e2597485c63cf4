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

use std::io::{Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::commit::Numbers;
use super::copy::contents::Contents;
use super::copy::form::Record;
use super::copy::{BackupError, each_record, open_backup};
use super::rebuild::Fresh;
use super::space::{RESERVE, free_bytes};
use super::{DirLock, StoreError, make_data_dir, owner, upgrade};
use crate::domain::event::Epoch;
use crate::domain::model::Timestamp;

/// How far the numbers of the event log go on: more events than any shop makes between a backup and its restore, and
/// so few that two million restores fit into a number that JavaScript reads exactly.
const JUMP: u64 = 1 << 32;

/// How many times as large as its records a store may become while it is written.
const LARGER: u64 = 2;

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
        swap::settle(dir).map_err(changed(dir, "tidied up"))?;
        let wanted = RESERVE + LARGER * contents.bytes;
        if free_bytes(dir).is_ok_and(|free| free < wanted) {
            return Err(BackupError::NoRoom { dir: dir.clone(), wanted });
        }
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
        let to = swap::aside(dir, &format!("store.before-restore.{}", now.format("%Y%m%dT%H%M%SZ")));
        let aside = swap::has_store(dir).then(|| to.clone());
        swap::swap(dir, &to).map_err(changed(dir, "changed"))?;
        Ok(Restored { contents, aside })
    }
}

/// Names the directory and what was tried.
fn changed(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| {
        let source = owner::explained(&path, source);
        BackupError::Directory { path, doing, source }
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
    let mut fresh = Fresh::begin(path)?;
    let mut done = 0;
    let again = read(&mut |records| {
        done += records.len() as u64;
        for (key, value) in records {
            upgrade::put(&mut fresh, &key, value.into())?;
        }
        progress(done, contents.records);
        Ok(())
    })?;
    if again != *contents {
        return Err(StoreError::Unreadable("the backup was changed while it was read".to_owned()).into());
    }
    fresh.sync()?;
    let mut numbers = Numbers::stored(fresh.engine())?;
    numbers.event = numbers.event.saturating_add(JUMP);
    fresh.sign(epoch, numbers)?;
    Ok(fresh.finish()?)
}
