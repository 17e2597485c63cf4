//! May this whole reading be believed? The guard against a pass that says what a shop's day does not do.
//!
//! A broken answer can be whole: every row without a quantity, every name another one, half of the list. Believed, it
//! would make thousands of messages and forget what is true. So when more than a share of the known rows vanish, lose
//! their quantity, fall to zero, change their name or code, or do something else that a shop's day does to few rows
//! ([`Suspicion`]), the pass is held: nothing of it is kept but a [`Census`], and the next pass is compared with the
//! same snapshot again. That ends in one of four ways: a good pass comes; a person releases it, and the next pass that
//! shows no more than was seen is believed; every pass for [`GuardLimits::accept_after`] shows the same, and it is
//! believed by itself, unless rows or quantities are missing; or a person drops it, which means "I know": it is refused
//! on and on, without notices.
//!
//! Quantities that rise or move and prices that change are not suspected: deliveries, stock counts and price lists look
//! so. The few ways in which they move that no shop makes are found by `pattern`.
//!
//! New sales and credits are told all the same, where they can hardly be anything else (`through`).
//!
//! **Time.** The own clock may be set while a pass is held. So the hour is not measured between two stamps: each pass
//! adds what lies between it and the one before, none if the clock went back, and never more than two of the
//! intervals in which the resource is read. A clock that jumps costs or gives minutes, not the hour.

mod census;
mod pattern;
mod rows;
mod suspicion;
mod tally;

pub use census::{Census, Example};
pub use rows::Guarded;
pub use suspicion::{Counts, Suspicion};
pub use tally::Tally;

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::domain::model::{Resource, Timestamp};

/// How many passes must agree before a change is believed by itself, however long they take; from the contract.
const PASSES_AT_LEAST: u64 = 3;

/// How often the notice of a held pass is repeated; from the contract.
const REPEAT: TimeDelta = TimeDelta::days(1);

/// How far two counts may be apart and still show the same change, in rows or in hundredths, whichever is more: a
/// shop goes on selling while a pass is held.
const APART: u64 = 10;

/// Up to how many rows a list is small. Of one more than this the ten that may change are less than half.
const SMALL: u64 = 20;

/// How many rows of the smallest lists may change: see [`GuardLimits::limit`].
const FEW: u64 = 3;

/// From which size on a change is suspected, and how long it must stand; `[shop.guard]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardLimits {
    /// This share of the known rows may change, in hundredths, 0 to 100.
    pub max_changed_percent: u32,
    /// So many rows may change in any case, but for half of a small list.
    pub min_changed: u64,
    /// So many rows may change in any case, and be they all there are.
    pub few: u64,
    /// For how long every pass must show the same before it is believed by itself.
    pub accept_after: Duration,
}

/// The values of the contract.
impl Default for GuardLimits {
    fn default() -> Self {
        Self { max_changed_percent: 20, min_changed: 10, few: FEW, accept_after: Duration::from_secs(3600) }
    }
}

impl GuardLimits {
    /// The limits for this resource. A handful of bills can be cancelled by one person in a minute, a handful of credits
    /// paid or put off, and there are few of either: of them no half is too much.
    #[must_use]
    pub fn of(self, resource: Resource) -> Self {
        let is_few_by_nature = matches!(resource, Resource::Transactions | Resource::Credit);
        let few = if is_few_by_nature { u64::MAX } else { self.few };
        Self { few, ..self }
    }

    /// So many of these known rows may change; one more is too many.
    ///
    /// In a shop of eight products the ten that may change in any case are more than there are, and a broken answer
    /// could say anything. So less than half of a small list may change, and three rows in any case: that two or three
    /// of eight products sell out between two readings is an ordinary day, and that four do is worth a look.
    pub fn limit(&self, known: u64) -> u64 {
        if known > SMALL {
            return self.many(known);
        }
        let below_half = known.saturating_sub(1) / 2;
        self.share(known).max(self.min_changed.min(below_half.max(self.few)))
    }

    /// From more rows than this on, what is told of a reading is told in one message.
    fn many(&self, known: u64) -> u64 {
        self.share(known).max(self.min_changed)
    }

    fn share(&self, known: u64) -> u64 {
        let share = u128::from(known) * u128::from(self.max_changed_percent) / 100;
        u64::try_from(share).unwrap_or(u64::MAX)
    }
}

