//! Credits: new ones, changed ones, overdue ones and how long they have been so, paid ones.
//!
//! What was asked for is the truth: a row that came back for "out of its period and pending" is overdue. A known
//! credit that two whole passes in a row do not have is looked for among the paid ones. If it is not there either, its
//! status is unknown from then on, which is told; that it was paid is never guessed. A credit that is paid or lost for
//! long enough is forgotten without a word.
//!
//! A row that came and could not be understood is there: nothing follows for a credit whose row that is, nor for any
//! other where the row has no id and may be anybody's.

mod census;
mod row;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::fields::Fields;
use super::guard::GuardLimits;
use super::{Change, Known, Seen, Unbelievable, check_readable};
use crate::domain::event::{Event, Scribe};
use crate::domain::model::{Credit, CreditStatus, EntityId, Timestamp, Whole};
use row::bucket;

pub use census::{census, check_periods, share};
pub use row::CreditRow;

/// By what credits are compared.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// After how many days overdue a credit is told again; [`BUCKETS`].
    pub buckets: &'a [i64],
    /// What is paid or lost since before this moment is forgotten.
    pub forget_before: Timestamp,
    /// Writes down what is told.
    pub scribe: &'a Scribe,
}

/// After how many days overdue a credit is told again.
pub const BUCKETS: &[i64] = &[7, 30, 60];

/// In how many whole readings in a row a credit may be found nowhere and an empty list still be disbelieved for it:
/// six hours at the standard interval. An API that is wrong for longer than that tells nothing false by it, since a
/// lost credit makes no event.
const EXPECTED_FOR: u32 = 36;

/// The two pending lists, both whole.
#[derive(Debug, Clone)]
pub struct PendingCredits {
    rows: BTreeMap<EntityId, Credit>,
    /// How many came in both lists.
    both: usize,
    /// How many the shorter list has.
    shorter: usize,
    unreadable: BTreeSet<EntityId>,
    nameless: usize,
}

/// What a look among the paid credits has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaidCredits {
    /// Those of the wanted ones that are there.
    pub found: BTreeMap<EntityId, Credit>,
    /// Those of them that are there and could not be understood.
    pub unreadable: BTreeSet<EntityId>,
    /// How many rows came that have no id. Each may be any of the wanted ones.
    pub nameless: u64,
}

impl PaidCredits {
    fn has(&self, id: &EntityId) -> bool {
        self.found.contains_key(id) || self.unreadable.contains(id)
    }

    fn may_have(&self, id: &EntityId) -> bool {
        self.nameless > 0 || self.has(id)
    }
}

impl PendingCredits {
    /// Joins the lists. The list within the period must have been read *first*: a credit that falls due between the
    /// two readings is then in both, and the later reading wins; the other way round it would be in neither.
    pub fn join(in_period_read_first: Whole<Credit>, out_of_period: Whole<Credit>) -> PendingCredits {
        let unreadable = in_period_read_first.unreadable_ids() | out_of_period.unreadable_ids();
        let nameless = in_period_read_first.nameless() + out_of_period.nameless();
        let shorter = in_period_read_first.rows().len().min(out_of_period.rows().len());
        let all = in_period_read_first.into_rows().into_iter().chain(out_of_period.into_rows());
        let (mut rows, mut both) = (BTreeMap::new(), 0);
        for credit in all {
            both += usize::from(rows.insert(credit.id.clone(), credit).is_some());
        }
        PendingCredits { rows, both, shorter, unreadable, nameless }
    }

    /// Whether a row with this id came, understood or not.
    fn has(&self, id: &EntityId) -> bool {
        self.rows.contains_key(id) || self.unreadable.contains(id)
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
        self.unreadable.len() + self.nameless
    }

    /// The known credits that should be in a list and are in neither. A row without an id may be any of them, so where
    /// there is one nobody is missed.
    fn missing<'a>(&'a self, known: &'a Known<CreditRow>) -> impl Iterator<Item = &'a CreditRow> {
        let unpaid = known.rows().filter(|row| self.nameless == 0 && !row.is_paid());
        unpaid.filter(|row| !self.has(&row.credit.id))
    }

