//! What stands in a list and cannot be understood is neither lost nor paid.

use super::*;

/// Credit `a` stands in this list, and nobody can read it.
fn garbled(rest: &[Credit]) -> Whole<Credit> {
    Whole::vouch(rest.to_vec(), 1).naming_unreadable([a().id].into())
}

fn nothing() -> Whole<Credit> {
    Whole::vouch(Vec::new(), 0)
}

#[test]
fn a_pending_credit_that_cannot_be_read_is_not_lost_however_often() {
    for garbled_out in [false, true] {
        let reading = || match garbled_out {
            false => PendingCredits::join(garbled(&[]), nothing()),
            true => PendingCredits::join(nothing(), garbled(&[])),
        };
        let mut known = known(&within(&[a()]));
        for _ in 0..5 {
            assert_eq!(reading().wanted(&known), BTreeSet::new());
            let changes = compare(&known, reading(), PaidCredits::default(), BUCKETS, &scribe()).unwrap();
            assert_eq!(changes, []);
            known = after(&known, &changes, None);
        }
        assert_eq!(told(&read(&known, &out(&[late()])).unwrap()), "credit.overdue credit/a", "can be read again");
    }
}

#[test]
fn one_that_can_be_read_in_the_other_list_is_read_there() {
    let reading = PendingCredits::join(garbled(&[]), Whole::vouch(vec![late()], 0));
    let known = known(&within(&[a()]));
    let changes = compare(&known, reading, PaidCredits::default(), BUCKETS, &scribe()).unwrap();
    assert_eq!(told(&changes), "credit.overdue credit/a");
}

#[test]
fn one_among_the_paid_ones_that_cannot_be_read_is_looked_for_rarely_and_paid_once_it_can() {
    let rest = within(&[credit("b")]);
    let mut known = pass(&known(&within(&[a(), credit("b")])), &rest).1;
    let mut looks = 0;
    for _ in 0..20 {
        let wanted = pending(&rest).wanted(&known);
        looks += wanted.len();
        let found = PaidCredits { unreadable: wanted, ..PaidCredits::default() };
        let changes = compare(&known, pending(&rest), found, BUCKETS, &scribe()).unwrap();
        assert_eq!(told(&changes), "");
        known = after(&known, &changes, None);
    }
    assert_eq!(looks, 3);
    let paid = PaidCredits { rows: [(a().id, settled())].into(), ..PaidCredits::default() };
    assert_eq!(told(&compare(&known, pending(&rest), paid, BUCKETS, &scribe()).unwrap()), "credit.paid credit/a");
}

#[test]
fn one_that_cannot_be_read_by_the_new_fields_is_taken_without_a_word_once_it_can() {
    let before = known(&within(&[a(), credit("b")]));
    let reading = PendingCredits::join(garbled(&[credit("b")]), nothing());
    let known = after(&before, &take_quietly(&before, reading, BUCKETS), None);
    let now = within(&[Credit { code: None, balance: Some(7.into()), ..a() }, credit("b")]);
    assert_eq!(told(&read(&known, &now).unwrap()), "");
}
