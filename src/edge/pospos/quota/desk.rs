//! Who goes next, in which place, and what must be written first?
//!
//! All that a governor knows, without its clock, its disk and its waiting: so the simulation plays the very code that
//! runs. Each method is one step that is whole when it returns.

use std::ops::Range;
use std::time::Duration;

use super::queue::{Queue, Ticket, Urgency};
use super::seal::Seal;
use super::slow::Slowed;
use super::{Monotonic, PlaceId, Places, QuotaLimit, STRAGGLER, Wait, ledger};

/// What a waiter that looks is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// It has a place, is out of the queue, and may go.
    Go(PlaceId),
    /// It is to write the next group: [`Desk::group`], the disk, [`Desk::written`].
    Write,
    /// It is its turn, but not before that long. It is woken if its turn passes to nobody else and places come free.
    Sleep(Duration),
    /// Others go first. It is woken when it is its turn.
    Stand,
}

/// The places, the limits, and those who wait.
#[derive(Debug)]
pub(super) struct Desk<W> {
    places: Places,
    limits: Vec<QuotaLimit>,
    queue: Queue<W>,
    /// Lines that wait for the file.
    unwritten: String,
    /// Somebody writes a group; nobody else starts another.
    writing: bool,
    /// The latest moment seen, should the clock ever go back.
    latest: Monotonic,
}

impl<W> Desk<W> {
    /// Begins `now` with the places that a ledger left.
    pub fn new(mut places: Places, limits: Vec<QuotaLimit>, now: Monotonic) -> Self {
        places.prune(now, &limits);
        Self { places, limits, queue: Queue::default(), unwritten: String::new(), writing: false, latest: now }
    }

    /// The moment to count with, where the clock shows `now`.
    pub fn moment(&mut self, now: Monotonic) -> Monotonic {
        self.latest = self.latest.max(now);
        self.latest
    }

    /// Puts a waiter into the queue. It must look next.
    pub fn join(&mut self, urgency: Urgency, waiter: W) -> Ticket {
        self.queue.join(urgency, waiter)
    }

    /// Takes a waiter out that gave up; false where it had gone already. If true, [`Desk::next`] is to be woken.
    pub fn leave(&mut self, ticket: Ticket) -> bool {
        self.queue.leave(ticket)
    }

    /// Whose turn it is: who is to be woken after anything that may have changed that.
    pub fn next(&self) -> Option<&W> {
        self.queue.turn().map(|(_, waiter)| waiter)
    }

    /// What the waiter with this ticket does now.
    ///
    /// A spare place is taken only if the limits of this very moment allow one call more: whatever was thought when
    /// the group was written, a call is counted when it is let go.
    pub fn look(&mut self, ticket: Ticket, now: Monotonic) -> Look {
        let Some(turn) = self.queue.turn().map(|(turn, _)| turn).filter(|turn| turn.ticket == ticket) else {
            return Look::Stand;
        };
        if let Wait::For(duration) = self.places.earliest(now, &self.limits, turn.share) {
            return Look::Sleep(duration);
        }
        match self.places.take(now) {
            Some(id) => {
                self.queue.served(ticket);
                Look::Go(id)
            }
            None if self.writing => Look::Stand,
            None => {
                self.writing = true;
                Look::Write
            }
        }
    }

    /// The next group and its line, with all lines that wait; `None` where nothing is free any more.
    ///
    /// The places are nobody's before [`Desk::written`]; where the line is lost they never existed.
    pub fn group(&mut self, now: Monotonic) -> Option<(Range<u64>, String)> {
        let count = self.places.group(now, &self.limits);
        if count == 0 {
            return None;
        }
        let ids = self.places.number(count);
        let mut lines = self.take_unwritten();
        lines.push_str(&ledger::reserved(&ids, now));
        Some((ids, lines))
    }

    /// The group is on the disk.
    pub fn written(&mut self, ids: Range<u64>, now: Monotonic) {
        self.places.add_spare(ids, now);
    }

    /// Nobody writes a group any more, whether it was written or not; [`Desk::next`] is to be woken.
    pub fn writing_ended(&mut self) {
        self.writing = false;
    }

    /// A call has ended.
    pub fn end(&mut self, id: PlaceId, now: Monotonic, answered: bool) {
        let (end, line) = match answered {
            true => (now, ledger::ended(id, now)),
            false => (now.plus(STRAGGLER), ledger::lost(id, now)),
        };
        self.places.end(id, end);
        self.unwritten.push_str(&line);
    }

    /// The server sees too many calls: silence for that long or the shortest window, and less than before for a while.
    pub fn too_many(&mut self, now: Monotonic, silence: Duration) {
        self.places.slow_down(now, &self.limits);
        let shortest = self.limits.iter().map(QuotaLimit::hold).min().unwrap_or_default();
        let until = now.plus(shortest.max(silence));
        self.places.pause(until);
        self.unwritten.push_str(&ledger::paused(until));
        self.unwritten.extend(self.places.slow_at(now).map(ledger::slowed));
    }

    /// Other limits hold from now on; [`Desk::next`] is to be woken. An empty list changes nothing.
    pub fn set_limits(&mut self, limits: Vec<QuotaLimit>) {
        if !limits.is_empty() {
            self.limits = limits;
        }
    }

    /// No call will be made any more: what is spare is the next run's.
    pub fn give_back(&mut self) {
        let ids = self.places.give_back();
        if !ids.is_empty() {
            self.unwritten.push_str(&ledger::given_back(&ids));
        }
    }

    /// The limits in force, with what each allows right now.
    pub fn left(&self, now: Monotonic) -> Vec<(QuotaLimit, u32)> {
        let left = |limit| (self.places.in_force(now, limit), self.places.left(now, limit));
        self.limits.iter().map(left).collect()
    }

    /// Whether less than the configured limits is used, and how long still.
    pub fn slowed(&self, now: Monotonic) -> Option<Slowed> {
        let slow = self.places.slow_at(now)?;
        Some(Slowed { divisor: slow.divisor, remaining: now.until(slow.until) })
    }

    /// The whole ledger as a fresh text, not sealed yet, where the mark says `after`; the lines that wait are part of it.
    pub fn render(&mut self, boot_id: &str, now: Monotonic, after: Seal) -> String {
        self.places.prune(now, &self.limits);
        self.unwritten.clear();
        ledger::render(&self.places, boot_id, now, after)
    }

    /// The lines that wait for the file; from now on they are the caller's to write.
    pub fn take_unwritten(&mut self) -> String {
        std::mem::take(&mut self.unwritten)
    }
}