    /// Whether two such lists can be of the shop that is known. A credit that was found nowhere again and again is not
    /// expected in a list any more: one whose sale was cancelled must not keep its shop's empty list from ever being
    /// believed. But time makes no other shop's list one's own.
    fn check(&self, known: &Known<CreditRow>, paid: &PaidCredits) -> Result<(), Unbelievable> {
        let owed = known.rows().filter(|row| row.is_owed());
        let (mut expected, mut seen, mut lost) = (0, 0, 0);
        for row in owed {
            let found = self.has(&row.credit.id) || paid.has(&row.credit.id);
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
    mut paid: PaidCredits,
    terms: &Terms,
) -> Result<Vec<Change<CreditRow>>, Unbelievable> {
    check_readable(pending.rows.len(), pending.unreadable())?;
    let rows = match known {
        Known::Nothing => {
            let first = |credit| written(CreditRow::first(credit, terms), Vec::new());
            return Ok(pending.rows.into_values().map(first).collect());
        }
        Known::Rows { rows, .. } => rows,
    };
    pending.check(known, &paid)?;
    let mut changes: Vec<Change<CreditRow>> = Vec::new();
    for prev in pending.missing(known) {
        changes.push(match paid.found.remove(&prev.credit.id) {
            Some(credit) => found_paid(prev, credit, terms.scribe),
            None if paid.may_have(&prev.credit.id) => missed_again(prev),
            None if prev.is_to_be_forgotten(terms) => forgotten(prev),
            None => found_nowhere(prev, terms.scribe),
        });
    }
    let still_paid = rows.values().filter(|row| row.is_paid() && !pending.has(&row.credit.id));
    changes.extend(still_paid.filter_map(|row| still_over(row, terms)));
    for (id, credit) in pending.rows {
        changes.extend(match rows.get(&id) {
            None => Some(new(credit, terms)),
            Some(prev) => still_pending(prev, credit, terms),
        });
    }
    Ok(changes)
}

/// What is noted of a reading that was not believed because it was empty: which credits were found nowhere in it.
pub fn misses(known: &Known<CreditRow>, pending: &PendingCredits, paid: &PaidCredits) -> Vec<Change<CreditRow>> {
    pending.missing(known).filter(|row| !paid.found.contains_key(&row.credit.id)).map(missed_again).collect()
}

/// Takes the pending credits without a word, because their fields are read from other places than before. The
/// counters go on, so that no later event gets an old id. A credit that is not known is taken so too: the sale that it
/// came from is told.
pub fn take_quietly(known: &Known<CreditRow>, pending: PendingCredits, terms: &Terms) -> Vec<Change<CreditRow>> {
    // Also one whose row could not be understood: it too stands as other fields have read it.
    let unread = known.rows().filter(|row| !row.is_paid() && !pending.rows.contains_key(&row.credit.id));
    let away = unread.filter(|row| !row.read_otherwise);
    let away = away.map(|row| written(CreditRow { read_otherwise: true, ..row.clone() }, Vec::new()));
    let mut changes: Vec<Change<CreditRow>> = away.collect();
    changes.extend(pending.rows.into_values().map(|credit| {
        let prev = known.row(&credit.id);
        written(retaken(prev, credit, terms), Vec::new())
    }));
    changes
}

/// A credit as it is now, of which nothing is told but what was told before.
fn retaken(prev: Option<&CreditRow>, credit: Credit, terms: &Terms) -> CreditRow {
    let Some(prev) = prev else { return CreditRow::unknown(credit, terms) };
    let row = CreditRow::first(credit, terms);
    let (overdue_told, aged) = (row.overdue_told || prev.overdue_told, row.aged.max(prev.aged));
    CreditRow { counter: prev.counter, again: prev.again, overdue_told, aged, ..row }
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
    let mut row = CreditRow { missed: prev.missed.saturating_add(1), ..prev.clone() };
    let is_lost_now = prev.is_owed() && prev.is_worth_a_look();
    if is_lost_now {
        row.credit.status = None;
    }
    if !row.is_owed() {
        row.over_since = prev.over_since.or(Some(scribe.now()));
    }
    let told = is_lost_now.then(|| {
        let changed = row.credit.differences(&prev.credit);
        scribe.credit_updated(row.next_count(), &row.credit, &prev.credit, changed)
    });
    written(row, told.into_iter().collect())
}

/// What was paid stays so, in no list that is read, until it is forgotten. An older version has not noted since when.
fn still_over(prev: &CreditRow, terms: &Terms) -> Option<Change<CreditRow>> {
    match prev.over_since {
        Some(_) => prev.is_to_be_forgotten(terms).then(|| forgotten(prev)),
        None => Some(written(CreditRow { over_since: Some(terms.scribe.now()), ..prev.clone() }, Vec::new())),
    }
}

fn forgotten(prev: &CreditRow) -> Change<CreditRow> {
    Change { id: prev.credit.id.clone(), row: None, events: Vec::new() }
}

fn new(credit: Credit, terms: &Terms) -> Change<CreditRow> {
    let mut row = CreditRow::unknown(credit, terms);
    let mut events = vec![row.created(terms.scribe)];
    if row.credit.overdue {
        events.push(row.fell_due(None, terms.scribe));
    }
    written(row, events)
}

fn still_pending(prev: &CreditRow, mut credit: Credit, terms: &Terms) -> Option<Change<CreditRow>> {
    if prev.read_otherwise {
        return Some(written(retaken(Some(prev), credit, terms), Vec::new()));
    }
    let scribe = terms.scribe;
    let mut events = Vec::new();
    let left_out = credit.keep_left_out(&prev.credit, &prev.left_out);
    let differing = credit.differences(&prev.credit);
    let mut row = CreditRow { credit, missed: 0, left_out, over_since: None, ..prev.clone() };
    let falls_due = row.credit.overdue && !prev.overdue_told;
    // Nothing but the due date moved, and into the past: that is what falling due looks like, and told by it.
    let told_by_overdue = falls_due && differing == ["due_at"];
    if !differing.is_empty() && !told_by_overdue {
        events.push(scribe.credit_updated(row.next_count(), &row.credit, &prev.credit, differing));
    }
    if falls_due {
        events.push(row.fell_due(Some(&prev.credit), scribe));
    }
    if is_due_another_day(&prev.credit, &row.credit) {
        row.aged = None;
    }
    let reached = bucket(&row.credit, terms.buckets);
    if reached > row.aged {
        row.aged = reached;
        events.push(scribe.credit_aging(row.next_count(), &row.credit));
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
    let (left_out, over_since) = (Vec::new(), Some(scribe.now()));
    let row = CreditRow { credit, counter, missed: 0, read_otherwise: false, left_out, over_since, ..prev.clone() };
    written(row, vec![event])
}

fn written(row: CreditRow, events: Vec<Event>) -> Change<CreditRow> {
    Change { id: row.credit.id.clone(), row: Some(row), events }
}

#[cfg(test)]
mod tests;
