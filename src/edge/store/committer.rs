//! The one thread that writes: it takes what waits, applies it, flushes once and syncs once.
//!
//! Each commit is one batch, so it is whole or absent. Several that wait together share the flush and the sync, which
//! is what makes many small commits cheap. A commit is acknowledged only after the sync: sled's flush hands the bytes
//! to the kernel, which keeps them through a kill but not through a power cut.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::blobs::Blobs;
use super::commit::{Commit, Numbers, apply};
use super::copy::keep::{Copying, UnderWay};
use super::record::{self, FORM};
use super::turns::{Reading, Turns};
use super::{StoreError, keys, upgrade};
use crate::domain::event::Epoch;

/// How many commits share one flush: enough to amortize it, few enough that the first does not wait long.
const SHARED_FLUSH: usize = 128;

/// Why nothing goes through any more.
#[derive(Debug, Clone)]
struct Failure {
    why: String,
    is_full: bool,
}

impl From<&StoreError> for Failure {
    fn from(error: &StoreError) -> Self {
        Failure { why: error.to_string(), is_full: error.is_full() }
    }
}

type Reply = oneshot::Sender<Result<(), StoreError>>;

/// What waits for the thread.
enum Work {
    Commit(Box<Commit>, Reply),
    /// A copy is to begin, behind all that was asked for before.
    Copy(oneshot::Sender<Result<UnderWay, StoreError>>),
}

/// The writing thread, as seen from outside.
pub(super) struct Committer {
    queue: Mutex<Option<mpsc::Sender<Work>>>,
    failed: Arc<OnceLock<Failure>>,
    durable: Arc<Mutex<Numbers>>,
    turns: Arc<Turns>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Committer {
    /// Starts the thread on an open tree whose log is `file` with its `blobs`; the next commit gets these numbers.
    pub(super) fn start(tree: sled::Tree, file: File, blobs: Blobs, numbers: Numbers) -> std::io::Result<Committer> {
        let failed = Arc::new(OnceLock::new());
        let durable = Arc::new(Mutex::new(numbers));
        let turns = Arc::new(Turns::default());
        let (queue, work) = mpsc::channel();
        let (failing, syncing, taking) = (Arc::clone(&failed), Arc::clone(&durable), Arc::clone(&turns));
        let copying = Arc::default();
        let mut writer =
            Writer { tree, file, blobs, numbers, copying, failed: failing, durable: syncing, turns: taking };
        let thread = std::thread::Builder::new().name("committer".to_owned()).spawn(move || writer.run(&work))?;
        Ok(Committer { queue: Mutex::new(Some(queue)), failed, durable, turns, thread: Mutex::new(Some(thread)) })
    }

    /// To be held by whoever reads.
    pub(super) fn read(&self) -> Reading<'_> {
        self.turns.read()
    }

    /// Fails once anything has failed.
    pub(super) fn still_open(&self) -> Result<(), StoreError> {
        closed(&self.failed).map_or(Ok(()), Err)
    }

    /// Below these numbers everything is synced; what is above lies in the tree but may not survive a power cut.
    pub(super) fn durable(&self) -> Numbers {
        *self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets no more through, because of this.
    pub(super) fn close(&self, error: &StoreError) {
        self.failed.get_or_init(|| Failure::from(error));
    }

    pub(super) async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        self.ask(|reply| Work::Commit(Box::new(commit), reply)).await
    }

    /// Begins a copy between two commits; all that was committed before is durable then.
    pub(super) async fn begin_copy(&self) -> Result<UnderWay, StoreError> {
        self.ask(Work::Copy).await
    }

