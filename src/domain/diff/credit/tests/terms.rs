//! Is every change of a credit's terms told, and every bucket of days overdue once?

use super::*;
use crate::domain::model::{Money, Timestamp};

fn aged(days: i64) -> Credit {
    Credit { days_overdue: Some(days), ..late() }
}

fn due(credit: Credit, at: &str) -> Credit {
    Credit { due_at: Some(time(at)), ..credit }
}

/// Out of its period for so many days in one pass after the other, the first being the baseline; `-` is within it.
#[track_caller]
fn check_days(days: &str, want: &str) {
    let (mut known, mut said) = (Known::Nothing, Vec::new());
    for day in days.split(' ') {
        let reading = day.parse().map_or_else(|_| within(&[a()]), |days| out(&[aged(days)]));
        let (told, next) = pass(&known, &reading);
        said.extend((!told.is_empty()).then(|| told.replace(" credit/a", "").replace("credit.", "")));
        known = next;
    }
    assert_eq!(said.join(" | "), want, "{days}");
}

#[test]
fn each_bucket_is_told_once() {
    check_days("- 1 6 7 7 8 29 30 31 60 61 400", "overdue | aging | aging | aging");
}

#[test]
fn after_an_outage_the_highest_bucket_alone_is_told() {
    check_days("5 40 41 60", "aging | aging");
    check_days("5 90 91", "aging");
    check_days("- 40", "overdue, aging");
}

#[test]
fn buckets_that_had_passed_before_a_credit_was_seen_are_taken_without_a_word() {
    check_days("35 36 59 60", "aging");
    check(
        &[within(&[]), out(&[aged(35)]), out(&[aged(36)])],
        &["", "credit.created credit/a, credit.overdue credit/a", ""],
    );
}

#[test]
fn a_bucket_is_not_told_again_though_the_list_flickers() {
    check_days("6 7 - 7 - 8", "aging");
}

#[test]
fn a_due_date_that_moves_arms_the_buckets_again_and_another_hour_of_it_does_not() {
    let moved = |credit, at| due(credit, at);
    let updated = "credit.updated credit/a";
    check(
        &[
            out(&[aged(7)]),
            within(&[moved(a(), "2026-12-22T17:00:00Z")]),
            out(&[moved(aged(6), "2026-12-22T17:00:00Z")]),
            out(&[moved(aged(7), "2026-12-22T17:00:00Z")]),
            out(&[moved(aged(8), "2026-12-22T17:00:01Z")]),
        ],
        &["", updated, "", "credit.aging credit/a", updated],
    );
}

#[test]
fn a_due_date_that_moves_into_the_past_is_told_by_overdue_and_other_changes_beside_it() {
    let moved = due(late(), "2026-11-21T17:00:00Z");
    check(&[within(&[a()]), out(std::slice::from_ref(&moved))], &["", "credit.overdue credit/a"]);
    let part = out(&[Credit { paid: Some(Money::from(1)), ..moved }]);
    check(&[within(&[a()]), part], &["", "credit.updated credit/a, credit.overdue credit/a"]);
}

#[test]
fn the_buckets_can_be_others() {
    let known = known(&within(&[a()]));
    let scribe = scribe();
    let terms = Terms { buckets: &[14], ..terms(&scribe) };
    let paid = PaidCredits::default;
    let told = |days| told(&compare(&known, pending(&out(&[aged(days)])), paid(), &terms).unwrap());
    assert_eq!([told(13), told(14)], ["credit.overdue credit/a", "credit.overdue credit/a, credit.aging credit/a"]);
}

#[test]
fn a_part_that_is_paid_is_an_update_with_what_was_owed_before() {
    let part = Credit { paid: Some(Money::from(400)), balance: Some(Money::from(600)), ..a() };
    let changes = read(&known(&within(&[a()])), &within(std::slice::from_ref(&part))).unwrap();
    let EventData::Credit { credit, previous, changed } = &events(&changes)[0].data else { panic!("{changes:?}") };
    assert_eq!((told(&changes).as_str(), changed.join(" ").as_str()), ("credit.updated credit/a", "paid balance"));
    assert_eq!((&**credit, previous.as_deref()), (&part, Some(&a())));
}

#[test]
fn three_parts_have_three_ids_and_a_day_more_overdue_is_none() {
    let part = |paid: i64| Credit { paid: Some(paid.into()), ..late() };
    let mut known = known(&out(&[late()]));
    let mut ids = BTreeSet::new();
    for paid in [100, 100, 200, 100] {
        let changes = read(&known, &out(&[part(paid)])).unwrap();
        known = after(&known, &changes, None);
        ids.extend(events(&changes).into_iter().map(|event| event.id.clone()));
    }
    assert_eq!(ids.len(), 3);
    check(&[out(&[aged(1)]), out(&[aged(2)])], &["", ""]);
}

#[test]
fn a_field_is_emptied_by_the_second_pass_in_a_row_that_leaves_it_out() {
    let bare = || within(&[Credit { due_at: None, code: None, ..a() }]);
    let updated = "credit.updated credit/a";
    check(&[within(&[a()]), bare(), within(&[a()]), bare(), bare(), bare()], &["", "", "", "", updated, ""]);
}

#[test]
fn the_last_moments_of_time_do_no_harm() {
    let edge = |at| out(&[Credit { due_at: Some(at), ..aged(7) }]);
    let both = "credit.updated credit/a, credit.aging credit/a";
    check(&[out(&[aged(7)]), edge(Timestamp::MIN_UTC)], &["", both]);
    // The day of the last one is after all days in Bangkok and cannot be told.
    check(&[out(&[aged(7)]), edge(Timestamp::MAX_UTC)], &["", "credit.updated credit/a"]);
}