/// What is to become of a held pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A good pass, a person or time must say.
    Waiting,
    /// A person believes it: the next whole pass that shows no more than this is accepted.
    Released,
    /// A person knows that it is wrong: it is refused as long as it lasts, and no more is said about it.
    Dropped,
}

/// What a person says about a held pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is right.
    Release,
    /// It is wrong; be quiet about it.
    Drop,
}

/// A pass that was not accepted, and those after it that were not either.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// When the first of them was read; since then nothing of the resource was accepted.
    pub since: Timestamp,
    /// When the latest one was read.
    pub last_seen: Timestamp,
    /// How many of the latest ones show the same change.
    pub passes: u64,
    /// For how long they have, in milliseconds.
    pub seen_for_ms: u64,
    /// What the first of these showed: what the others must agree with.
    pub first: Counts,
    /// What the latest one shows.
    pub census: Census,
    /// What is to become of it.
    pub standing: Standing,
    /// When it was last told.
    pub noticed_at: Timestamp,
    /// How many new rows were told through it. They are known since then, and must not let more of the others change.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub through: u64,
}

fn is_zero(rows: &u64) -> bool {
    *rows == 0
}

impl Held {
    /// The same pass after a person has spoken.
    #[must_use]
    pub fn after(self, decision: Decision) -> Held {
        let standing = match decision {
            Decision::Release => Standing::Released,
            Decision::Drop => Standing::Dropped,
        };
        Held { standing, ..self }
    }

    /// Whether it is believed by itself if it stands: too much of it is not missing.
    pub fn may_be_accepted(&self, limits: &GuardLimits) -> bool {
        missing(&self.census.counts) <= limits.many(self.census.known.saturating_sub(self.through))
    }

    fn begin(census: Census, now: Timestamp) -> Held {
        let first = census.counts;
        let standing = Standing::Waiting;
        let noticed_at = now;
        Held { since: now, last_seen: now, passes: 1, seen_for_ms: 0, first, census, standing, noticed_at, through: 0 }
    }

    /// Another pass than the one that a person has spoken about, since which nothing was accepted.
    fn begin_anew(self, now: Timestamp) -> Held {
        Held { since: self.since, through: self.through, ..Held::begin(self.census, now) }
    }

    /// One more pass that is held.
    fn follow(&self, census: Census, limit: u64, now: Timestamp, every: Duration) -> Held {
        let mut next = Held {
            since: self.since.min(now),
            last_seen: now,
            passes: self.passes.saturating_add(1),
            census,
            // A stamp from the future would keep the next notice away until then.
            noticed_at: self.noticed_at.min(now),
            ..self.clone()
        };
        if same(&self.first, &next.census.counts, limit) {
            let gap = (now - self.last_seen).to_std().unwrap_or_default().min(every.saturating_mul(2));
            next.seen_for_ms = self.seen_for_ms.saturating_add(u64::try_from(gap.as_millis()).unwrap_or(u64::MAX));
        } else {
            (next.first, next.passes, next.seen_for_ms) = (next.census.counts, 1, 0);
        }
        next
    }

    fn has_stood(&self, limits: &GuardLimits) -> bool {
        self.passes >= PASSES_AT_LEAST && u128::from(self.seen_for_ms) >= limits.accept_after.as_millis()
    }
}

/// What the guard remembers of one resource of one shop.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GuardRecord {
    /// How many notices there have been since the data directory was made: part of the next one's id, so it outlives
    /// the pass that was held.
    pub notices: u64,
    /// What has been believed and is shown again by each pass, because the snapshot keeps what one answer leaves out:
    /// rows that stay away, quantities and codes that stay unknown. They are not suspected again.
    pub settled: Counts,
    /// The pass that is held.
    pub held: Option<Held>,
}

impl GuardRecord {
    /// Takes note of so many new rows that are told through the held pass.
    pub fn tell_through(&mut self, rows: u64) {
        if let Some(held) = &mut self.held {
            held.through = held.through.saturating_add(rows);
        }
    }
}

