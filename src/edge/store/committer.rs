//! The one thread that writes: it takes what waits, applies it, and syncs once.
//!
//! Each commit is one batch, so it is whole or absent. Several that wait together share the sync, which is what makes many
//! small commits cheap. A commit is acknowledged only after the sync. Before the first one the whole store is read and
//! compared with what must be in it ([`super::engine::Engine::verify`]): nothing is written onto damage.

mod beside;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::commit::{Commit, Numbers, batch_of};
use super::compact::Changed;
use super::copy::keep::{Copying, UnderWay};
use super::engine::{Fence, Progress};
use super::in_use::join_within;
use super::waiting::{Bound, Waiting};
use super::{Closing, InUse, StoreError};

/// How many commits share one flush: enough to amortize it, few enough that the first does not wait long.
const SHARED_FLUSH: usize = 128;

/// After how long without an entry a reading counts as one that never ends.
const NO_PROGRESS: Duration = Duration::from_secs(60);

/// How long the thread may take to end.
const ENDING: Duration = Duration::from_secs(30);
/// After how many looks at one call that does not come on it is left to the end of the process.
const STILL: usize = 10_000;

/// Why nothing goes through any more.
#[derive(Debug, Clone)]
struct Failure {
    why: String,
    because: Closing,
}

impl From<&StoreError> for Failure {
    fn from(error: &StoreError) -> Self {
        let because = match error {
            StoreError::Closed { why, because } => return Failure { why: why.clone(), because: *because },
            error if error.is_damage() => Closing::Damaged,
            error => error.disk_fault().map_or(Closing::Other, Closing::Disk),
        };
        Failure { why: error.to_string(), because }
    }
}

/// What is done between two commits, by whoever has written the last one with this fence.
type Between = Box<dyn FnOnce(Option<Fence>) -> Result<(), StoreError> + Send>;

type Reply = oneshot::Sender<Result<(), StoreError>>;

/// What waits for the thread.
enum Work {
    Commit(Box<Commit>, Reply),
    /// A copy is to begin, behind all that was asked for before.
    Copy(oneshot::Sender<Result<UnderWay, StoreError>>),
    /// Everything is to be read before anything is written.
    Verify,
    /// Something is to be done between two commits.
    Between(Between, Reply),
    /// Dead space is to be won back, behind all that was asked for before.
    Sweep(Reply),
}

/// How much of the store is known to be whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wholeness {
    /// It is being read, or nobody has asked yet.
    Unknown(Progress),
    /// All of it was read and is as it was written.
    Whole,
    /// It is not, or it was not read to its end.
    Failed,
}

/// The writing thread, as seen from outside.
pub(super) struct Committer {
    queue: Mutex<Option<mpsc::Sender<Work>>>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread and those who ask it have in common.
struct Shared {
    engine: Arc<InUse>,
    failed: OnceLock<Failure>,
    durable: Mutex<Numbers>,
    wholeness: watch::Sender<Wholeness>,
    is_ending: AtomicBool,
    changed: Arc<Changed>,
    bound: Bound,
}

impl Committer {
    /// Starts the thread; the next commit gets these numbers.
    pub(super) fn start(engine: Arc<InUse>, numbers: Numbers) -> std::io::Result<Committer> {
        let shared = Arc::new(Shared {
            engine,
            failed: OnceLock::new(),
            durable: Mutex::new(numbers),
            wholeness: watch::Sender::new(Wholeness::Unknown(Progress::default())),
            is_ending: AtomicBool::new(false),
            changed: Arc::default(),
            bound: Bound::default(),
        });
        let (queue, work) = mpsc::channel();
        let mut writer = Writer {
            shared: Arc::clone(&shared),
            numbers,
            copying: Arc::default(),
            fence: None,
            waiting: None,
            is_owing: false,
        };
        let thread = std::thread::Builder::new().name("committer".to_owned()).spawn(move || writer.run(&work))?;
        Ok(Committer { queue: Mutex::new(Some(queue)), shared, thread: Mutex::new(Some(thread)) })
    }

    /// Fails once anything has failed.
    pub(super) fn still_open(&self) -> Result<(), StoreError> {
        self.shared.still_open()
    }

