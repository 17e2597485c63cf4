//! What the thread does beside commits: it reads everything before the first one, and while none waits it has the engine do
//! what that owes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use super::{Failure, Reply, Wholeness, Work, Writer};
use crate::edge::store::StoreError;

/// After how long a time without work the engine tidies up, and how long work is waited for in between.
const IDLE: Duration = Duration::from_millis(50);
const BETWEEN: Duration = Duration::from_millis(10);

impl Writer {
    /// Reads everything once. What waits to be written waits for its end.
    pub(super) fn verify(&self) {
        let shared = &self.shared;
        if !matches!(*shared.wholeness.borrow(), Wholeness::Unknown(_)) {
            return;
        }
        let read = catch_unwind(AssertUnwindSafe(|| {
            shared.engine.with_progress(|engine, call| {
                engine.verify(&mut |progress| {
                    call.goes_on();
                    shared.set(Wholeness::Unknown(progress));
                    !shared.is_ending.load(Ordering::Relaxed)
                })
            })
        }));
        let failure = match read {
            Ok(Ok(true)) => None,
            Ok(Ok(false)) => Some(Failure::from(&StoreError::ended("posbell is ending"))),
            Ok(Err(error)) => Some(Failure::from(&error)),
            Err(_) => Some(Failure::from(&StoreError::Damaged("it panicked while it was read".to_owned()))),
        };
        let is_whole = failure.is_none();
        if let Some(failure) = failure {
            shared.failed.get_or_init(|| failure);
        }
        shared.set(if is_whole { Wholeness::Whole } else { Wholeness::Failed });
    }

    /// What comes next; `None` when nothing will. While nothing comes, the engine tidies up.
    pub(super) fn wait_for(&mut self, work: &mpsc::Receiver<Work>) -> Option<Work> {
        let mut pause = IDLE;
        while self.is_owing {
            match work.recv_timeout(pause) {
                Err(mpsc::RecvTimeoutError::Timeout) => self.tidy(),
                done => return done.ok(),
            }
            pause = BETWEEN;
        }
        work.recv().ok()
    }

    fn tidy(&mut self) {
        let shared = &self.shared;
        let tidied = catch_unwind(AssertUnwindSafe(|| {
            shared.still_open()?;
            shared.engine.with(|engine| engine.tidy())
        }));
        let panicked = |_| Err(StoreError::Damaged("it panicked while it was tidied up".to_owned()));
        self.is_owing = tidied.unwrap_or_else(panicked).unwrap_or_else(|error| {
            shared.failed.get_or_init(|| Failure::from(&error));
            false
        });
    }

    /// Has the engine do all that it owes.
    pub(super) fn sweep(&mut self, reply: Reply) {
        while self.is_owing {
            self.tidy();
        }
        // Whoever no longer waits does not need the answer.
        drop(reply.send(self.shared.still_open()));
    }
}
