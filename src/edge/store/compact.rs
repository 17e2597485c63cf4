//! A store that has become much larger than what lives in it is written anew beside itself, and takes its own place.
//!
//! While it is written everything goes on: the committer notes which keys it changes, and these are written once more
//! ([`Changed`]), until few are left. The rest, the closing of the old files and the opening of the new ones happen between
//! two commits, which wait for it as reads do: for as long as opening a small store takes. The new one is put in place only
//! when it holds just what the old one does. Killed at any step, the next opening finds the old one or the new one, whole
//! ([`swap`]).

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::engine::{Batch, Engine, Fence, Span};
use super::rebuild::Fresh;
use super::restore::swap;
use super::sled::{Found, Sled, files};
use super::space::{RESERVE, free_bytes};
use super::{DirLock, InUse, Store, StoreError};

/// From how many times its contents on a store is too large, and what it may take in any case. Just written, it takes two
/// and a half times as much.
const TOO_LARGE: u64 = 4;
const SMALL: u64 = 32 * 1024 * 1024;

/// How many times as large as its contents a store may become while it is written.
const LARGER: u64 = 3;

/// How many entries are read in one go. Nothing waits for them.
const PAGE: usize = 500;
/// With so many changed keys left the rest is written while commits wait.
const FEW: usize = 200;
/// The most keys that are noted: more is changed at once by nothing but a first reading, after which there is time again.
const MOST_CHANGED: usize = 100_000;
/// How often what was changed meanwhile is written, before it is given up because it never becomes little.
const ROUNDS: usize = 50;

/// The name of what was in place before, until it is removed.
const ASIDE: &str = "store.before-compaction";

/// How large a store is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Its files on the disk.
    pub taken: u64,
    /// The keys and values that live in it.
    pub live: u64,
}

impl Space {
    /// Whether it is worth to be written anew.
    pub fn is_too_large(self) -> bool {
        self.taken > SMALL && self.taken / TOO_LARGE > self.live
    }
}

/// The keys that are changed while a store is written anew.
#[derive(Debug, Default)]
pub(super) struct Changed(Mutex<Option<BTreeSet<Vec<u8>>>>);

impl Changed {
    /// Notes what the batch changes. Called after it was applied.
    pub(super) fn note(&self, batch: &Batch) {
        if let Some(keys) = self.locked().as_mut().filter(|keys| keys.len() <= MOST_CHANGED) {
            keys.extend(batch.writes().map(|(key, _)| key.to_vec()));
        }
    }

    /// What was changed since it was asked last. An error where that was too much to be noted.
    fn take(&self) -> Result<BTreeSet<Vec<u8>>, StoreError> {
        let keys = self.locked().as_mut().map(std::mem::take);
        keys.filter(|keys| keys.len() <= MOST_CHANGED).ok_or(StoreError::TooBusy)
    }

    fn locked(&self) -> MutexGuard<'_, Option<BTreeSet<Vec<u8>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the noting, however the writing ends.
struct Noting(Arc<Changed>);

impl Noting {
    fn begin(changed: &Arc<Changed>) -> Result<Noting, StoreError> {
        let mut keys = changed.locked();
        if keys.is_some() {
            return Err(StoreError::TooBusy);
        }
        *keys = Some(BTreeSet::new());
        Ok(Noting(Arc::clone(changed)))
    }
}

impl Drop for Noting {
    fn drop(&mut self) {
        *self.0.locked() = None;
    }
}

impl Store {
    /// How large it is.
    pub async fn space(&self) -> Result<Space, StoreError> {
        let live = self.reading(|engine| Ok(engine.holding().bytes)).await?;
        let dir = self.dir().to_owned();
        let measured = tokio::task::spawn_blocking(move || match files::size(&dir.join("store")) {
            Ok(taken) => Ok(taken),
            Err(source) => Err(StoreError::Directory { dir, source }),
        });
        let taken = measured.await.map_err(|_| StoreError::ended("posbell is ending"))??;
        Ok(Space { taken, live })
    }

    /// Writes it anew into as few bytes as it needs, and returns how large it was and is. Everything else goes on; commits
    /// and reads wait for a moment at the end. After an error the store is as it was, unless it says that it is closed; no
    /// longer waited for, it is given up.
    pub async fn compact(&self) -> Result<(Space, Space), StoreError> {
        let before = self.space().await?;
        let job = Arc::new(Job {
            dir: self.dir().to_owned(),
            engine: Arc::clone(&self.inner.engine),
            noted: Noting::begin(self.inner.committer.changed())?,
            is_given_up: AtomicBool::new(false),
            _lock: Arc::clone(&self.inner.lock),
        });
        let waiting = WaitedFor(Arc::clone(&job));
        let writing = Arc::clone(&job);
        let written = tokio::task::spawn_blocking(move || writing.write_anew(before.live)).await;
        let fresh = written.map_err(|_| StoreError::ended("writing it anew has panicked"))??;
        self.inner.committer.between(move |fence| job.replace(fresh, fence)).await?;
        drop(waiting);
        Ok((before, self.space().await?))
    }

    /// Removes what a killed compaction has left, once all that is in place was read. What cannot be removed stays.
    pub async fn tidy_up(&self) {
        let (dir, lock) = (self.dir().to_owned(), Arc::clone(&self.inner.lock));
        let removing = move || {
            tidy_up(&dir);
            drop(lock);
        };
        drop(tokio::task::spawn_blocking(removing).await);
    }

