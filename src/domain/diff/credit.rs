//! Credits: new ones, changed ones, overdue ones and how long they have been so, paid ones.
//!
//! What was asked for is the truth: a row that came back for "out of its period and pending" is overdue. A known
//! credit that two whole passes in a row do not have is looked for among the paid ones. If it is not there either, its
//! status is unknown from then on, which is told; that it was paid is never guessed.

mod census;

pub use census::{census, check_periods};

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::guard::GuardLimits;
use super::{Change, Known, Seen, Unbelievable, check_readable};
use crate::domain::event::{Event, Scribe};
use crate::domain::model::{Credit, CreditStatus, EntityId, Whole};

/// What is kept of a credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditRow {
    /// The credit as it was last read.
    pub credit: Credit,
    /// How many counted events it has had; part of the next one's id.
    pub counter: u64,
    /// `credit.overdue` was told, or was so at the baseline. It can be told only once.
    pub overdue_told: bool,
    /// The highest bucket of days overdue that was told, or had passed before it was first seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aged: Option<i64>,
    /// It was read by other fields than today's and not seen since: the next reading is taken without a word.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_otherwise: bool,
    /// The fields that the latest pass left out and that still stand as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// In how many passes in a row it was found nowhere: neither pending nor, where that was looked for, paid.
    pub missed: u32,
}

/// After how many days overdue a credit is told again.
pub const BUCKETS: &[i64] = &[7, 30, 60];

/// In which passes a credit that is found nowhere is looked for among the paid ones at first: not in the first one
/// without it, since a row can slip between two pages, and then until it had time to be listed there.
const LOOKED_FOR_AT_FIRST: std::ops::RangeInclusive<u32> = 1..=3;
/// Then after so many passes, six hours at the standard interval, after twice as many, and so on. The paid list may be
/// long, and each of its pages is a call; a credit whose sale was cancelled may never stand in it.
const LOOKED_FOR_RARELY: u32 = 36;

/// In how many whole readings in a row a credit may be found nowhere and an empty list still be disbelieved for it:
/// six hours at the standard interval. An API that is wrong for longer than that tells nothing false by it, since a
/// lost credit makes no event.
const EXPECTED_FOR: u32 = 36;

impl CreditRow {
    fn is_worth_a_look(&self) -> bool {
        let rarely =
            self.missed.is_multiple_of(LOOKED_FOR_RARELY) && (self.missed / LOOKED_FOR_RARELY).is_power_of_two();
        LOOKED_FOR_AT_FIRST.contains(&self.missed) || rarely
    }

    /// Whether it should be in one of the two pending lists.
    fn is_owed(&self) -> bool {
        self.credit.status == Some(CreditStatus::Pending)
    }

    fn first(credit: Credit, counter: u64, buckets: &[i64]) -> CreditRow {
        let (overdue_told, aged) = (credit.overdue, bucket(&credit, buckets));
        CreditRow { credit, counter, overdue_told, aged, read_otherwise: false, left_out: Vec::new(), missed: 0 }
    }
}

/// The highest bucket that an overdue credit has reached.
fn bucket(credit: &Credit, buckets: &[i64]) -> Option<i64> {
    let days = credit.days_overdue.filter(|_| credit.overdue)?;
    buckets.iter().copied().filter(|bucket| *bucket <= days).max()
}

/// The two pending lists, both whole.
#[derive(Debug, Clone)]
pub struct PendingCredits {
    rows: BTreeMap<EntityId, Credit>,
    /// How many came in both lists.
    both: usize,
    /// Those that came and could not be understood.
    garbled: BTreeSet<EntityId>,
    /// How many came that may be any.
    nameless: usize,
}

impl PendingCredits {
    /// Joins the lists. The list within the period must have been read *first*: a credit that falls due between the
    /// two readings is then in both, and the later reading wins; the other way round it would be in neither.
    pub fn join(in_period_read_first: Whole<Credit>, out_of_period: Whole<Credit>) -> PendingCredits {
        let lists = [&in_period_read_first, &out_of_period];
        let nameless = lists.iter().map(|list| list.nameless()).sum();
        let garbled: BTreeSet<EntityId> = lists.iter().flat_map(|list| list.garbled()).cloned().collect();
        let all = in_period_read_first.into_rows().into_iter().chain(out_of_period.into_rows());
        let (mut rows, mut both) = (BTreeMap::new(), 0);
        for credit in all {
            both += usize::from(rows.insert(credit.id.clone(), credit).is_some());
        }
        PendingCredits { rows, both, garbled, nameless }
    }

