//! What a reading of the credits would change, for the guard.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::{CreditRow, PaidCredits, PendingCredits};
use crate::domain::diff::guard::{Census, GuardLimits, Guarded, Suspicion, Tally};
use crate::domain::diff::share::Share;
use crate::domain::diff::{Known, Unbelievable};
use crate::domain::model::{Credit, CreditStatus, Money, Timestamp};

/// How long before its day a credit may be called overdue: nobody knows at which hour of it the API begins to, nor of
/// which zone.
const DAY: TimeDelta = TimeDelta::days(1);

/// Counts what the two pending lists, and the credits that were found among the paid, would change of those that are
/// known to be owed.
pub fn census(known: &Known<CreditRow>, pending: &PendingCredits, paid: &PaidCredits, now: Timestamp) -> Census {
    let owed = || known.rows().filter(|row| row.is_owed() && !row.read_otherwise);
    let codes: BTreeSet<&String> = owed().filter_map(|row| row.credit.code.as_ref()).collect();
    let mut tally = Tally::of_known(owed().count());
    for row in owed() {
        match pending.rows.get(&row.credit.id) {
            Some(credit) => tally.row(&suspicions(&row.credit, credit, now), false),
            // One that is there and cannot be read, or may be, is not missing.
            None if pending.nameless > 0 || pending.has(&row.credit.id) || paid.may_have(&row.credit.id) => {}
            None => tally.missing(),
        }
    }
    for credit in pending.rows.values().filter(|credit| known.row(&credit.id).is_none()) {
        let mut found = Vec::new();
        found.extend(credit.code.as_ref().filter(|code| codes.contains(code)).map(|_| Suspicion::Doubled));
        found.extend(is_paid_up(credit).then_some(Suspicion::Implausible));
        tally.row(&found, false);
    }
    tally.census()
}

/// How many of the credits that are known to be owed are in the two lists, or were found among the paid ones.
pub fn share(known: &Known<CreditRow>, pending: &PendingCredits, paid: &PaidCredits) -> Share {
    let owed = known.rows().filter(|row| row.is_owed());
    Share::of(owed, |row| pending.has(&row.credit.id) || paid.has(&row.credit.id))
}

/// Refuses two lists that have the same credits: then the period that was asked for was not heeded. Some may fall due
/// between the two readings, and those of today may count as both.
pub fn check_periods(pending: &PendingCredits, limits: &GuardLimits) -> Result<(), Unbelievable> {
    let both = pending.both;
    // All but a tenth of the shorter list.
    let is_most = both * 10 >= pending.shorter * 9;
    let many = is_most && both as u64 > limits.limit(pending.rows.len() as u64);
    if many { Err(Unbelievable::InBothPeriods { both }) } else { Ok(()) }
}

fn suspicions(prev: &Credit, next: &Credit, now: Timestamp) -> Vec<Suspicion> {
    let mut found = prev.suspicions(next);
    let too_early = next.overdue && !prev.overdue && next.due_at.is_some_and(|due_at| due_at > now + DAY);
    let taken_back = prev.overdue && !next.overdue && prev.due_at == next.due_at;
    if (too_early || taken_back) && !found.contains(&Suspicion::Implausible) {
        found.push(Suspicion::Implausible);
    }
    found
}

/// Whether nothing is left to pay of a credit that is listed as owed.
fn is_paid_up(credit: &Credit) -> bool {
    credit.amount.is_some_and(|amount| amount > Money::ZERO)
        && credit.balance.is_some_and(|balance| balance <= Money::ZERO)
        && credit.status == Some(CreditStatus::Pending)
}
