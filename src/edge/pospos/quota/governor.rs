//! Who lets a call go: one governor for each shop, through which every request to the API passes.
//!
//! Here the desk meets the clock, the disk and those who wait. A place is on the disk before a call is let go in it,
//! so a process that is killed right after finds, at its next start, a call that may have been made. Where the place
//! cannot be written, there is no permit and no call.
//!
//! # Who wakes whom
//!
//! Whose turn it is follows from the queue alone. That one waiter sleeps until a place is free, or writes the next
//! group; all others wait for their bell. Whoever changes whose turn it is (it went, it gave up, it wrote or failed
//! to, it loosened the limits) rings for the one whose turn it is now. A bell that is rung before it is listened to
//! rings then. So each waiter may be dropped anywhere, nobody asks in a loop, and no turn is lost.
//!
//! The governor refuses to be cloned into a second opinion: a second one for the same key, in this or any other
//! process of the machine, finds the ledger locked or the key claimed.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::claim::Claim;
use super::desk::{Desk, Look};
use super::file::LedgerFile;
use super::queue::Ticket;
use super::slow::Slowed;
use super::{BootClock, LedgerState, Monotonic, PlaceId, QuotaError, QuotaLimit, Urgency, Waiting, ledger};
use crate::domain::model::KeyHash;

/// Lets calls of one shop go, as fast as its quota allows and never faster.
pub struct Governor {
    books: Arc<Books>,
    state: LedgerState,
}

/// What permits, waiters and the governor share.
///
/// Locks are taken in the order of the fields. `file` is held across a sync, `desk` never: so the end of a call,
/// which happens on an async thread, waits for no disk.
struct Books {
    clock: Arc<dyn BootClock>,
    boot_id: String,
    file: Mutex<LedgerFile>,
    desk: Mutex<Desk<Arc<Notify>>>,
    /// How many writings of a group have begun and ended; odd while one is under way.
    writings: AtomicU64,
    /// Held, not read: it ends with the last permit, as the lock of the ledger does.
    _claim: Claim,
}

impl Governor {
    /// Opens the ledger `HASH.ledger` of this key in `dir` (made where missing) with its mark `HASH.mark`, and takes over
    /// what it says. Blocks on the disk.
    ///
    /// `limits` may differ from those of the last run; calls of the last hour, or of the longest limit if that is
    /// more, are remembered exactly enough for any of them.
    pub fn open(
        dir: &Path,
        key: &KeyHash,
        limits: Vec<QuotaLimit>,
        clock: Arc<dyn BootClock>,
    ) -> Result<Self, QuotaError> {
        if limits.is_empty() {
            return Err(QuotaError::NoLimits);
        }
        // The lock first: its message names the directory.
        let (mut file, bytes, mark) = LedgerFile::open(dir, key, Arc::clone(&clock))?;
        let claim = Claim::take(key)?;
        let boot_id = clock.boot_id();
        let now = Monotonic::since_boot(clock.now());
        let (places, state) = ledger::recover(bytes.as_deref(), mark, &boot_id, now);
        let mut desk = Desk::new(places, limits, now);
        file.replace(|after| desk.render(&boot_id, now, after))?;
        let writings = AtomicU64::new(0);
        let books = Books { clock, boot_id, file: Mutex::new(file), desk: Mutex::new(desk), writings, _claim: claim };
        Ok(Self { books: Arc::new(books), state })
    }

    /// How the ledger was found at the start.
    pub fn ledger_state(&self) -> LedgerState {
        self.state
    }

    /// Waits for a place that is written down; the call may leave as soon as this returns.
    ///
    /// The more urgent goes first, and first come, first served within a class; see [`Urgency`]. May be dropped at any
    /// point: a place that was already written stays for whoever comes next.
    pub async fn permit(&self, urgency: Urgency) -> Result<Permit, QuotaError> {
        let seat = Seat::take(&self.books, urgency);
        loop {
            match seat.look() {
                Look::Go(id) => return Ok(Permit { books: Arc::clone(&self.books), id, answered: false }),
                Look::Stand => seat.bell.notified().await,
                Look::Sleep(duration) => {
                    // At least a millisecond, tokio's grain, so that this cannot spin.
                    let free = self.books.clock.wait(duration.max(Duration::from_millis(1)));
                    tokio::select! {
                        () = free => {}
                        () = seat.bell.notified() => {}
                    }
                }
                Look::Write => {
                    // It ends over there even where this waiter goes away.
                    let writing = Writing(Arc::clone(&self.books));
                    let written = tokio::task::spawn_blocking(move || writing.write()).await;
                    if let Some(mark) = written.map_err(|_| QuotaError::Stopping)?? {
                        // No call waits for this.
                        drop(tokio::task::spawn_blocking(move || mark.sync_data()));
                    }
                }
            }
        }
    }

    /// The number of the writing that is under way, if one is. The same number again after a minute is a disk that hangs.
    pub fn writing(&self) -> Option<u64> {
        let number = self.books.writings.load(Ordering::Relaxed);
        (number % 2 == 1).then_some(number)
    }

    /// The boot's clock, as the calls are stamped by.
    pub fn now(&self) -> Monotonic {
        self.books.desk_now().1
    }

    /// Waits about that long by the boot's clock.
    pub fn wait(&self, duration: Duration) -> Waiting {
        self.books.clock.wait(duration)
    }

    /// What every limit still allows right now, for the status: the limits as they are in force, which is less than
    /// was configured while [`Governor::slowed`] says so.
    pub fn left(&self) -> Vec<(QuotaLimit, u32)> {
        let (desk, now) = self.books.desk_now();
        desk.left(now)
    }

