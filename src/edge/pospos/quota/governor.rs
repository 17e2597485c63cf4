//! Who lets a call go: one governor for each shop, through which every request to the API passes.
//!
//! A permit is given first come, first served. Its reservation is on the disk before the permit exists, so a process
//! that is killed right after finds, at its next start, a call that may have been made. Where the reservation cannot
//! be written, there is no permit and no call.
//!
//! The governor refuses to be cloned into a second opinion: a second one for the same shop, in this or any other
//! process, finds the ledger locked.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::file::LedgerFile;
use super::{BootClock, LedgerState, Monotonic, PlaceId, Places, QuotaError, QuotaLimit, STRAGGLER, Wait, ledger};
use crate::domain::model::KeyHash;

/// Lets calls of one shop go, as fast as its quota allows and never faster.
pub struct Governor {
    /// Whoever holds it is the next to go; tokio's mutex is fair.
    turn: tokio::sync::Mutex<()>,
    books: Arc<Books>,
    state: LedgerState,
}

/// What permits and the governor share.
///
/// Locks are taken in the order of the fields. `file` is held across a sync, `count` never: so the end of a call,
/// which happens on an async thread, waits for no disk.
struct Books {
    clock: Arc<dyn BootClock>,
    boot_id: String,
    file: Mutex<LedgerFile>,
    count: Mutex<Count>,
}

struct Count {
    places: Places,
    limits: Vec<QuotaLimit>,
    /// Lines of ends that wait for the file.
    unwritten: String,
    /// The latest moment seen, should the clock ever go back.
    latest: Monotonic,
}

impl Governor {
    /// Opens the ledger `HASH.ledger` of this key in `dir` (made where missing) and takes over what it says. Blocks on the disk.
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
        let (mut file, bytes) = LedgerFile::open(dir, key)?;
        let boot_id = clock.boot_id();
        let now = Monotonic::since_boot(clock.now());
        let (mut places, state) = ledger::recover(bytes.as_deref(), &boot_id, now);
        places.prune(now, &limits);
        file.replace(&ledger::render(&places, &boot_id, now))?;
        let count = Mutex::new(Count { places, limits, unwritten: String::new(), latest: now });
        let books = Arc::new(Books { clock, boot_id, file: Mutex::new(file), count });
        Ok(Self { turn: tokio::sync::Mutex::new(()), books, state })
    }

    /// How the ledger was found at the start.
    pub fn ledger_state(&self) -> LedgerState {
        self.state
    }

    /// Waits for a place and writes it down; the call may leave as soon as this returns.
    ///
    /// First come, first served. May be dropped at any point: a place that was already taken is then given back as if
    /// its call had been made.
    pub async fn permit(&self) -> Result<Permit, QuotaError> {
        let _turn = self.turn.lock().await;
        loop {
            if let Wait::For(duration) = self.books.earliest() {
                // At least a millisecond, tokio's grain, so that this cannot spin.
                tokio::time::sleep(duration.max(Duration::from_millis(1))).await;
                continue;
            }
            let books = Arc::clone(&self.books);
            // The permit is made over there, so that a waiter who goes away leaves no place without an end.
            let reserved = tokio::task::spawn_blocking(move || Books::reserve(&books)).await;
            if let Some(permit) = reserved.map_err(|_| QuotaError::Stopping)?? {
                return Ok(permit);
            }
        }
    }

    /// The boot's clock, as the calls are stamped by.
    pub fn now(&self) -> Monotonic {
        self.books.now(&mut self.books.count())
    }

    /// What every limit still allows right now, for the status.
    pub fn left(&self) -> Vec<(QuotaLimit, u32)> {
        let mut count = self.books.count();
        let now = self.books.now(&mut count);
        count.limits.iter().map(|limit| (*limit, count.places.left(now, limit))).collect()
    }

    /// Makes other limits hold from now on, for a reload; an empty list changes nothing.
    pub fn set_limits(&self, limits: Vec<QuotaLimit>) {
        if !limits.is_empty() {
            self.books.count().limits = limits;
        }
    }

    /// Makes no call for `at_least` that long, and never less than the shortest window: the server has said that it
    /// sees too many, so somebody else spends of the same key.
    pub fn pause(&self, at_least: Duration) {
        let mut count = self.books.count();
        let shortest = count.limits.iter().map(QuotaLimit::hold).min().unwrap_or_default();
        let until = self.books.now(&mut count).plus(shortest.max(at_least));
        count.places.pause(until);
        count.unwritten.push_str(&ledger::paused(until));
        drop(count);
        self.books.write_unwritten();
    }
}

impl Books {
    // A panic elsewhere leaves the counts whole: every change of them is one call. So a poisoned lock is still good.
    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self, count: &mut Count) -> Monotonic {
        count.latest = count.latest.max(Monotonic::since_boot(self.clock.now()));
        count.latest
    }

    fn earliest(&self) -> Wait {
        let mut count = self.count();
        let now = self.now(&mut count);
        count.places.earliest(now, &count.limits)
    }

    /// Takes a place and makes it durable; `None` where another was faster. Blocks on the disk.
    fn reserve(books: &Arc<Self>) -> Result<Option<Permit>, QuotaError> {
        let mut file = books.file.lock().unwrap_or_else(PoisonError::into_inner);
        books.replace_if_wanted(&mut file)?;
        let (id, lines) = {
            let mut count = books.count();
            let now = books.now(&mut count);
            if count.places.earliest(now, &count.limits) != Wait::Now {
                return Ok(None);
            }
            let id = count.places.reserve(now);
            let mut lines = std::mem::take(&mut count.unwritten);
            lines.push_str(&ledger::reserved(id, now));
            (id, lines)
        };
        // Killed here, the call did not leave and is not written down. Killed after the sync, it may have left, and is.
        if let Err(error) = file.append_durably(&lines) {
            // No call leaves, so no place is held. The ends that were lost with it stand in the next replacement.
            books.count().places.forget(id);
            return Err(error);
        }
        Ok(Some(Permit { books: Arc::clone(books), id, answered: false }))
    }

    fn replace_if_wanted(&self, file: &mut LedgerFile) -> Result<(), QuotaError> {
        if !file.wants_replacing() {
            return Ok(());
        }
        let text = {
            let mut count = self.count();
            let now = self.now(&mut count);
            let Count { places, limits, .. } = &mut *count;
            places.prune(now, limits);
            let text = ledger::render(places, &self.boot_id, now);
            // They are part of what was rendered.
            count.unwritten.clear();
            text
        };
        file.replace(&text)
    }

    /// Writes the waiting lines where nobody else is at the file; else whoever is there next takes them along.
    ///
    /// A short write into the page cache, which is why it may happen on an async thread. Should it fail or be lost, a
    /// later start takes the call for ended later than it did.
    fn write_unwritten(&self) {
        let Ok(mut file) = self.file.try_lock() else { return };
        let lines = std::mem::take(&mut self.count().unwritten);
        if !lines.is_empty() {
            // A failure is told at the next permit, which tries to replace the file and says why it cannot.
            let _ = file.append(&lines);
        }
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
    /// A permit that is dropped without this counts as arrived [`STRAGGLER`] later.
    pub fn end(mut self) {
        self.answered = true;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut count = self.books.count();
        let now = self.books.now(&mut count);
        let (end, line) = match self.answered {
            true => (now, ledger::ended(self.id, now)),
            false => (now.plus(STRAGGLER), ledger::lost(self.id, now)),
        };
        count.places.end(self.id, end);
        count.unwritten.push_str(&line);
        drop(count);
        self.books.write_unwritten();
    }
}

#[cfg(test)]
mod tests;