    /// How many deliveries may wait.
    pub(super) fn bound(&self) -> &Bound {
        &self.shared.bound
    }

    /// Below these numbers everything is synced; what is above can be read but may not survive a power cut.
    pub(super) fn durable(&self) -> Numbers {
        *self.shared.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets no more through, because of this.
    pub(super) fn close(&self, error: &StoreError) {
        self.shared.failed.get_or_init(|| Failure::from(error));
    }

    /// How much is known to be whole.
    pub(super) fn wholeness(&self) -> Wholeness {
        *self.shared.wholeness.borrow()
    }

    /// Returns when everything was read and is as it was written. A reading that does not come on is given up.
    pub(super) async fn whole(&self) -> Result<(), StoreError> {
        let mut wholeness = self.shared.wholeness.subscribe();
        if *wholeness.borrow() != Wholeness::Whole {
            self.send(Work::Verify);
        }
        loop {
            match *wholeness.borrow_and_update() {
                Wholeness::Whole => return self.still_open(),
                Wholeness::Failed => return Err(self.shared.closed().unwrap_or_else(unanswered)),
                Wholeness::Unknown(_) => {}
            }
            if tokio::time::timeout(NO_PROGRESS, wholeness.changed()).await.is_err() {
                let seconds = NO_PROGRESS.as_secs();
                self.close(&StoreError::ended(&format!("reading it has not come on for {seconds} s")));
                self.shared.set(Wholeness::Failed);
            }
        }
    }

    pub(super) async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        self.ask(|reply| Work::Commit(Box::new(commit), reply)).await
    }

    /// Begins a copy between two commits; all that was committed before is durable then.
    pub(super) async fn begin_copy(&self) -> Result<UnderWay, StoreError> {
        self.ask(Work::Copy).await
    }

    /// Has the engine tidy up until nothing is owed.
    pub(super) async fn sweep(&self) -> Result<(), StoreError> {
        self.ask(Work::Sweep).await
    }

    /// Which keys are changed, for who has asked for it to be noted.
    pub(super) fn changed(&self) -> &Arc<Changed> {
        &self.shared.changed
    }

    /// Does something between two commits, after all that was asked for before. Where there is no engine any more after
    /// it, nothing goes through from then on.
    pub(super) async fn between(
        &self,
        act: impl FnOnce(Option<Fence>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.ask(|reply| Work::Between(Box::new(act), reply)).await
    }

    async fn ask<T>(&self, work: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Work) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(work(reply));
        answer.await.unwrap_or_else(|_| Err(self.shared.closed().unwrap_or_else(unanswered)))
    }

    fn send(&self, work: Work) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        // Without a queue or a thread no answer comes, as without an end of the wait.
        if let Some(queue) = queue.as_ref() {
            drop(queue.send(work));
        }
    }
}

fn unanswered() -> StoreError {
    StoreError::ended("its writing thread has ended")
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.shared.is_ending.store(true, Ordering::Relaxed);
        // The thread ends when the queue does; what was queued before is written first.
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let calls = Arc::clone(self.shared.engine.calls());
        let (mut oldest, mut still) = (calls.oldest(), 0);
        join_within(ENDING, thread, || {
            let now = calls.oldest();
            still = if now.is_some() && now == oldest { still + 1 } else { 0 };
            oldest = now;
            still > STILL
        });
    }
}

impl Shared {
    /// What has failed stays so.
    fn set(&self, to: Wholeness) {
        self.wholeness.send_if_modified(|now| {
            let changes = *now != Wholeness::Failed;
            if changes {
                *now = to;
            }
            changes
        });
    }

    fn closed(&self) -> Option<StoreError> {
        let Failure { why, because } = self.failed.get()?.clone();
        Some(StoreError::Closed { why, because })
    }

    fn still_open(&self) -> Result<(), StoreError> {
        self.closed().map_or(Ok(()), Err)
    }
}

struct Writer {
    shared: Arc<Shared>,
    numbers: Numbers,
    copying: Arc<Copying>,
    /// Taken before the first commit: who only reads takes nothing over.
    fence: Option<Fence>,
    /// Counted before the first commit.
    waiting: Option<Waiting>,
    /// The engine may have something to tidy up.
    is_owing: bool,
}