    /// The known credits that are in neither list, not for the first time, and are to be looked for among the paid ones
    /// now. Their list need only be read until all of these are found. Of more than the guard lets pass, all are looked
    /// for at once: they may have been paid.
    pub fn wanted(&self, known: &Known<CreditRow>, limits: &GuardLimits) -> BTreeSet<EntityId> {
        let owed = known.rows().filter(|row| row.is_owed()).count() as u64;
        let many = self.missing(known).filter(|row| row.is_owed()).count() as u64 > limits.limit(owed);
        let wanted = self.missing(known).filter(|row| row.is_worth_a_look() || many && row.is_owed());
        wanted.map(|row| row.credit.id.clone()).collect()
    }

    /// How many rows came that could not be understood.
    pub fn unreadable(&self) -> usize {
        self.garbled.len() + self.nameless
    }

    fn has(&self, id: &EntityId) -> bool {
        self.rows.contains_key(id) || self.garbled.contains(id)
    }

    /// The known credits that came in neither list. Where rows came that may be any, nothing is missing for sure.
    fn missing<'a>(&'a self, known: &'a Known<CreditRow>) -> impl Iterator<Item = &'a CreditRow> {
        let unpaid = known.rows().filter(|row| row.credit.status != Some(CreditStatus::Paid));
        unpaid.filter(|row| self.nameless == 0 && !self.has(&row.credit.id))
    }

    /// Whether two such lists can be of the shop that is known. A credit that was found nowhere again and again is not
    /// expected in a list any more: one whose sale was cancelled must not keep its shop's empty list from ever being
    /// believed. But time makes no other shop's list one's own.
    fn check(&self, known: &Known<CreditRow>, paid: &BTreeMap<EntityId, Credit>) -> Result<(), Unbelievable> {
        check_readable(self.rows.len(), self.unreadable())?;
        let owed = known.rows().filter(|row| row.is_owed());
        let (mut expected, mut seen, mut lost) = (0, 0, 0);
        for row in owed {
            let found = self.has(&row.credit.id) || paid.contains_key(&row.credit.id);
            expected += 1;
            seen += usize::from(found);
            lost += usize::from(!found && row.missed < EXPECTED_FOR);
        }
        let read = self.rows.len() + self.unreadable();
        if read == 0 && lost > 0 {
            return Err(Unbelievable::Empty { known: lost });
        }
        Seen { known: expected, known_seen: seen, read }.check_shop()
    }
}

/// Compares the pending credits, and the missing ones that were found among the paid, with what is known. `paid` is what
/// was found of [`PendingCredits::wanted`].
pub fn compare(
    known: &Known<CreditRow>,
    pending: PendingCredits,
    mut paid: BTreeMap<EntityId, Credit>,
    buckets: &[i64],
    scribe: &Scribe,
) -> Result<Vec<Change<CreditRow>>, Unbelievable> {
    let rows = match known {
        Known::Nothing => {
            let first = |credit| written(CreditRow::first(credit, 0, buckets), Vec::new());
            return Ok(pending.rows.into_values().map(first).collect());
        }
        Known::Rows { rows, .. } => rows,
    };
    pending.check(known, &paid)?;
    let mut changes: Vec<Change<CreditRow>> = Vec::new();
    for prev in pending.missing(known) {
        changes.push(match paid.remove(&prev.credit.id) {
            Some(credit) => found_paid(prev, credit, scribe),
            None => found_nowhere(prev, scribe),
        });
    }
    for (id, credit) in pending.rows {
        changes.extend(match rows.get(&id) {
            None => Some(new(credit, buckets, scribe)),
            Some(prev) => still_pending(prev, credit, buckets, scribe),
        });
    }
    Ok(changes)
}

/// What is noted of a reading that was not believed because it was empty: which credits were found nowhere in it.
pub fn misses(
    known: &Known<CreditRow>,
    pending: &PendingCredits,
    paid: &BTreeMap<EntityId, Credit>,
) -> Vec<Change<CreditRow>> {
    pending.missing(known).filter(|row| !paid.contains_key(&row.credit.id)).map(missed_again).collect()
}

/// Takes the pending credits without a word, because their fields are read from other places than before. The
/// counters go on, so that no later event gets an old id. A credit that is not known is taken so too: the sale that it
/// came from is told.
pub fn take_quietly(known: &Known<CreditRow>, pending: PendingCredits, buckets: &[i64]) -> Vec<Change<CreditRow>> {
    let away = pending.missing(known).filter(|row| !row.read_otherwise);
    let away = away.map(|row| written(CreditRow { read_otherwise: true, ..row.clone() }, Vec::new()));
    let mut changes: Vec<Change<CreditRow>> = away.collect();
    changes.extend(pending.rows.into_values().map(|credit| {
        let prev = known.row(&credit.id);
        written(retaken(prev, credit, buckets), Vec::new())
    }));
    changes
}

