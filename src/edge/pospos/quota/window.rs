//! Which places of the quota are held now, and when is the next one free?
//!
//! Pure arithmetic on stamps that are handed in: no clock, no file. The argument for its being enough stands in the
//! parent module; here is only the bookkeeping. It counts ended calls by their end, so that what one reservation
//! costs follows the allowance and not the length of the past.

use std::collections::BTreeMap;
use std::time::Duration;

use super::QuotaLimit;

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

/// The calls that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Calls under way, with when they were let go.
    pub(super) open: BTreeMap<PlaceId, Monotonic>,
    /// How many calls ended when.
    pub(super) ended: BTreeMap<Monotonic, u32>,
    /// Every call that ended after this moment is in here; of earlier ones nothing is known.
    pub(super) since: Monotonic,
    /// No call before this moment, because the server said so.
    pub(super) paused: Monotonic,
    /// The next place's number.
    pub(super) next: u64,
}

impl Places {
    /// No calls, and nothing known about what was before `since`.
    pub fn unknown_before(since: Monotonic) -> Self {
        let (open, ended) = (BTreeMap::new(), BTreeMap::new());
        Self { open, ended, since, paused: Monotonic::from_nanos(i64::MIN), next: 0 }
    }

    /// When a call may leave so that every one of `limits` holds.
    pub fn earliest(&self, now: Monotonic, limits: &[QuotaLimit]) -> Wait {
        let free = limits.iter().map(|limit| self.free_at(now, limit)).fold(self.paused, Monotonic::max);
        if free <= now { Wait::Now } else { Wait::For(now.until(free)) }
    }

    /// How many calls `limit` still allows right now.
    pub fn left(&self, now: Monotonic, limit: &QuotaLimit) -> u32 {
        if self.paused > now {
            return 0;
        }
        let held = self.held(now, limit).iter().map(|&(_, count)| u64::from(count)).sum();
        u32::try_from(u64::from(limit.calls).saturating_sub(held)).expect("is at most `calls`")
    }

    /// Takes a place from now on. Only right after [`Places::earliest`] said [`Wait::Now`] for the same moment.
    pub fn reserve(&mut self, now: Monotonic) -> PlaceId {
        let id = PlaceId(self.next);
        self.next += 1;
        self.open.insert(id, now);
        id
    }

    /// Gives a place back whose call never left.
    pub fn forget(&mut self, id: PlaceId) {
        self.open.remove(&id);
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
        held
    }

    /// When `limit` has a place, at the earliest.
    fn free_at(&self, now: Monotonic, limit: &QuotaLimit) -> Monotonic {
        let mut held = self.held(now, limit);
        let count: u64 = held.iter().map(|&(_, count)| u64::from(count)).sum();
        let Some(mut surplus) = count.checked_sub(u64::from(limit.calls)) else { return now };
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
