//! What a broken answer says of sales, counted for the guard.

use super::*;
use crate::domain::diff::guard::Suspicion::{Cancelled, Doubled, Renamed, Rewritten, Vanished};

/// Bills with numbers of their own.
fn many(count: usize) -> Vec<Sale> {
    let numbered = |n: usize| Sale { code: Some(format!("TR{n}")), ..sale(&format!("s{n}")) };
    (0..count).map(numbered).collect()
}

#[track_caller]
fn counts(known: &Known<SaleRow>, sales: Vec<Sale>, want: &[(Suspicion, u64)]) {
    let census = census(known, &Whole::vouch(sales, 0), Besides::default(), 0, window());
    let found: Vec<_> = Suspicion::ALL.into_iter().map(|s| (s, census.counts.of(s))).filter(|(_, n)| *n > 0).collect();
    assert_eq!(found, want);
}

#[test]
fn what_many_bills_do_at_once_is_counted() {
    let all = many(6);
    let known = known(&[&all]);
    let edited = |edit: fn(Sale) -> Sale| all.iter().cloned().map(edit).collect::<Vec<_>>();
    counts(&known, all.clone(), &[]);
    counts(&known, [&all[..], &[sold("new", "2026-11-23T02:30:00Z")]].concat(), &[]);
    counts(&known, edited(cancelled), &[(Cancelled, 6)]);
    counts(&known, edited(|sale| Sale { total: Some(Money::from(1)), ..sale }), &[(Rewritten, 6)]);
    counts(&known, edited(|sale| Sale { code: None, ..sale }), &[(Renamed, 6)]);
    counts(&known, all[..2].to_vec(), &[(Vanished, 4)]);
}

#[test]
fn bills_that_came_just_as_they_were_count_among_the_known_and_those_under_another_id_are_suspected() {
    let (known, read) = (known(&[&many(2)]), Whole::vouch(many(2), 0));
    let besides = Besides { same: 8, unasked: 5 };
    let census = census(&known, &read, besides, 6, window());
    assert_eq!((census.known, census.counts.of(Doubled), census.counts.suspicious), (10, 6, 6));
    let of_some = census_of_some(&known, &many(2), besides, 6);
    assert_eq!((of_some.known, of_some.counts.of(Doubled)), (10, 6));
}

#[test]
fn a_bill_that_left_the_window_or_cannot_be_read_has_not_vanished() {
    let old = sold("old", "2026-11-20T02:00:00Z");
    let known = known(&[&[&many(2)[..], &[old]].concat()]);
    let vanished = |read: Whole<Sale>, window| census(&known, &read, Besides::default(), 0, window).counts.vanished;
    let left = || many(2)[..1].to_vec();
    assert_eq!(vanished(Whole::vouch(left(), 0), window()), 2);
    assert_eq!(vanished(Whole::vouch(left(), 0), from("2026-11-21T17:00:00Z")), 1);
    assert_eq!(vanished(Whole::vouch(left(), 1), window()), 0, "one without an id may be any");
    let garbled = BTreeSet::from([many(2)[1].id.clone()]);
    assert_eq!(vanished(Whole::vouch(left(), 0).but_for(garbled), window()), 1);
    assert_eq!(
        census_of_some(&known, &left(), Besides::default(), 0).counts.vanished,
        0,
        "of some bills nothing follows for the others"
    );
}