    fn dir(&self) -> &Path {
        self.inner.lock.path().parent().unwrap_or(Path::new("."))
    }
}

/// One compaction, for as long as anything of it goes on: the next one begins after it, and so does whoever opens the store.
struct Job {
    dir: PathBuf,
    engine: Arc<InUse>,
    noted: Noting,
    is_given_up: AtomicBool,
    _lock: Arc<DirLock>,
}

/// Gives the job up when nobody waits for it any more.
struct WaitedFor(Arc<Job>);

impl Drop for WaitedFor {
    fn drop(&mut self) {
        self.0.is_given_up.store(true, Ordering::Relaxed);
    }
}

impl Job {
    /// Writes what is there and what changes meanwhile, until little is left, and reads it once more.
    fn write_anew(&self, live: u64) -> Result<Fresh, StoreError> {
        let place = swap::workplace(&self.dir).map_err(self.unusable())?;
        let wanted = RESERVE + LARGER * live;
        if free_bytes(&self.dir).is_ok_and(|free| free < wanted) {
            return Err(StoreError::NoRoom { dir: self.dir.clone(), wanted });
        }
        let written = self.fill(&place);
        if written.is_err() {
            self.give_up();
        }
        written
    }

    fn fill(&self, place: &Path) -> Result<Fresh, StoreError> {
        let mut fresh = Fresh::begin(place)?;
        let mut span = Some(Span::all());
        while let Some(next) = span.take() {
            self.go_on()?;
            // Page by page, so that whoever must have the engine alone does not wait for all of it.
            span = self.engine.with(|engine| {
                let mut last = None;
                for entry in engine.scan(next).take(PAGE) {
                    let (key, value) = entry?;
                    fresh.put(&key, value)?;
                    last = Some(key.to_vec());
                }
                Ok(last.map(Span::behind))
            })?;
        }
        let mut fresh = fresh.read_once_more()?;
        for _round in 0..ROUNDS {
            self.go_on()?;
            let keys = self.noted.0.take()?;
            self.write_again(&mut fresh, &keys)?;
            if keys.len() < FEW {
                fresh.sync()?;
                return Ok(fresh);
            }
        }
        Err(StoreError::TooBusy)
    }

    fn go_on(&self) -> Result<(), StoreError> {
        match self.is_given_up.load(Ordering::Relaxed) {
            true => Err(StoreError::ended("posbell is ending")),
            false => Ok(()),
        }
    }

    fn write_again(&self, fresh: &mut Fresh, keys: &BTreeSet<Vec<u8>>) -> Result<(), StoreError> {
        self.engine.with(|engine| {
            for key in keys {
                match engine.get(key)? {
                    Some(value) => fresh.put(key, value)?,
                    None => fresh.remove(key)?,
                }
            }
            Ok(())
        })
    }

    /// Puts the new one in place. Between two commits.
    fn replace(&self, fresh: Fresh, fence: Option<Fence>) -> Result<(), StoreError> {
        let done = self.finish(fresh).and_then(|()| self.take_its_place(fence));
        if done.is_err() {
            self.give_up();
        }
        done
    }

    /// Writes the last changes and closes it, where it holds just what the other does.
    fn finish(&self, mut fresh: Fresh) -> Result<(), StoreError> {
        self.go_on()?;
        self.write_again(&mut fresh, &self.noted.0.take()?)?;
        fresh.sync()?;
        match self.engine.with(|engine| Ok(engine.holding() == fresh.engine().holding()))? {
            true => fresh.close(),
            false => Err(StoreError::ended("what was written anew is not what there is")),
        }
    }

    fn take_its_place(&self, fence: Option<Fence>) -> Result<(), StoreError> {
        let (dir, place) = (&self.dir, self.dir.join("store"));
        let aside = swap::aside(dir, ASIDE);
        let mut outcome = Ok(());
        self.engine.replace(|old| {
            drop(old);
            files::wait_until_closed(&place).map_err(self.unusable())?;
            let swapped = swap::swap(dir, &aside).map_err(self.unusable());
            let new = swapped.and_then(|()| open(&place)).or_else(|error| {
                // What was in place before is whole, and goes on.
                outcome = Err(error);
                swap::back(dir, &aside).map_err(self.unusable())?;
                open(&place)
            })?;
            new.come_after(fence.unwrap_or(Fence(0)));
            Ok(Box::new(new))
        })?;
        // What cannot be removed now is removed after the next start.
        drop(std::fs::remove_dir_all(aside));
        outcome
    }

    fn give_up(&self) {
        // What stays of it after all is removed by the next opening.
        drop(swap::workplace(&self.dir));
    }

    fn unusable(&self) -> impl Fn(std::io::Error) -> StoreError {
        let dir = self.dir.clone();
        move |source| StoreError::Directory { dir: dir.clone(), source }
    }
}

fn open(place: &Path) -> Result<Sled, StoreError> {
    match Sled::open(place)? {
        Found::Store(sled) => Ok(sled),
        Found::Older(_) => Err(StoreError::Damaged("it does not open as it was written".to_owned())),
    }
}

/// Removes what a killed compaction has left of the store that was in place before.
pub(super) fn tidy_up(dir: &Path) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(ASIDE));
        // Under another name it is somebody else's.
        let is_left = |rest: &str| rest.is_empty() || rest.strip_prefix('.').is_some_and(|n| n.parse::<u32>().is_ok());
        if rest.is_some_and(is_left) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}
