//! The one thread that writes: it takes what waits, applies it, flushes once and syncs once.
//!
//! Each commit is one batch, so it is whole or absent. Several that wait together share the flush and the sync, which
//! is what makes many small commits cheap. A commit is acknowledged only after the sync: sled's flush hands the bytes
//! to the kernel, which keeps them through a kill but not through a power cut.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::blobs::Blobs;
use super::commit::{Commit, Numbers, apply};
use super::record::{self, FORM};
use super::{StoreError, keys, upgrade};
use crate::domain::event::Epoch;

/// How many commits share one flush: enough to amortize it, few enough that the first does not wait long.
const SHARED_FLUSH: usize = 128;

type Reply = oneshot::Sender<Result<(), StoreError>>;

/// The writing thread, as seen from outside.
pub(super) struct Committer {
    queue: Mutex<Option<mpsc::Sender<(Commit, Reply)>>>,
    failed: Arc<OnceLock<String>>,
    durable: Arc<Mutex<Numbers>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Committer {
    /// Starts the thread on an open tree whose log is `file` with its `blobs`; the next commit gets these numbers.
    pub(super) fn start(tree: sled::Tree, file: File, blobs: Blobs, numbers: Numbers) -> std::io::Result<Committer> {
        let failed = Arc::new(OnceLock::new());
        let durable = Arc::new(Mutex::new(numbers));
        let (queue, work) = mpsc::channel();
        let mut writer =
            Writer { tree, file, blobs, numbers, failed: Arc::clone(&failed), durable: Arc::clone(&durable) };
        let thread = std::thread::Builder::new().name("committer".to_owned()).spawn(move || writer.run(&work))?;
        Ok(Committer { queue: Mutex::new(Some(queue)), failed, durable, thread: Mutex::new(Some(thread)) })
    }

    /// Fails once anything has failed.
    pub(super) fn still_open(&self) -> Result<(), StoreError> {
        closed(&self.failed).map_or(Ok(()), Err)
    }

    /// Below these numbers everything is synced; what is above lies in the tree but may not survive a power cut.
    pub(super) fn durable(&self) -> Numbers {
        *self.durable.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Lets no more through, because of this.
    pub(super) fn close(&self, error: &StoreError) {
        self.failed.get_or_init(|| error.to_string());
    }

    pub(super) async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        {
            let queue = self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            // Without a queue or a thread no answer comes, as without an end of the wait.
            if let Some(queue) = queue.as_ref() {
                drop(queue.send((commit, reply)));
            }
        }
        let unanswered = || StoreError::Closed { why: "its writing thread has ended".to_owned() };
        answer.await.unwrap_or_else(|_| Err(closed(&self.failed).unwrap_or_else(unanswered)))
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        // The thread ends when the queue does; what was queued before is written first.
        drop(self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take());
        if let Some(thread) = self.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
            // A panic of the thread has been reported to whoever waited for it.
            drop(thread.join());
        }
    }
}

/// Writes into a fresh store whose it is, before anything else is written.
pub(super) fn found(tree: &sled::Tree, file: &File, blobs: &mut Blobs, epoch: &Epoch) -> Result<(), StoreError> {
    let mut batch = sled::Batch::default();
    batch.insert(keys::FORM, record::write(&FORM)?);
    batch.insert(keys::EPOCH, record::write(epoch)?);
    batch.insert(keys::NUMBERS, &Numbers::default().bytes());
    tree.apply_batch(batch)?;
    flush_and_sync(tree, file, blobs)
}

/// Brings a store of an older form to this one.
pub(super) fn upgrade(tree: &sled::Tree, file: &File, blobs: &mut Blobs) -> Result<(), StoreError> {
    upgrade::from_form_1(tree, || flush_and_sync(tree, file, blobs))?;
    tree.insert(keys::FORM, record::write(&FORM)?)?;
    flush_and_sync(tree, file, blobs)
}

#[expect(clippy::disallowed_methods, reason = "this is the committer: the one place that flushes, and syncs after it")]
fn flush_and_sync(tree: &sled::Tree, file: &File, blobs: &mut Blobs) -> Result<(), StoreError> {
    // First what the log points to, then the log. Until the flush the end of the last batch is in memory alone.
    blobs.sync().map_err(io)?;
    tree.flush()?;
    file.sync_data().map_err(io)
}

fn io(error: std::io::Error) -> StoreError {
    StoreError::from(sled::Error::Io(error))
}

struct Writer {
    tree: sled::Tree,
    file: File,
    blobs: Blobs,
    numbers: Numbers,
    failed: Arc<OnceLock<String>>,
    durable: Arc<Mutex<Numbers>>,
}

impl Writer {
    fn run(&mut self, work: &mpsc::Receiver<(Commit, Reply)>) {
        while let Ok(first) = work.recv() {
            let mut together = vec![first];
            while together.len() < SHARED_FLUSH
                && let Ok(next) = work.try_recv()
            {
                together.push(next);
            }
            self.write(together);
        }
    }

    fn write(&mut self, together: Vec<(Commit, Reply)>) {
        let mut replies = Vec::with_capacity(together.len());
        let written = catch_unwind(AssertUnwindSafe(|| {
            for (commit, reply) in together {
                // The reply is kept even if applying fails, so that the caller learns of it.
                replies.push(reply);
                closed(&self.failed).map_or(Ok(()), Err)?;
                apply(&self.tree, &mut self.numbers, commit)?;
                // The next batch would push this one out, with what it points to perhaps not on the disk.
                self.blobs.sync().map_err(io)?;
            }
            flush_and_sync(&self.tree, &self.file, &mut self.blobs)
        }));
        let outcome = match written {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Damaged("sled panicked while writing".to_owned())),
        };
        match &outcome {
            Err(error) => drop(self.failed.get_or_init(|| error.to_string())),
            // Before the answers: who is woken by one must find what it is about.
            Ok(()) => *self.durable.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = self.numbers,
        }
        for reply in replies {
            // A caller that no longer waits does not need the answer.
            drop(reply.send(copy(&outcome)));
        }
    }
}

/// Everyone who shared a flush shares its outcome.
fn copy(outcome: &Result<(), StoreError>) -> Result<(), StoreError> {
    match outcome {
        Ok(()) => Ok(()),
        Err(StoreError::Full) => Err(StoreError::Full),
        Err(StoreError::Damaged(why)) => Err(StoreError::Damaged(why.clone())),
        Err(StoreError::Unreadable(why)) => Err(StoreError::Unreadable(why.clone())),
        Err(StoreError::Closed { why }) => Err(StoreError::Closed { why: why.clone() }),
        Err(error) => Err(StoreError::Damaged(error.to_string())),
    }
}

fn closed(failed: &OnceLock<String>) -> Option<StoreError> {
    failed.get().map(|why| StoreError::Closed { why: why.clone() })
}
