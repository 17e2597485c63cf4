//! Is an ordinary day of a small shop let through, and a broken answer all the same held?

use super::*;

#[test]
fn less_than_half_of_a_small_list_may_change_and_three_rows_in_any_case_but_any_handful_of_bills() {
    let limits = GuardLimits::default();
    for (known, limit) in [(0, 3), (1, 3), (3, 3), (4, 3), (8, 3), (9, 4), (10, 4), (20, 9), (21, 10), (50, 10)] {
        assert_eq!(limits.of(Resource::Stock).limit(known), limit, "{known}");
        assert_eq!(limits.of(Resource::Transactions).limit(known), 10, "{known} sales");
    }
    let all = GuardLimits { max_changed_percent: 100, ..limits };
    assert_eq!(all.limit(8), 8, "a shop that wants no guard says so");
}

#[test]
fn a_few_changes_of_a_small_shop_are_told_one_by_one_and_a_released_half_in_one_message() {
    let of = |counts, told| Census { known: 8, counts, changed: 4, told, ..Census::default() };
    assert_eq!(Readings::default().judge(0, of(Counts::default(), 4)), "believed");
    let out = Counts { suspicious: 4, to_zero: 4, ..Counts::default() };
    let mut shop = Readings::default();
    assert_eq!(shop.judge(0, of(out, 0)), "held and told 1");
    shop.decide(Decision::Release);
    assert_eq!(shop.judge(2, of(out, 0)), "believed, cleared, in one message");
    let two = Counts { suspicious: 3, to_zero: 3, ..Counts::default() };
    assert_eq!(Readings::default().judge(0, of(two, 0)), "believed", "three of eight are an ordinary day");
}

#[test]
fn a_release_in_a_small_shop_is_for_about_what_was_seen() {
    let of = |rows| {
        let counts = Counts { suspicious: rows, to_zero: rows, ..Counts::default() };
        Census { known: 20, counts, changed: rows, ..Census::default() }
    };
    let mut shop = Readings { limits: GuardLimits { few: 3, ..GuardLimits::default() }, ..Readings::default() };
    assert_eq!(shop.judge(0, of(10)), "held and told 1");
    shop.decide(Decision::Release);
    assert_eq!(shop.judge(2, of(20)), "held and told 2");
    shop.decide(Decision::Release);
    assert_eq!(shop.judge(4, of(19)), "believed, cleared, in one message");
}

#[test]
fn products_that_lose_their_quantity_one_by_one_never_add_up_to_too_many() {
    let mut shop = Readings::default();
    for lost in 1..=60 {
        let counts = Counts { suspicious: lost, quantity_lost: lost, ..Counts::default() };
        let reading = Census { known: 60, counts, ..Census::default() };
        assert!(shop.judge(1_440 * lost as i64, reading).starts_with("believed"), "{lost}");
    }
}

#[test]
fn what_a_small_shop_has_deleted_is_believed_within_the_hour_and_what_a_large_one_has_never() {
    let until = |known: u64, vanished: u64| {
        let counts = Counts { suspicious: vanished, vanished, ..Counts::default() };
        let mut shop = Readings::default();
        let reading = || Census { known, counts, ..Census::default() };
        (0..600).step_by(2).find(|minute| shop.judge(*minute, reading()).starts_with("believed"))
    };
    assert_eq!(until(8, 4), Some(60));
    assert_eq!(until(60, 13), None);
}

#[test]
fn a_shop_may_say_how_many_rows_change_in_a_day() {
    let limits = GuardLimits { min_changed: 50, ..GuardLimits::default() };
    assert_eq!([40, 60, 90, 300].map(|known| limits.limit(known)), [50, 50, 50, 60]);
}