/// A credit as it is now, of which nothing is told but what was told before.
fn retaken(prev: Option<&CreditRow>, credit: Credit, buckets: &[i64]) -> CreditRow {
    let row = CreditRow::first(credit, prev.map_or(0, |prev| prev.counter), buckets);
    let overdue_told = row.overdue_told || prev.is_some_and(|prev| prev.overdue_told);
    let aged = row.aged.max(prev.and_then(|prev| prev.aged));
    CreditRow { overdue_told, aged, ..row }
}

/// How many of these credits are out of their period.
pub fn count_overdue<'a>(rows: impl Iterator<Item = &'a CreditRow>) -> u64 {
    rows.filter(|row| row.credit.overdue && row.credit.status == Some(CreditStatus::Pending)).count() as u64
}

fn missed_again(prev: &CreditRow) -> Change<CreditRow> {
    written(CreditRow { missed: prev.missed.saturating_add(1), ..prev.clone() }, Vec::new())
}

/// It is in no pending list, and not among the paid ones where it was looked for. A list that is incomplete for a moment
/// must not look like a payment, so only when it was looked for its status becomes unknown.
fn found_nowhere(prev: &CreditRow, scribe: &Scribe) -> Change<CreditRow> {
    let change = missed_again(prev);
    match change.row {
        Some(row) if prev.is_owed() && prev.is_worth_a_look() => {
            let credit = Credit { status: None, ..row.credit };
            let counter = row.counter + 1;
            let event = scribe.credit_updated(counter, &credit, &prev.credit, credit.differences(&prev.credit));
            written(CreditRow { credit, counter, ..row }, vec![event])
        }
        row => Change { row, ..change },
    }
}

fn new(credit: Credit, buckets: &[i64], scribe: &Scribe) -> Change<CreditRow> {
    let mut events = vec![scribe.credit_created(&credit)];
    if credit.overdue {
        events.push(scribe.credit_overdue(&credit, None));
    }
    written(CreditRow::first(credit, 0, buckets), events)
}

fn still_pending(prev: &CreditRow, mut credit: Credit, buckets: &[i64], scribe: &Scribe) -> Option<Change<CreditRow>> {
    if prev.read_otherwise {
        return Some(written(retaken(Some(prev), credit, buckets), Vec::new()));
    }
    let mut events = Vec::new();
    let left_out = credit.keep_left_out(&prev.credit, &prev.left_out);
    let differing = credit.differences(&prev.credit);
    let mut row = CreditRow { credit, missed: 0, left_out, ..prev.clone() };
    let falls_due = row.credit.overdue && !prev.overdue_told;
    // Nothing but the due date moved, and into the past: that is what falling due looks like, and told by it.
    let told_by_overdue = falls_due && differing == ["due_at"];
    if !differing.is_empty() && !told_by_overdue {
        row.counter += 1;
        events.push(scribe.credit_updated(row.counter, &row.credit, &prev.credit, differing));
    }
    if falls_due {
        row.overdue_told = true;
        events.push(scribe.credit_overdue(&row.credit, Some(&prev.credit)));
    }
    if is_due_another_day(&prev.credit, &row.credit) {
        row.aged = None;
    }
    let reached = bucket(&row.credit, buckets);
    if reached > row.aged {
        row.aged = reached;
        row.counter += 1;
        events.push(scribe.credit_aging(row.counter, &row.credit));
    }
    (row != *prev).then(|| written(row, events))
}

/// Whether both are due, and not on the same day in Bangkok: another hour of the day makes no credit younger.
fn is_due_another_day(prev: &Credit, next: &Credit) -> bool {
    let day = |credit: &Credit| Some(credit.due_at?.checked_add_signed(TimeDelta::hours(7))?.date_naive());
    day(prev).zip(day(next)).is_some_and(|(before, after)| before != after)
}

fn found_paid(prev: &CreditRow, credit: Credit, scribe: &Scribe) -> Change<CreditRow> {
    let counter = prev.counter + 1;
    let changed = if prev.read_otherwise { Vec::new() } else { credit.differences(&prev.credit) };
    let event = scribe.credit_paid(counter, &credit, &prev.credit, changed);
    let row = CreditRow { credit, counter, missed: 0, read_otherwise: false, left_out: Vec::new(), ..prev.clone() };
    written(row, vec![event])
}

fn written(row: CreditRow, events: Vec<Event>) -> Change<CreditRow> {
    Change { id: row.credit.id.clone(), row: Some(row), events }
}

#[cfg(test)]
mod tests;