    async fn ask<T>(&self, work: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Work) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        {
            let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            // Without a queue or a thread no answer comes, as without an end of the wait.
            if let Some(queue) = queue.as_ref() {
                drop(queue.send(work(reply)));
            }
        }
        let unanswered = || StoreError::Closed { why: "its writing thread has ended".to_owned(), is_full: false };
        answer.await.unwrap_or_else(|_| Err(closed(&self.failed).unwrap_or_else(unanswered)))
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        // The thread ends when the queue does; what was queued before is written first.
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
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

pub(super) fn flush_and_sync(tree: &sled::Tree, file: &File, blobs: &mut Blobs) -> Result<(), StoreError> {
    flush(tree, blobs)?;
    file.sync_data().map_err(io)
}

/// First what the log points to, then the log. Until the flush the end of the last batch is in memory alone.
#[expect(clippy::disallowed_methods, reason = "this is the committer: the one place that flushes, and syncs after it")]
fn flush(tree: &sled::Tree, blobs: &mut Blobs) -> Result<(), StoreError> {
    blobs.sync().map_err(io)?;
    tree.flush()?;
    Ok(())
}

fn io(error: std::io::Error) -> StoreError {
    StoreError::from(sled::Error::Io(error))
}

struct Writer {
    tree: sled::Tree,
    file: File,
    blobs: Blobs,
    numbers: Numbers,
    copying: Arc<Copying>,
    failed: Arc<OnceLock<Failure>>,
    durable: Arc<Mutex<Numbers>>,
    turns: Arc<Turns>,
}

impl Writer {
    fn run(&mut self, work: &mpsc::Receiver<Work>) {
        let mut together = Vec::new();
        while let Ok(first) = work.recv() {
            let mut next = Some(first);
            while let Some(work_now) = next.take() {
                match work_now {
                    Work::Commit(commit, reply) => together.push((commit, reply)),
                    Work::Copy(reply) => {
                        // With what reading has written since: all of it is durable then.
                        self.write(std::mem::take(&mut together));
                        self.begin_copy(reply);
                    }
                }
                if together.len() < SHARED_FLUSH {
                    next = work.try_recv().ok();
                }
            }
            if !together.is_empty() {
                self.write(std::mem::take(&mut together));
            }
        }
        // What reading has written since: sled would push it out when it closes, without what it points to.
        self.write(Vec::new());
    }

    fn begin_copy(&self, reply: oneshot::Sender<Result<UnderWay, StoreError>>) {
        let begun = closed(&self.failed).map_or_else(|| Copying::begin(&self.copying), Err);
        // Where nobody waits for it any more it ends at once.
        drop(reply.send(begun));
    }

    fn write(&mut self, together: Vec<(Box<Commit>, Reply)>) {
        let mut replies = Vec::with_capacity(together.len());
        let written = catch_unwind(AssertUnwindSafe(|| {
            let alone = self.turns.write();
            for (commit, reply) in together {
                // The reply is kept even if applying fails, so that the caller learns of it.
                replies.push(reply);
                closed(&self.failed).map_or(Ok(()), Err)?;
                // A batch pushes out what was written before it, with what that points to perhaps not on the disk.
                self.blobs.sync().map_err(io)?;
                apply(&self.tree, &self.copying, &mut self.numbers, *commit)?;
            }
            closed(&self.failed).map_or(Ok(()), Err)?;
            flush(&self.tree, &mut self.blobs)?;
            drop(alone);
            self.file.sync_data().map_err(io)
        }));
        let outcome = match written {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Damaged("sled panicked while writing".to_owned())),
        };
        match &outcome {
            Err(error) => drop(self.failed.get_or_init(|| Failure::from(error))),
            // Before the answers: who is woken by one must find what it is about.
            Ok(()) => *self.durable.lock().unwrap_or_else(PoisonError::into_inner) = self.numbers,
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
        Err(StoreError::Closed { why, is_full }) => Err(StoreError::Closed { why: why.clone(), is_full: *is_full }),
        Err(error) => Err(StoreError::Damaged(error.to_string())),
    }
}

fn closed(failed: &OnceLock<Failure>) -> Option<StoreError> {
    let Failure { why, is_full } = failed.get()?.clone();
    Some(StoreError::Closed { why, is_full })
}
