//! Is a credit forgotten when it is over for long enough, and never told under an old id when it comes back?

use super::*;
use crate::domain::model::Timestamp;

/// So many days after the first reading.
fn day(days: i64) -> Timestamp {
    scribe().now() + TimeDelta::days(days)
}

/// One pass on that day: what it told, what is known after it, and the ids of its events.
fn on(known: &Known<CreditRow>, days: i64, reading: &Reading) -> (String, Known<CreditRow>, Vec<String>) {
    let scribe = scribe_at(day(days));
    let changes = compare(known, pending(reading), found(known, reading), &terms(&scribe)).unwrap();
    let ids = events(&changes).iter().map(|event| event.id.to_string()).collect();
    (told(&changes), after(known, &changes, None), ids)
}

fn rest() -> Reading {
    Reading { paid: vec![settled()], ..within(&[credit("b")]) }
}

/// `a` was paid on day 0, or is lost since then.
fn over(paid: bool) -> Known<CreditRow> {
    let reading = if paid { rest() } else { within(&[credit("b")]) };
    let known = known(&within(&[a(), credit("b")]));
    on(&on(&known, 0, &reading).1, 0, &reading).1
}

#[test]
fn what_is_paid_or_lost_for_long_enough_is_forgotten_without_a_word() {
    for paid in [true, false] {
        let (told, kept, _) = on(&over(paid), RETAIN.num_days(), &within(&[credit("b")]));
        assert_eq!((told.as_str(), kept.row(&a().id).is_some()), ("", true), "paid: {paid}");
        let (told, known, _) = on(&kept, RETAIN.num_days() + 1, &within(&[credit("b")]));
        assert_eq!((told.as_str(), known.row(&a().id)), ("", None), "paid: {paid}");
        assert!(known.row(&credit("b").id).is_some(), "one that is owed is never forgotten");
        assert_eq!(on(&known, 1000, &rest()).0, "", "paid: {paid}");
    }
}

#[test]
fn a_lost_credit_that_is_found_at_last_is_paid_however_long_that_took() {
    let mut known = over(false);
    let passes = (0..=2 * LOOKED_FOR_RARELY).find_map(|_| {
        let (told, next, _) = on(&known, 80, &rest());
        known = next;
        (told == "credit.paid credit/a").then_some(())
    });
    assert!(passes.is_some(), "never found");
    // It is kept from that day on.
    assert!(on(&known, 169, &rest()).1.row(&a().id).is_some());
}

#[test]
fn a_forgotten_credit_that_is_owed_again_is_told_under_new_ids() {
    for first in [within(&[a(), credit("b")]), Reading { out: vec![late()], ..within(&[credit("b")]) }] {
        let (mut known, mut ids, mut said) = (known(&within(&[credit("b")])), Vec::new(), Vec::new());
        let late = || Reading { out: vec![late()], ..within(&[credit("b")]) };
        for (days, reading) in [
            (0, first),
            (1, late()),
            (2, rest()),
            (2, rest()),
            (100, rest()),
            (101, within(&[a(), credit("b")])),
            (102, late()),
            (103, rest()),
            (103, rest()),
            (300, rest()),
            (301, late()),
        ] {
            let (told, next, new) = on(&known, days, &reading);
            said.push(told);
            ids.extend(new);
            known = next;
        }
        let told = said.join(", ").replace(" credit/a", "").replace("credit.", "");
        let told: Vec<&str> = told.split(", ").filter(|kind| !kind.is_empty()).collect();
        let once = ["created", "overdue", "paid"];
        assert_eq!(told, [&once[..], &once[..], &["created", "overdue"]].concat());
        let distinct: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "{ids:?}");
    }
}

#[test]
fn a_credit_of_these_days_has_the_ids_that_outlive_the_data_directory() {
    let (_, _, ids) = on(&known(&within(&[])), 0, &out(&[late()]));
    let want = [scribe().credit_created(&late()), scribe().credit_overdue(&late(), None)];
    assert_eq!(ids, want.map(|event| event.id.to_string()));
}

#[test]
fn one_that_an_older_version_has_kept_is_forgotten_as_long_after_this_one_came() {
    for paid in [true, false] {
        let Known::Rows { mut rows, horizon } = over(paid) else { panic!("is known") };
        for row in rows.values_mut() {
            row.over_since = None;
        }
        let reading = within(&[credit("b")]);
        let (first, known, _) = on(&Known::Rows { rows, horizon }, 500, &reading);
        let (second, kept, _) = on(&known, 590, &reading);
        let (third, gone, _) = on(&kept, 591, &reading);
        assert_eq!([first, second, third].concat(), "");
        assert_eq!([kept, gone].map(|known| known.row(&a().id).is_some()), [true, false], "paid: {paid}");
    }
}

#[test]
fn an_unreadable_row_of_a_credit_that_is_over_keeps_it() {
    for paid in [true, false] {
        let known = over(paid);
        let in_period = Whole::vouch(vec![credit("b")], 0).but_for([a().id].into());
        let pending = PendingCredits::join(in_period, Whole::vouch(Vec::new(), 0));
        let changes = compare(&known, pending, PaidCredits::default(), &terms(&scribe_at(day(200)))).unwrap();
        assert_eq!(changes, [], "paid: {paid}");
    }
}
