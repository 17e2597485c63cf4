//! Credits: new ones, overdue ones, paid ones.
//!
//! What was asked for is the truth: a row that came back for "out of its period and pending" is overdue. A known
//! credit that is pending no more is looked for among the paid ones; if it is not there either, nothing is concluded.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

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

    /// The known pending credits that are in neither list: to be looked for among the paid ones.
    pub fn missing(&self, known: &Known<CreditRow>) -> BTreeSet<EntityId> {
        let Known::Rows { rows, .. } = known else { return BTreeSet::new() };
        let pending = rows.values().filter(|row| row.credit.status == Some(CreditStatus::Pending));
        pending.map(|row| row.credit.id.clone()).filter(|id| !self.rows.contains_key(id)).collect()
    }
}

/// Compares the pending credits, and the missing ones that were found among the paid, with what is known.
pub fn compare(
    known: &Known<CreditRow>,
    pending: PendingCredits,
    mut paid: BTreeMap<EntityId, Credit>,
    scribe: &Scribe,
) -> Result<Vec<Change<CreditRow>>, Unbelievable> {
    let missing = pending.missing(known);
    let lost = missing.iter().filter(|id| !paid.contains_key(*id)).count();
    if pending.rows.is_empty() && pending.unreadable == 0 && lost > 0 {
        return Err(Unbelievable::Empty { known: lost });
    }
    let rows = match known {
        Known::Nothing => return Ok(pending.rows.into_values().map(quiet).collect()),
        Known::Rows { rows, .. } => rows,
    };
    let mut changes: Vec<Change<CreditRow>> = Vec::new();
    for id in &missing {
        if let (Some(prev), Some(credit)) = (rows.get(id), paid.remove(id)) {
            changes.push(found_paid(prev, credit, scribe));
        }
    }
    for (id, credit) in pending.rows {
        changes.extend(match rows.get(&id) {
            None => Some(new(credit, scribe)),
            Some(prev) => still_pending(prev, credit, scribe),
        });
    }
    Ok(changes)
}

/// How many of these credits are out of their period.
pub fn count_overdue<'a>(rows: impl Iterator<Item = &'a CreditRow>) -> u64 {
    rows.filter(|row| row.credit.overdue && row.credit.status == Some(CreditStatus::Pending)).count() as u64
}

fn quiet(credit: Credit) -> Change<CreditRow> {
    let overdue_told = credit.overdue;
    Change { id: credit.id.clone(), row: Some(CreditRow { credit, counter: 0, overdue_told }), events: Vec::new() }
}

fn new(credit: Credit, scribe: &Scribe) -> Change<CreditRow> {
    let mut events = vec![scribe.credit_created(&credit)];
    if credit.overdue {
        events.push(scribe.credit_overdue(&credit, None));
    }
    let overdue_told = credit.overdue;
    Change { id: credit.id.clone(), row: Some(CreditRow { credit, counter: 0, overdue_told }), events }
}

fn still_pending(prev: &CreditRow, credit: Credit, scribe: &Scribe) -> Option<Change<CreditRow>> {
    let mut events = Vec::new();
    let mut row = CreditRow { credit, ..prev.clone() };
    if row.credit.overdue && !prev.overdue_told {
        row.overdue_told = true;
        events.push(scribe.credit_overdue(&row.credit, Some(&prev.credit)));
    }
    (row != *prev).then(|| Change { id: row.credit.id.clone(), row: Some(row), events })
}

fn found_paid(prev: &CreditRow, credit: Credit, scribe: &Scribe) -> Change<CreditRow> {
    let counter = prev.counter + 1;
    let event = scribe.credit_paid(counter, &credit, &prev.credit);
    let row = CreditRow { credit, counter, overdue_told: prev.overdue_told };
    Change { id: row.credit.id.clone(), row: Some(row), events: vec![event] }
}

#[cfg(test)]
mod tests;