impl Writer {
    fn run(&mut self, work: &mpsc::Receiver<Work>) {
        let mut together = Vec::new();
        while let Some(first) = self.wait_for(work) {
            self.verify();
            let mut next = Some(first);
            while let Some(work_now) = next.take() {
                match work_now {
                    Work::Commit(commit, reply) => together.push((commit, reply)),
                    Work::Copy(reply) => {
                        // All that was asked for before is durable then.
                        self.write(std::mem::take(&mut together));
                        self.begin_copy(reply);
                    }
                    Work::Between(act, reply) => {
                        self.write(std::mem::take(&mut together));
                        drop(reply.send(self.between(act)));
                    }
                    Work::Sweep(reply) => {
                        self.write(std::mem::take(&mut together));
                        self.sweep(reply);
                    }
                    Work::Verify => {}
                }
                if together.len() < SHARED_FLUSH {
                    next = work.try_recv().ok();
                }
            }
            if !together.is_empty() {
                self.write(std::mem::take(&mut together));
            }
        }
    }

    fn begin_copy(&self, reply: oneshot::Sender<Result<UnderWay, StoreError>>) {
        let begun = self.shared.still_open().and_then(|()| Copying::begin(&self.copying));
        // Where nobody waits for it any more it ends at once.
        drop(reply.send(begun));
    }

    fn between(&mut self, act: Between) -> Result<(), StoreError> {
        self.shared.still_open()?;
        let fence = self.fence.take();
        let done = catch_unwind(AssertUnwindSafe(|| act(fence)));
        let panicked = |_| Err(StoreError::Damaged("it panicked while it was replaced".to_owned()));
        let done = done.unwrap_or_else(panicked);
        if let Err(error) = &done
            && self.shared.engine.is_gone()
        {
            self.shared.failed.get_or_init(|| Failure::from(error));
        }
        done
    }

    fn write(&mut self, together: Vec<(Box<Commit>, Reply)>) {
        self.is_owing = true;
        let shared = Arc::clone(&self.shared);
        let mut replies = Vec::with_capacity(together.len());
        let written = catch_unwind(AssertUnwindSafe(|| {
            shared.engine.with(|engine| {
                for (commit, reply) in together {
                    // The reply is kept even if applying fails, so that the caller learns of it.
                    replies.push(reply);
                    shared.still_open()?;
                    let fence = match self.fence {
                        Some(fence) => fence,
                        None => *self.fence.insert(engine.take_over()?),
                    };
                    let waiting = match &mut self.waiting {
                        Some(waiting) => waiting,
                        none => none.insert(Waiting::stored(engine, shared.bound.clone())?),
                    };
                    let batch = batch_of(engine, &mut self.numbers, waiting, *commit)?;
                    self.copying.keep(engine, &batch)?;
                    engine.apply(fence, &batch)?;
                    shared.changed.note(&batch);
                }
                shared.still_open()?;
                engine.sync()
            })
        }));
        let outcome = match written {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Damaged("it panicked while it was written".to_owned())),
        };
        match &outcome {
            Err(error) => drop(shared.failed.get_or_init(|| Failure::from(error))),
            // Before the answers: who is woken by one must find what it is about.
            Ok(()) => *shared.durable.lock().unwrap_or_else(PoisonError::into_inner) = self.numbers,
        }
        for reply in replies {
            // A caller that no longer waits does not need the answer.
            drop(reply.send(copy(&outcome)));
        }
    }
}

/// Everyone who shared a sync shares its outcome.
fn copy(outcome: &Result<(), StoreError>) -> Result<(), StoreError> {
    match outcome {
        Ok(()) => Ok(()),
        Err(StoreError::Disk(fault)) => Err(StoreError::Disk(*fault)),
        Err(StoreError::Fenced) => Err(StoreError::Fenced),
        Err(StoreError::Damaged(why)) => Err(StoreError::Damaged(why.clone())),
        Err(StoreError::Unreadable(why)) => Err(StoreError::Unreadable(why.clone())),
        Err(StoreError::Closed { why, because }) => Err(StoreError::Closed { why: why.clone(), because: *because }),
        Err(error) => Err(StoreError::Damaged(error.to_string())),
    }
}
