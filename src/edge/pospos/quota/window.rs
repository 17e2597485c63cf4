//! Which places of the quota are held now, and when is the next one free?
//!
//! Pure arithmetic on stamps that are handed in: no clock, no file. The argument for its being enough stands in the
//! parent module; here is only the bookkeeping. It counts ended calls by their end, so that what one reservation
//! costs follows the allowance and not the length of the past.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::QuotaLimit;
use super::slow::Slow;

/// How much later than its end a call without an answer is taken to have arrived.
///
/// After the socket of an unanswered call is closed, or its process killed, the kernel goes on sending what was
/// written. The client bounds that to ten seconds (`TCP_USER_TIMEOUT`); five more are for the way.
pub const STRAGGLER: Duration = Duration::from_secs(15);

/// How long calls are remembered at the least, so that a longer window written into the configuration tomorrow is
/// filled with what really was called. An hour is the longest window in POSPOS's own papers.
const REMEMBER: Duration = Duration::from_secs(60 * 60 + 4);

/// Calls older than every window in force are remembered to this grain: an hour is then at most 361 entries, whatever
/// the allowance. Rounded to the later end, so that no place is freed early.
const GRAIN: i64 = 10_000_000_000;

/// A moment on the boot's clock, in nanoseconds; negative where it lies before the boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Monotonic(i64);

impl Monotonic {
    /// The moment that long after the boot.
    pub fn since_boot(uptime: Duration) -> Self {
        Self(nanos(uptime))
    }

    /// The moment of that many nanoseconds after the boot.
    pub fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds after the boot.
    pub fn nanos(self) -> i64 {
        self.0
    }

    /// That much later.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }

    /// That much earlier.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(duration)))
    }

    /// Moved by so many nanoseconds.
    pub fn shifted(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// How long until `later`; nothing where that is past.
    pub fn until(self, later: Monotonic) -> Duration {
        Duration::from_nanos(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or_default())
    }
}

/// In nanoseconds; 292 years are as good as for ever.
fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// One call's place in the quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlaceId(pub(super) u64);

/// When a call may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// At once.
    Now,
    /// Not before that long; ask again then, for calls under way may have ended later than was thought.
    For(Duration),
}

/// How much of each allowance a caller may fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// All of it.
    Whole,
    /// All but [`QuotaLimit::headroom`].
    ButHeadroom,
}

/// Below this allowance places are reserved one by one: there are so few calls that the disk does not matter, and a
/// crash should cost as few of them as can be.
const SINGLY_BELOW: u32 = 50;

/// From there on, so many reservations fill an allowance: 12 places each at 300 calls. A crash costs one of them.
const GROUPS: u32 = 25;

/// Places that stand in the ledger and that no call has yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spare {
    pub ids: Range<u64>,
    /// When they were reserved.
    pub at: Monotonic,
}

/// The calls that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Calls under way, with when they were let go.
    pub(super) open: BTreeMap<PlaceId, Monotonic>,
    /// Places that can be taken without the disk.
    pub(super) spare: Spare,
    /// How many calls ended when.
    pub(super) ended: BTreeMap<Monotonic, u32>,
    /// Every call that ended after this moment is in here; of earlier ones nothing is known.
    pub(super) since: Monotonic,
    /// Up to this moment anything may have been called: the ledger was damaged.
    pub(super) lost: Option<Monotonic>,
    /// No call before this moment, because the server said so.
    pub(super) paused: Monotonic,
    /// Only a part of every allowance, because the server said so.
    pub(super) slow: Option<Slow>,
    /// The next place's number.
    pub(super) next: u64,
}

impl Places {
    /// No calls, and nothing known about what was before `since`.
    pub fn unknown_before(since: Monotonic) -> Self {
        let (open, ended) = (BTreeMap::new(), BTreeMap::new());
        let spare = Spare { ids: 0..0, at: since };
        let paused = Monotonic::from_nanos(i64::MIN);
        Self { open, spare, ended, since, lost: None, paused, slow: None, next: 0 }
    }

    /// No calls, and every allowance may have been used up until that moment.
    pub fn lost_before(lost: Monotonic) -> Self {
        Self { lost: Some(lost), ..Self::unknown_before(lost) }
    }

    /// When a call may be let go so that every one of `limits` holds and its `share` is kept.
    pub fn earliest(&self, now: Monotonic, limits: &[QuotaLimit], share: Share) -> Wait {
        let free = limits.iter().map(|limit| self.free_at(now, limit, share)).fold(now, Monotonic::max);
        // A caution that ends makes places free by itself.
        let free = self.slow_at(now).map_or(free, |slow| free.min(slow.until)).max(self.paused);
        if free <= now { Wait::Now } else { Wait::For(now.until(free)) }
    }

    /// The limit as it holds now: less than as it was configured while the server's 429 is obeyed.
    pub fn in_force(&self, now: Monotonic, limit: &QuotaLimit) -> QuotaLimit {
        self.slow_at(now).map_or(*limit, |slow| limit.divided(slow.divisor))
    }

    /// How many calls `limit` still allows right now, spare places included.
    pub fn left(&self, now: Monotonic, limit: &QuotaLimit) -> u32 {
        if self.paused > now {
            return 0;
        }
        let left = u64::from(self.in_force(now, limit).calls).saturating_sub(self.used(now, limit));
        u32::try_from(left).expect("is at most `calls`")
    }

    /// How many places the next reservation should have: one, or more where calls are many, and never more than are
    /// free.
    pub fn group(&self, now: Monotonic, limits: &[QuotaLimit]) -> u32 {
        let tightest = limits.iter().map(|limit| self.in_force(now, limit).calls).min().unwrap_or_default();
        let wanted = if tightest < SINGLY_BELOW { 1 } else { tightest / GROUPS };
        limits.iter().map(|limit| self.left(now, limit)).fold(wanted, u32::min)
    }

