//! While nothing is to be committed, the engine does what it owes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

use super::{Failure, Reply, Work, Writer};
use crate::edge::store::StoreError;

/// After how long a time without work the engine tidies up, and how long work is waited for in between.
const IDLE: Duration = Duration::from_millis(50);
const BETWEEN: Duration = Duration::from_millis(10);

impl Writer {
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