/// What is to be done with a whole reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is accepted.
    Believe {
        /// So much has changed that it is told in one message: more rows than the guard lets pass, be it a released
        /// change or a price list.
        summary: bool,
        /// A held pass ends with it.
        clears: bool,
        /// What to remember, if that is anything else than before: to be committed with the last piece of the pass.
        record: Option<GuardRecord>,
    },
    /// It is not accepted: the snapshot and the cursor stay.
    Hold {
        /// What to remember; to be committed with the notice, if there is one. `held` is always there.
        record: GuardRecord,
        /// The counter of the `pass.held` that is to be told, if one is.
        notice: Option<u64>,
    },
}

/// Judges a whole reading, of a resource that is read `every` so often.
///
/// Zero known rows are a baseline and never hold.
pub fn judge(census: Census, limits: &GuardLimits, before: &GuardRecord, now: Timestamp, every: Duration) -> Verdict {
    let through = before.held.as_ref().map_or(0, |held| held.through);
    let known = census.known.saturating_sub(through);
    let (limit, many) = (limits.limit(known), limits.many(known));
    let counts = census.counts;
    let news = counts.beyond(&before.settled);
    // Rows that are only shown again say nothing.
    let changed = census.changed.saturating_sub(counts.suspicious - news.suspicious).max(census.told);
    let believe = |summary: bool| {
        // What is believed is settled, so that ten rows a month do not add up to too many. A quantity that was believed
        // to be gone may come back and be lost again: that is news then.
        let record = GuardRecord { settled: counts.shown_again(), held: None, ..before.clone() };
        let record = Some(record).filter(|record| record != before);
        Verdict::Believe { summary, clears: before.held.is_some(), record }
    };
    if census.known == 0 || news.suspicious <= limit {
        return believe(census.known > 0 && changed > many);
    }
    let hold = |held: Held, told: bool| {
        let noticed_at = if told { now } else { held.noticed_at };
        let notices = before.notices.saturating_add(u64::from(told));
        let record = GuardRecord { notices, settled: before.settled, held: Some(Held { noticed_at, ..held }) };
        Verdict::Hold { record, notice: told.then_some(notices) }
    };
    let Some(prev) = &before.held else { return hold(Held::begin(census, now), true) };
    let next = prev.follow(census, limit, now, every);
    match prev.standing {
        Standing::Released if !worse(&prev.census.counts, &counts, limit) => believe(true),
        // Not what the person saw and released, or another change than the one that was to be refused in silence.
        Standing::Released => hold(next.begin_anew(now), true),
        Standing::Dropped if next.passes == 1 => hold(next.begin_anew(now), true),
        Standing::Dropped => hold(next, false),
        Standing::Waiting if next.has_stood(limits) && missing(&news) <= many => believe(true),
        Standing::Waiting => {
            let due = now - next.noticed_at >= REPEAT;
            hold(next, due)
        }
    }
}

/// What is never believed by itself.
fn missing(news: &Counts) -> u64 {
    let kept_back = Suspicion::ALL.into_iter().filter(|suspicion| !suspicion.may_be_accepted());
    kept_back.map(|suspicion| news.of(suspicion)).sum()
}

/// Whether both show the same change.
fn same(first: &Counts, next: &Counts, limit: u64) -> bool {
    weighty(first, next, limit).into_iter().all(|(a, b)| a.abs_diff(b) <= apart(a, limit))
}

/// Whether `next` shows more than was released.
fn worse(released: &Counts, next: &Counts, limit: u64) -> bool {
    weighty(released, next, limit).into_iter().any(|(a, b)| b > a.saturating_add(apart(a, limit)))
}

/// The counts by which two changes are compared: those over the limit in either, or the whole where only the sum of
/// several is over it. What is below it is a shop that goes on selling, and would be believed alone.
fn weighty(a: &Counts, b: &Counts, limit: u64) -> Vec<(u64, u64)> {
    let pairs = Suspicion::ALL.into_iter().map(|suspicion| (a.of(suspicion), b.of(suspicion)));
    let over: Vec<(u64, u64)> = pairs.filter(|(a, b)| a.max(b) > &limit).collect();
    if over.is_empty() { vec![(a.suspicious, b.suspicious)] } else { over }
}

/// How far a count may be from this one; in a small list no further than what is let pass.
fn apart(count: u64, limit: u64) -> u64 {
    (count / (100 / APART)).max(APART.min(limit))
}

#[cfg(test)]
mod tests;
