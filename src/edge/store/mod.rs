//! The disk: the only place that knows what everything is stored with.
//!
//! **What it promises.** A commit is one step: snapshot rows, events, deliveries and cursor appear together or not at
//! all, and when [`Store::commit`] returns they survive a kill and a power cut. Events and deliveries are seen only when
//! they are durable, so nothing leaves this machine that a power cut could take back. Nothing is written, and nothing
//! sent, before all that is stored was read and found as it was written.
//! **What it relies on.** An engine (`engine`): keys in an order, batches that are whole or absent, a sync; and on one
//! thread that writes, in batches of at most a few hundred keys.
//! **What it refuses.** To go on after an error of the engine: one that failed once has been seen to return values that
//! were never stored, so from then on every call fails and the process must open it anew.

mod acts;
mod blocks;
mod commit;
mod committer;
mod compact;
mod copy;
mod engine;
mod export;
mod failed;
mod heads;
mod keys;
mod listed;
mod lock;
mod log;
mod open;
mod outbox;
mod owner;
mod packed;
mod private;
mod prune;
mod read;
mod rebuild;
mod record;
mod restore;
mod sled;
mod space;
#[cfg(test)]
mod tests;
mod upgrade;
mod waiting;

pub use acts::{DeadPage, Past, PastDeliveries, PastEvents, PastFilter};
pub use commit::{Commit, Forgotten, Gather, Gathering};
pub use compact::Space;
pub use copy::{BackupError, BackupFile, Contents, FormError, Shelf, Shelved, StoreCopy, broken_off, read_backup};
pub use export::ExportPage;
pub use failed::{ChannelRecord, Failed, FailedPage, StillWaiting};
pub use heads::Heads;
pub use listed::Head;
pub use lock::{DirLock, Holder};
pub use log::{EventFilter, NumberedEvent};
pub use open::make_data_dir;
pub use outbox::{Due, DueDelivery, PageStart, WaitingPage, When};
pub use owner::{NotAsOwner, denied, is_root, work_as_owner};
pub use private::{close_to_others, is_open_to_others, make_all_private};
pub use read::{DeliveryFilter, OutboxCounts};
pub use record::{
    ChannelTold, ChannelsTold, FailingRecord, ReplayPlace, ReplayRecord, ResourceRecord, ShopRecord, Stopped,
};
pub use restore::{Restore, Restored};
pub use space::{FULL, RESERVE, free_bytes, is_full};
pub use waiting::Overflow;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use self::engine::Engine;
pub use self::engine::Progress;
use crate::domain::event::Epoch;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the data directory. Ask it, or stop it.
    #[error("the data directory {dir} is in use by {holder}")]
    Locked {
        /// The data directory.
        dir: PathBuf,
        /// Who has it.
        holder: Holder,
    },
    /// The directory cannot be made or read. Mend its permissions.
    #[error("the data directory {dir} cannot be used: {source}")]
    Directory {
        /// The data directory.
        dir: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system denies this process a file of the store. Nothing is damaged; mend the owner or the mode of that file.
    #[error("a file of the store may not be used: {0}")]
    Denied(std::io::Error),
    /// There is nothing to read here: the service has not run yet.
    #[error("there is no posbell data in {0}; start the service with `posbell run` first")]
    Absent(PathBuf),
    /// The store was written by a newer version. Upgrade posbell.
    #[error("the store has form {found}, this version of posbell reads form {known}: upgrade posbell")]
    Newer {
        /// What is on the disk.
        found: u32,
        /// What this version writes.
        known: u32,
    },
    /// No space is left, or too little to begin with. Nothing was acknowledged; free some.
    #[error("no space is left on the disk of the store; free at least {} MB", RESERVE / 1_000_000)]
    Full,
    /// Another process has begun to write into the store. It goes on; this one must not.
    #[error("another process has taken over the store; this one must end")]
    Fenced,
    /// There is no room to write the store anew. Nothing was changed; free some.
    #[error("{} MB must be free on the disk of {} to write the store anew", wanted / 1_000_000, dir.display())]
    NoRoom {
        /// The data directory.
        dir: PathBuf,
        /// How many bytes.
        wanted: u64,
    },
    /// So much was changed that the store could not be written anew meanwhile. Nothing was changed by that; try it later.
    #[error("too much is changed at the moment to write the store anew; it goes on as it is")]
    TooBusy,
    /// The store as a whole cannot be trusted. It is closed.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// One thing in it cannot be understood; the rest can.
    #[error("something in the store cannot be read: {0}")]
    Unreadable(String),
    /// Another copy is being made. Wait for its end.
    #[error("another backup is being made; wait until it has ended")]
    CopyUnderWay,
    /// So much was changed while a copy was taken that it could not be kept. Begin again.
    #[error("more was changed during the backup than is kept for it; write it to a faster disk")]
    CopyTooSlow,
    /// The store failed before and is closed.
    #[error("the store is closed until posbell starts again, because it has failed: {why}")]
    Closed {
        /// How it failed, which whoever met it may not have been able to say in a log.
        why: String,
        /// Of what sort that was.
        because: Closing,
    },
}

