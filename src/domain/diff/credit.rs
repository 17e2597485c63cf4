//! Credits: new ones, overdue ones, paid ones.
//!
//! What was asked for is the truth: a row that came back for "out of its period and pending" is overdue. A known
//! credit that is pending no more is looked for among the paid ones; if it is not there either, nothing is concluded.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::{Change, Known, Unbelievable};
use crate::domain::event::Scribe;
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
    /// In how many passes in a row it was found nowhere: neither pending nor, where that was looked for, paid.
    pub missed: u32,
}

/// How often a credit that is found nowhere is looked for among the paid ones before that becomes rare: the first
/// look may be too early, when it was not listed there yet.
const LOOKED_FOR_AT_FIRST: u32 = 3;
/// Then it is looked for once in so many passes: six hours at the standard interval. The paid list may be long, and
/// each of its pages is a call; a credit whose sale was cancelled may never stand in it.
const LOOKED_FOR_RARELY: u32 = 36;

/// In how many whole readings in a row a credit may be found nowhere and an empty list still be disbelieved for it:
/// six hours at the standard interval. An API that is wrong for longer than that tells nothing false by it, since a
/// lost credit makes no event.
const EXPECTED_FOR: u32 = 36;

impl CreditRow {
    fn is_worth_a_look(&self) -> bool {
        self.missed < LOOKED_FOR_AT_FIRST || self.missed.is_multiple_of(LOOKED_FOR_RARELY)
    }
}

/// The two pending lists, both whole.
#[derive(Debug, Clone)]
pub struct PendingCredits {
    rows: BTreeMap<EntityId, Credit>,
    unreadable: usize,
}

impl PendingCredits {
    /// Joins the lists. The list within the period must have been read *first*: a credit that falls due between the
    /// two readings is then in both, and the later reading wins; the other way round it would be in neither.
    pub fn join(in_period_read_first: Whole<Credit>, out_of_period: Whole<Credit>) -> PendingCredits {
        let unreadable = in_period_read_first.unreadable() + out_of_period.unreadable();
        let all = in_period_read_first.into_rows().into_iter().chain(out_of_period.into_rows());
        PendingCredits { rows: all.map(|credit| (credit.id.clone(), credit)).collect(), unreadable }
    }

    /// The known pending credits that are in neither list and are to be looked for among the paid ones now.
    pub fn wanted(&self, known: &Known<CreditRow>) -> BTreeSet<EntityId> {
        self.missing(known).filter(|row| row.is_worth_a_look()).map(|row| row.credit.id.clone()).collect()
    }

    fn missing<'a>(&'a self, known: &'a Known<CreditRow>) -> impl Iterator<Item = &'a CreditRow> {
        let pending = known.rows().filter(|row| row.credit.status == Some(CreditStatus::Pending));
        pending.filter(|row| !self.rows.contains_key(&row.credit.id))
    }
}

/// Compares the pending credits, and the missing ones that were found among the paid, with what is known.
pub fn compare(
    known: &Known<CreditRow>,
    pending: PendingCredits,
    mut paid: BTreeMap<EntityId, Credit>,
    scribe: &Scribe,
) -> Result<Vec<Change<CreditRow>>, Unbelievable> {
    let missing: Vec<&CreditRow> = pending.missing(known).collect();
    // Who was found nowhere before, again and again, is not expected any more: a credit whose sale was cancelled must
    // not keep its shop's list from ever being believed again.
    let lost = missing.iter().filter(|row| row.missed < EXPECTED_FOR && !paid.contains_key(&row.credit.id)).count();
    if pending.rows.is_empty() && pending.unreadable == 0 && lost > 0 {
        return Err(Unbelievable::Empty { known: lost });
    }
    let rows = match known {
        Known::Nothing => return Ok(pending.rows.into_values().map(quiet).collect()),
        Known::Rows { rows, .. } => rows,
    };
    let mut changes: Vec<Change<CreditRow>> = Vec::new();
    for prev in missing {
        changes.push(match paid.remove(&prev.credit.id) {
            Some(credit) => found_paid(prev, credit, scribe),
            None => found_nowhere(prev),
        });
    }
    for (id, credit) in pending.rows {
        changes.extend(match rows.get(&id) {
            None => Some(new(credit, scribe)),
            Some(prev) => still_pending(prev, credit, scribe),
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
    pending.missing(known).filter(|row| !paid.contains_key(&row.credit.id)).map(found_nowhere).collect()
}

/// Takes the pending credits without a word, because their fields are read from other places than before. The
/// counters go on, so that no later event gets an old id.
pub fn take_quietly(known: &Known<CreditRow>, pending: PendingCredits) -> Vec<Change<CreditRow>> {
    let taken = pending.rows.into_values().map(|credit| {
        let prev = known.row(&credit.id);
        let counter = prev.map_or(0, |row| row.counter);
        let overdue_told = credit.overdue || prev.is_some_and(|row| row.overdue_told);
        let row = CreditRow { credit, counter, overdue_told, missed: 0 };
        Change { id: row.credit.id.clone(), row: Some(row), events: Vec::new() }
    });
    taken.collect()
}

/// How many of these credits are out of their period.
pub fn count_overdue<'a>(rows: impl Iterator<Item = &'a CreditRow>) -> u64 {
    rows.filter(|row| row.credit.overdue && row.credit.status == Some(CreditStatus::Pending)).count() as u64
}

/// Nothing is concluded, and nothing told: a list that is incomplete for a moment must not look like a payment.
fn found_nowhere(prev: &CreditRow) -> Change<CreditRow> {
    let row = CreditRow { missed: prev.missed.saturating_add(1), ..prev.clone() };
    Change { id: row.credit.id.clone(), row: Some(row), events: Vec::new() }
}

fn quiet(credit: Credit) -> Change<CreditRow> {
    let overdue_told = credit.overdue;
    Change {
        id: credit.id.clone(),
        row: Some(CreditRow { credit, counter: 0, overdue_told, missed: 0 }),
        events: Vec::new(),
    }
}

fn new(credit: Credit, scribe: &Scribe) -> Change<CreditRow> {
    let mut events = vec![scribe.credit_created(&credit)];
    if credit.overdue {
        events.push(scribe.credit_overdue(&credit, None));
    }
    let overdue_told = credit.overdue;
    Change { id: credit.id.clone(), row: Some(CreditRow { credit, counter: 0, overdue_told, missed: 0 }), events }
}

fn still_pending(prev: &CreditRow, credit: Credit, scribe: &Scribe) -> Option<Change<CreditRow>> {
    let mut events = Vec::new();
    let mut row = CreditRow { credit, missed: 0, ..prev.clone() };
    if row.credit.overdue && !prev.overdue_told {
        row.overdue_told = true;
        events.push(scribe.credit_overdue(&row.credit, Some(&prev.credit)));
    }
    (row != *prev).then(|| Change { id: row.credit.id.clone(), row: Some(row), events })
}

fn found_paid(prev: &CreditRow, credit: Credit, scribe: &Scribe) -> Change<CreditRow> {
    let counter = prev.counter + 1;
    let changed = credit.differences(&prev.credit);
    let event = scribe.credit_paid(counter, &credit, &prev.credit, changed);
    let row = CreditRow { credit, counter, overdue_told: prev.overdue_told, missed: 0 };
    Change { id: row.credit.id.clone(), row: Some(row), events: vec![event] }
}

#[cfg(test)]
mod tests;
