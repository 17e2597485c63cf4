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
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::engine::{Batch, Engine, Fence, Span};
use super::rebuild::Fresh;
use super::restore::swap;
use super::sled::{Found, Sled, files};
use super::space::{RESERVE, free_bytes};
use super::{InUse, Store, StoreError};

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
const MOST_CHANGED: usize = 500_000;
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
        let path = self.dir().join("store");
        self.reading(move |engine| {
            let taken = files::size(&path).map_err(io)?;
            Ok(Space { taken, live: engine.holding().bytes })
        })
        .await
    }

    /// Writes it anew into as few bytes as it needs, and returns how large it was and is. Everything else goes on; commits
    /// and reads wait for a moment at the end. [`StoreError::TooBusy`] and [`StoreError::NoRoom`] leave it as it was.
    pub async fn compact(&self) -> Result<(Space, Space), StoreError> {
        let before = self.space().await?;
        let dir = self.dir().to_owned();
        let wanted = RESERVE + LARGER * before.live;
        if free_bytes(&dir).is_ok_and(|free| free < wanted) {
            return Err(StoreError::NoRoom { dir, wanted });
        }
        let noted = Noting::begin(self.inner.committer.changed())?;
        let (engine, place) = (Arc::clone(&self.inner.engine), dir.clone());
        // Where nobody waits for it any more, the next one begins when this one has ended all the same.
        let writing = move || write_anew(&place, &engine, &noted.0).map(|fresh| (noted, fresh));
        let written = tokio::task::spawn_blocking(writing).await;
        let panicked = |_| StoreError::Damaged("it panicked while it was written anew".to_owned());
        let (noted, fresh) = written.map_err(panicked)??;
        let (reply, answer) = oneshot::channel();
        let engine = Arc::clone(&self.inner.engine);
        self.inner.committer.between(move |fence| {
            let done = replace(&dir, &engine, &noted.0, fresh, fence);
            drop(noted);
            let gone = || StoreError::Damaged("it could not be opened after it was written anew".to_owned());
            let failed = engine.is_gone().then(gone);
            drop(reply.send(done));
            failed
        });
        answer.await.map_err(|_| StoreError::Closed { why: "posbell is ending".to_owned(), is_full: false })??;
        Ok((before, self.space().await?))
    }

    fn dir(&self) -> &Path {
        self.inner.lock.path().parent().unwrap_or(Path::new("."))
    }
}

/// Writes what is there and what changes meanwhile, until little is left.
fn write_anew(dir: &Path, engine: &InUse, changed: &Changed) -> Result<Fresh, StoreError> {
    let place = swap::workplace(dir).map_err(io)?;
    let written = fill(&place, engine, changed);
    if written.is_err() {
        // What stays of it after all is removed by the next opening.
        drop(swap::workplace(dir));
    }
    written
}

fn fill(place: &Path, engine: &InUse, changed: &Changed) -> Result<Fresh, StoreError> {
    let mut fresh = Fresh::begin(place)?;
    let mut span = Some(Span::all());
    while let Some(next) = span.take() {
        // Page by page, so that whoever must have the engine alone does not wait for all of it.
        span = engine.with(|engine| {
            let mut last = None;
            for entry in engine.scan(next).take(PAGE) {
                let (key, value) = entry?;
                fresh.put(&key, value)?;
                last = Some(key.to_vec());
            }
            Ok(last.map(Span::behind))
        })?;
    }
    for _round in 0..ROUNDS {
        let keys = changed.take()?;
        write_again(&mut fresh, engine, &keys)?;
        if keys.len() < FEW {
            fresh.sync()?;
            return Ok(fresh);
        }
    }
    Err(StoreError::TooBusy)
}

fn write_again(fresh: &mut Fresh, engine: &InUse, keys: &BTreeSet<Vec<u8>>) -> Result<(), StoreError> {
    engine.with(|engine| {
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
fn replace(
    dir: &Path,
    engine: &InUse,
    changed: &Changed,
    mut fresh: Fresh,
    fence: Option<Fence>,
) -> Result<(), StoreError> {
    write_again(&mut fresh, engine, &changed.take()?)?;
    fresh.sync()?;
    let place = dir.join("store");
    let aside = swap::aside(dir, ASIDE);
    let same = engine.with(|engine| Ok(engine.holding() == fresh.engine().holding()))?;
    if !same {
        return Err(StoreError::Damaged("it does not give back what was written into it".to_owned()));
    }
    fresh.close()?;
    engine.replace(|old| {
        drop(old);
        files::wait_until_closed(&place).map_err(io)?;
        swap::swap(dir, &aside).map_err(io)?;
        match Sled::open(&place)? {
            Found::Store(new) => {
                new.come_after(fence.unwrap_or(Fence(0)));
                Ok(Box::new(new))
            }
            Found::Older(_) => Err(StoreError::Damaged("it does not open as it was written".to_owned())),
        }
    })?;
    // What cannot be removed now is removed by the next opening.
    drop(std::fs::remove_dir_all(aside));
    Ok(())
}

/// Removes what a killed compaction has left of the store that was in place before.
pub(super) fn tidy_up(dir: &Path) -> std::io::Result<()> {
    let entries = std::fs::read_dir(dir)?.collect::<std::io::Result<Vec<_>>>()?;
    let is_left =
        |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(ASIDE));
    entries.into_iter().map(|entry| entry.path()).filter(is_left).try_for_each(std::fs::remove_dir_all)
}

fn io(error: std::io::Error) -> StoreError {
    StoreError::from(::sled::Error::Io(error))
}
