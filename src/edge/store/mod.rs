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
mod event_filter;
mod export;
mod failed;
mod head;
mod heads;
mod in_use;
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
mod rule_state;
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
pub use event_filter::EventFilter;
pub use export::ExportPage;
pub use failed::{ChannelRecord, Failed, FailedPage, StillWaiting};
pub use head::Head;
pub use heads::Heads;
pub use in_use::Calls;
pub use lock::{DirLock, Holder};
pub use log::NumberedEvent;
pub use open::make_data_dir;
pub use outbox::{Due, DueDelivery, PageStart, WaitingPage, When};
pub use owner::{NotAsOwner, is_root, work_as_owner};
pub use private::{close_to_others, is_open_to_others, make_all_private};
pub use read::{DeliveryFilter, OutboxCounts};
pub use record::{
    ChannelTold, ChannelsTold, FailingRecord, ReplayPlace, ReplayRecord, ResourceRecord, ShopRecord, Stopped,
};
pub use restore::{Restore, Restored};
pub use space::{FULL, Moving, RESERVE, fault_of, free_bytes, probe};
pub use waiting::Overflow;

use std::path::PathBuf;
use std::sync::Arc;

use self::engine::Engine;
pub use self::engine::Progress;
use self::in_use::InUse;
use crate::domain::disk::DiskFault;
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
    /// The disk does not take or give what it should. What was acknowledged is whole as far as is known; open it again
    /// when the disk works.
    #[error("{}", disk_words(*.0))]
    Disk(DiskFault),
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
    /// The disk failed it.
    Disk(DiskFault),
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

    /// What is wrong with the disk, where it is that: what is stored can be opened again once the disk works.
    pub fn disk_fault(&self) -> Option<DiskFault> {
        match self {
            StoreError::Disk(fault) | StoreError::Closed { because: Closing::Disk(fault), .. } => Some(*fault),
            StoreError::Directory { source, .. } => space::fault_of(source),
            _ => None,
        }
    }
}

fn disk_words(fault: DiskFault) -> String {
    match fault {
        DiskFault::Full => {
            format!("no space is left on the disk of the store; free at least {} MB", RESERVE / 1_000_000)
        }
        fault => format!("the disk of the store {fault}"),
    }
}

impl From<::sled::Error> for StoreError {
    fn from(error: ::sled::Error) -> Self {
        match error {
            ::sled::Error::Io(io) if io.kind() == std::io::ErrorKind::PermissionDenied => StoreError::Denied(io),
            ::sled::Error::Io(io) => match space::fault_of(&io) {
                Some(fault) => StoreError::Disk(fault),
                None => StoreError::Damaged(io.to_string()),
            },
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

impl Store {
    /// The epoch of this data directory, part of every counted event id.
    pub fn epoch(&self) -> &Epoch {
        &self.inner.epoch
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

    /// Which calls of what everything is stored with are under way.
    pub fn calls(&self) -> &Arc<Calls> {
        self.inner.engine.calls()
    }

    /// Whether the files are still where they were opened.
    pub async fn check_place(&self) -> Result<(), StoreError> {
        self.reading(|engine| match engine.is_in_place()? {
            true => Ok(()),
            false => Err(StoreError::Disk(DiskFault::Gone)),
        })
        .await
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
            Err(error @ (StoreError::Damaged(_) | StoreError::Disk(_))) => self.inner.committer.close(error),
            // What was read while another call failed may never have been stored.
            _ => self.inner.committer.still_open()?,
        }
        done
    }
}