    /// Numbers for places that are about to be written down. They are nobody's until [`Places::add_spare`].
    pub(super) fn number(&mut self, count: u32) -> Range<u64> {
        let first = self.next;
        self.next += u64::from(count);
        first..self.next
    }

    /// The places are on the disk since `at` and may be taken. Only where none is spare.
    pub(super) fn add_spare(&mut self, ids: Range<u64>, at: Monotonic) {
        debug_assert!(self.spare.ids.is_empty(), "a group is written when the last one is used up");
        self.spare = Spare { ids, at };
    }

    /// Lets a call go in a spare place; `None` where there is none. Only right after [`Places::earliest`] said
    /// [`Wait::Now`] for the same moment.
    pub fn take(&mut self, now: Monotonic) -> Option<PlaceId> {
        let id = self.spare.ids.next().map(PlaceId)?;
        self.open.insert(id, now);
        Some(id)
    }

    /// Gives the spare places back: no call will be made in them.
    pub(super) fn give_back(&mut self) -> Range<u64> {
        std::mem::replace(&mut self.spare.ids, 0..0)
    }

    /// The call has ended: its place is free one window after `end`. An id that is not under way is ignored.
    pub fn end(&mut self, id: PlaceId, end: Monotonic) {
        if self.open.remove(&id).is_some() {
            self.add_ended(end, 1);
        }
    }

    /// Counts `count` calls that ended at `end`.
    pub(super) fn add_ended(&mut self, end: Monotonic, count: u32) {
        let known = self.ended.entry(end).or_default();
        *known = known.saturating_add(count);
    }

    /// No call before `until`.
    pub fn pause(&mut self, until: Monotonic) {
        self.paused = self.paused.max(until);
    }

    /// The server sees too many calls at `now`: uses half of what was used until now, for a while.
    ///
    /// During a silence nothing leaves, so a 429 that comes then answers a call of the same burst and halves nothing.
    pub fn slow_down(&mut self, now: Monotonic, limits: &[QuotaLimit]) {
        self.slow = Some(Slow::after(self.slow, self.paused <= now, now, limits));
    }

    /// The caution that holds at `now`.
    pub(super) fn slow_at(&self, now: Monotonic) -> Option<Slow> {
        self.slow.filter(|slow| slow.until > now)
    }

    /// Drops and merges what no window of `limits` needs exactly. Never frees a place early.
    pub fn prune(&mut self, now: Monotonic, limits: &[QuotaLimit]) {
        let exact = limits.iter().map(QuotaLimit::hold).max().unwrap_or_default();
        let forgotten = now.minus(exact.max(REMEMBER));
        let recent = self.ended.split_off(&now.minus(exact));
        let old = std::mem::replace(&mut self.ended, recent);
        let mut merged: Option<(Monotonic, u32)> = None;
        for (end, count) in old.into_iter().filter(|&(end, _)| end >= forgotten) {
            merged = Some(match merged {
                Some((last, sum)) if last.0.div_euclid(GRAIN) == end.0.div_euclid(GRAIN) => {
                    (end, sum.saturating_add(count))
                }
                Some((last, sum)) => {
                    self.add_ended(last, sum);
                    (end, count)
                }
                None => (end, count),
            });
        }
        if let Some((last, sum)) = merged {
            self.add_ended(last, sum);
        }
        self.since = self.since.max(forgotten);
        self.lost = self.lost.filter(|&lost| lost >= forgotten);
    }

    /// The calls that hold a place of `limit` now: by their end, how many. Calls under way end now at the earliest.
    fn held(&self, now: Monotonic, limit: &QuotaLimit) -> Vec<(Monotonic, u32)> {
        // A call that ended exactly one window ago still counts: the server's window may have both ends in it.
        let oldest = now.minus(limit.hold());
        let mut held: Vec<_> = self.ended.range(oldest..).map(|(&end, &count)| (end, count)).collect();
        if !self.open.is_empty() {
            held.push((now, u32::try_from(self.open.len()).unwrap_or(u32::MAX)));
        }
        if self.since >= oldest {
            held.push((self.since, limit.assumed()));
        }
        held.extend(self.lost.filter(|&lost| lost >= oldest).map(|lost| (lost, limit.calls)));
        held
    }

    /// How many calls hold a place of `limit` now.
    fn used(&self, now: Monotonic, limit: &QuotaLimit) -> u64 {
        let oldest = now.minus(limit.hold());
        let ended: u64 = self.ended.range(oldest..).map(|(_, &count)| u64::from(count)).sum();
        let assumed = if self.since >= oldest { u64::from(limit.assumed()) } else { 0 };
        let lost = self.lost.filter(|&lost| lost >= oldest).map_or(0, |_| u64::from(limit.calls));
        ended + assumed + lost + self.open.len() as u64
    }

    /// When `limit` has a place for that share, at the earliest.
    fn free_at(&self, now: Monotonic, limit: &QuotaLimit, share: Share) -> Monotonic {
        let in_force = self.in_force(now, limit);
        let allowed = match share {
            Share::Whole => in_force.calls,
            Share::ButHeadroom => in_force.calls - in_force.headroom(),
        };
        let Some(mut surplus) = self.used(now, limit).checked_sub(u64::from(allowed)) else { return now };
        let mut held = self.held(now, limit);
        held.sort_unstable();
        for (end, count) in held {
            match surplus.checked_sub(u64::from(count)) {
                Some(rest) => surplus = rest,
                None => return end.plus(limit.hold()).shifted(1),
            }
        }
        now.plus(limit.hold()).shifted(1)
    }
}
