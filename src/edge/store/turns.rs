//! When a batch goes out, nobody reads: sled tidies its pages up when it reads them, which writes.
//!
//! What it writes then is in no batch, and pushed out together with one it may reach the disk before what it points to
//! beside the log. This is a courtesy and no lock: a read that takes long, or that itself waits for a commit, holds a
//! commit up for a moment and never for good.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a commit waits for the reads that have begun. Most take less than a millisecond.
const COURTESY: Duration = Duration::from_millis(100);

/// Who is at it.
#[derive(Default)]
pub(super) struct Turns {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Default)]
struct Now {
    reading: usize,
    writing: bool,
}

/// A read, while it lasts.
pub(super) struct Reading<'a>(&'a Turns);

/// A batch, while it goes out.
pub(super) struct Writing<'a>(&'a Turns);

impl Turns {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no batch goes out.
    pub(super) fn read(&self) -> Reading<'_> {
        let now = self.changed.wait_while(self.now(), |now| now.writing);
        now.unwrap_or_else(PoisonError::into_inner).reading += 1;
        Reading(self)
    }

    /// Lets no further read begin, and waits a little for those that have begun. Of one thread only.
    pub(super) fn write(&self) -> Writing<'_> {
        let mut now = self.now();
        now.writing = true;
        drop(self.changed.wait_timeout_while(now, COURTESY, |now| now.reading > 0));
        Writing(self)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.now().reading -= 1;
        self.0.changed.notify_all();
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.now().writing = false;
        self.0.changed.notify_all();
    }
}