    /// Whether less than the configured limits is used, because the server has seen too many calls.
    pub fn slowed(&self) -> Option<Slowed> {
        let (desk, now) = self.books.desk_now();
        desk.slowed(now)
    }

    /// Makes other limits hold from now on, for a reload; an empty list changes nothing.
    pub fn set_limits(&self, limits: Vec<QuotaLimit>) {
        self.books.desk().set_limits(limits);
        self.books.wake_next();
    }

    /// The server has said that it sees too many calls, so somebody else spends of the same key.
    ///
    /// Makes no call for `at_least` that long, and never less than the shortest window. Then uses half of every
    /// allowance for ten of the shortest windows (at least ten minutes, at most six hours); a quarter and an eighth
    /// where it comes again meanwhile.
    pub fn pause(&self, at_least: Duration) {
        let (mut desk, now) = self.books.desk_now();
        desk.too_many(now, at_least);
        drop(desk);
        self.books.write_unwritten();
    }
}

impl Drop for Governor {
    /// Without this the next run would have to take the spare places for calls.
    fn drop(&mut self) {
        self.books.desk().give_back();
        self.books.write_unwritten();
    }
}

impl Books {
    // A panic elsewhere leaves the desk whole: every change of it is one call. So a poisoned lock is still good.
    fn desk(&self) -> MutexGuard<'_, Desk<Arc<Notify>>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self) -> MutexGuard<'_, LedgerFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk_now(&self) -> (MutexGuard<'_, Desk<Arc<Notify>>>, Monotonic) {
        let mut desk = self.desk();
        let now = desk.moment(Monotonic::since_boot(self.clock.now()));
        (desk, now)
    }

    /// Rings for the waiter whose turn it is.
    fn wake_next(&self) {
        let bell = self.desk().next().cloned();
        if let Some(bell) = bell {
            bell.notify_one();
        }
    }

    fn replace_if_wanted(&self, file: &mut LedgerFile) -> Result<(), QuotaError> {
        if !file.wants_replacing() {
            return Ok(());
        }
        file.replace(|after| {
            let (mut desk, now) = self.desk_now();
            desk.render(&self.boot_id, now, after)
        })
    }

    /// Writes the waiting lines where nobody else is at the file; else whoever is there next takes them along.
    ///
    /// A short write into the page cache, which is why it may happen on an async thread. Should it fail or be lost, a
    /// later start takes the call for ended later than it did.
    fn write_unwritten(&self) {
        let Ok(mut file) = self.file.try_lock() else { return };
        let lines = self.desk().take_unwritten();
        if !lines.is_empty() {
            // A failure is told at the next permit, which tries to replace the file and says why it cannot.
            let _ = file.append(&lines);
        }
    }
}

/// A place in the queue, given up when it is dropped.
struct Seat<'a> {
    books: &'a Books,
    ticket: Ticket,
    /// Rung when it is this seat's turn.
    bell: Arc<Notify>,
}

impl<'a> Seat<'a> {
    fn take(books: &'a Books, urgency: Urgency) -> Self {
        let bell = Arc::new(Notify::new());
        let ticket = books.desk().join(urgency, Arc::clone(&bell));
        Self { books, ticket, bell }
    }

    fn look(&self) -> Look {
        let (mut desk, now) = self.books.desk_now();
        let look = desk.look(self.ticket, now);
        drop(desk);
        if let Look::Go(_) = look {
            self.books.wake_next();
        }
        look
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        if self.books.desk().leave(self.ticket) {
            self.books.wake_next();
        }
    }
}

/// The writing of one group, by whoever was told to. However it ends, the next waiter is woken.
struct Writing(Arc<Books>);

impl Writing {
    /// Takes places and makes them durable; the mark is still to be synced. Blocks on the disk.
    fn write(self) -> Result<Option<File>, QuotaError> {
        let books = &self.0;
        books.writings.fetch_add(1, Ordering::Relaxed);
        let mut file = books.file();
        books.replace_if_wanted(&mut file)?;
        let (group, now) = {
            let (mut desk, now) = books.desk_now();
            (desk.group(now), now)
        };
        if let Some((ids, lines)) = group {
            // Killed here, no call has left and nothing is written down. Killed after the sync, calls may have left,
            // and are. A failure loses the ends that were in `lines` too: they stand in the next replacement.
            file.append_durably(&lines)?;
            books.desk().written(ids, now);
        }
        Ok(file.unsynced_mark())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // Not yet begun, it ends without a number of its own.
        let _ = self
            .0
            .writings
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |number| (number % 2 == 1).then(|| number + 1));
        self.0.desk().writing_ended();
        self.0.wake_next();
    }
}

/// One call's place. Held while the call is under way; dropping it ends the call.
///
/// Drop it only after the connection is closed or the answer is read: what may still be sent after it is not counted.
#[must_use = "the call must be made while the permit lives"]
pub struct Permit {
    books: Arc<Books>,
    id: PlaceId,
    answered: bool,
}

impl Permit {
    /// Ends a call that was answered: it surely has arrived.
    ///
    /// A permit that is dropped without this counts as arrived [`STRAGGLER`](super::STRAGGLER) later.
    pub fn end(mut self) {
        self.answered = true;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let (mut desk, now) = self.books.desk_now();
        desk.end(self.id, now, self.answered);
        drop(desk);
        self.books.write_unwritten();
    }
}

#[cfg(test)]
mod tests;