/// What sort of failure has closed a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// There was no space.
    Full,
    /// It is damaged.
    Damaged,
    /// Anything else: opened anew it goes on.
    Other,
}

impl StoreError {
    /// That it is closed, and not for what is wrong with it.
    pub fn ended(why: &str) -> StoreError {
        StoreError::Closed { why: why.to_owned(), because: Closing::Other }
    }

    /// Whether what is stored cannot be trusted any more, and a copy of it is the way out.
    pub fn is_damage(&self) -> bool {
        matches!(self, StoreError::Damaged(_) | StoreError::Closed { because: Closing::Damaged, .. })
    }

    /// Whether there was no space: what is stored is whole, and can be opened again once there is.
    pub fn is_full(&self) -> bool {
        match self {
            StoreError::Full => true,
            StoreError::Closed { because, .. } => *because == Closing::Full,
            StoreError::Directory { source, .. } => space::is_full(source),
            _ => false,
        }
    }
}

impl From<::sled::Error> for StoreError {
    fn from(error: ::sled::Error) -> Self {
        match error {
            ::sled::Error::Io(io) if space::is_full(&io) => StoreError::Full,
            ::sled::Error::Io(io) if io.kind() == std::io::ErrorKind::PermissionDenied => StoreError::Denied(io),
            other => StoreError::Damaged(other.to_string()),
        }
    }
}

/// An open store. Cheap to clone; closed when the last clone is dropped.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    // Dropped in this order: the committer ends, the engine closes, the lock opens. Whoever writes the store anew holds
    // the last two until it has ended.
    committer: committer::Committer,
    engine: Arc<InUse>,
    epoch: Epoch,
    lock: Arc<DirLock>,
}

/// The engine that is in use.
struct InUse(RwLock<Option<Box<dyn Engine>>>);

impl InUse {
    fn new(engine: impl Engine + 'static) -> InUse {
        InUse(RwLock::new(Some(Box::new(engine))))
    }

    /// Does something with it. Not to be called within itself.
    fn with<T>(&self, act: impl FnOnce(&dyn Engine) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let engine = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let gone = || StoreError::ended("it could not be opened again");
        act(engine.as_deref().ok_or_else(gone)?)
    }

    /// Puts another one in its place, which `by` makes of it, while nobody uses it. Where that fails there is none any more.
    fn replace(
        &self,
        by: impl FnOnce(Box<dyn Engine>) -> Result<Box<dyn Engine>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut engine = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = engine.take() {
            *engine = Some(by(old)?);
        }
        Ok(())
    }

    /// Whether there is none any more.
    fn is_gone(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

impl Store {
    /// The epoch of this data directory, part of every counted event id.
    pub fn epoch(&self) -> &Epoch {
        &self.inner.epoch
    }

    /// The lock on the data directory, to say in it who holds it.
    pub fn lock(&self) -> &DirLock {
        &self.inner.lock
    }

    /// Makes `commit` durable in one step.
    ///
    /// A caller that is dropped while it waits leaves the commit to happen or not; it is never half done.
    pub async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        self.inner.committer.commit(commit).await
    }

    /// Wins back at once what dead space there is on the disk, which is done by and by otherwise.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        self.inner.committer.sweep().await
    }

    /// Returns when all that is stored was read and is as it was written; [`StoreError::Closed`] where it is not. Commits and
    /// whoever takes what is due wait for it by themselves; other reads show what they find before it has ended.
    pub async fn whole(&self) -> Result<(), StoreError> {
        self.inner.committer.whole().await
    }

    /// How far the reading of [`Store::whole`] is; `None` when it has ended.
    pub fn being_read(&self) -> Option<Progress> {
        match self.inner.committer.wholeness() {
            committer::Wholeness::Unknown(progress) => Some(progress),
            committer::Wholeness::Whole | committer::Wholeness::Failed => None,
        }
    }

    /// Runs a read on a thread that may block.
    async fn reading<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Engine) -> Result<T, StoreError> + Send + 'static,
    {
        self.inner.committer.still_open()?;
        let engine = Arc::clone(&self.inner.engine);
        let done = match tokio::task::spawn_blocking(move || engine.with(read)).await {
            Ok(done) => done,
            Err(error) if error.is_panic() => Err(StoreError::Damaged("it panicked while it was read".to_owned())),
            Err(_) => Err(StoreError::ended("posbell is ending")),
        };
        match &done {
            Err(error @ (StoreError::Damaged(_) | StoreError::Full)) => self.inner.committer.close(error),
            // What was read while another call failed may never have been stored.
            _ => self.inner.committer.still_open()?,
        }
        done
    }
}
