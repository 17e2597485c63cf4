//! What a broken answer says of credits: counted for the guard, and a reading without one readable row refused.

use super::*;
use crate::domain::diff::guard::Suspicion::{Doubled, Emptied, Implausible, Rewritten, Vanished};
use crate::domain::diff::guard::{GuardLimits, Suspicion};
use crate::domain::model::Money;

/// Credits with numbers of their own.
fn many(count: usize) -> Vec<Credit> {
    let numbered = |n: usize| Credit { code: Some(format!("CR{n}")), ..credit(&format!("c{n}")) };
    (0..count).map(numbered).collect()
}

/// What the guard is told of this reading, by a clock on the day before they are due.
#[track_caller]
fn counts(known: &Known<CreditRow>, reading: &Reading, want: &[(Suspicion, u64)]) {
    let now = time("2026-11-20T00:00:00Z");
    let census = census(known, &pending(reading), &found(known, reading), now);
    let found: Vec<_> = Suspicion::ALL.into_iter().map(|s| (s, census.counts.of(s))).filter(|(_, n)| *n > 0).collect();
    assert_eq!(found, want);
}

#[test]
fn what_many_credits_do_at_once_is_counted() {
    let all = many(8);
    let known = known(&within(&all));
    counts(&known, &within(&all), &[]);
    counts(&known, &within(&all[..3]), &[(Vanished, 5)]);
    let some_paid = Reading {
        within: all[..2].to_vec(),
        paid: all[2..7].iter().cloned().map(paid).collect(),
        ..Reading::default()
    };
    counts(&known, &some_paid, &[(Vanished, 1)]);
    let too_early: Vec<_> = all.iter().cloned().map(overdue).collect();
    counts(&known, &out(&too_early), &[(Implausible, 8)]);
    let edited = |edit: fn(&mut Credit)| {
        let mut edited = all.clone();
        edited.iter_mut().for_each(edit);
        within(&edited)
    };
    counts(&known, &edited(|c| c.balance = Some(Money::ZERO)), &[(Emptied, 8)]);
    counts(&known, &edited(|c| c.due_at = c.due_at.map(|at| at + TimeDelta::days(365))), &[(Rewritten, 8)]);
    let again =
        all.iter().cloned().map(|credit| Credit { id: EntityId::new(format!("x{}", credit.id)).unwrap(), ..credit });
    let again: Vec<_> = all.iter().cloned().chain(again).collect();
    counts(&known, &within(&again), &[(Doubled, 8)]);
    let strangers = Credit { code: None, balance: Some(Money::ZERO), ..credit("new") };
    counts(&known, &within(&[&all[..], &[strangers]].concat()), &[(Implausible, 1)]);
}

#[test]
fn a_credit_that_is_due_may_be_overdue_and_one_that_was_not_paid_stays_so() {
    let due: Vec<_> = many(4).into_iter().map(|c| Credit { due_at: Some(time("2026-11-19T17:00:00Z")), ..c }).collect();
    let late: Vec<_> = due.iter().cloned().map(overdue).collect();
    counts(&known(&within(&due)), &out(&late), &[]);
    counts(&known(&out(&late)), &within(&due), &[(Implausible, 4)]);
    let later: Vec<_> =
        due.iter().cloned().map(|c| Credit { due_at: Some(time("2026-12-19T17:00:00Z")), ..c }).collect();
    counts(&known(&out(&late)), &within(&later), &[(Rewritten, 4)]);
    let unknown: Vec<_> = due.iter().cloned().map(|c| Credit { due_at: None, ..c }).collect();
    let unknown_late: Vec<_> = unknown.iter().cloned().map(overdue).collect();
    // What was asked for is the truth where nothing speaks against it.
    counts(&known(&within(&unknown)), &out(&unknown_late), &[]);
}

#[test]
fn more_than_the_guard_lets_pass_are_looked_for_among_the_paid_at_once() {
    let all = many(8);
    let known = known(&within(&all));
    let looked_for = |left: usize| wanted(&pending(&within(&all[..left])), &known).len();
    assert_eq!([looked_for(8), looked_for(5), looked_for(4), looked_for(0)], [0, 0, 4, 8]);
}

#[test]
fn a_period_that_is_not_heeded_is_seen_by_credits_in_both_lists() {
    let all = many(8);
    let both = |count: usize| Reading { within: all.clone(), out: all[..count].to_vec(), ..Reading::default() };
    let check = |count: usize| check_periods(&pending(&both(count)), &GuardLimits::default());
    assert_eq!(check(3), Ok(()), "a few fall due between the two readings");
    assert_eq!(check(4), Err(Unbelievable::InBothPeriods { both: 4 }));
    let today = Reading { within: all[..5].to_vec(), out: all.clone(), ..Reading::default() };
    let some = Reading { within: all[..7].to_vec(), out: all[3..].to_vec(), ..Reading::default() };
    let checked = |reading: &Reading| check_periods(&pending(reading), &GuardLimits::default()).is_ok();
    assert_eq!([checked(&today), checked(&some)], [false, true], "those of today may count as both");
}

#[test]
fn two_lists_of_which_no_row_can_be_read_are_refused() {
    let pending = PendingCredits::join(Whole::vouch(Vec::new(), 2), Whole::vouch(Vec::new(), 1));
    for known in [Known::Nothing, known(&within(&many(1)))] {
        let refused = compare(&known, pending.clone(), PaidCredits::default(), &terms(&scribe()));
        assert_eq!(refused, Err(Unbelievable::NoneReadable { rows: 3 }));
    }
}
