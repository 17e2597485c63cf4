//! Is every credit told once when it is new, overdue and paid, and nothing concluded of one that is lost?

mod broken;
mod forgetting;
mod properties;
mod terms;
mod unreadable;

use proptest::prelude::*;

use super::row::LOOKED_FOR_RARELY;
use super::*;
use crate::domain::event::EventData;
use crate::domain::test_shop::{
    after, credit, events, list, one_change_each, overdue, paid, scribe, scribe_at, sorted, time, told,
};

/// For how long what is paid or lost is kept here.
const RETAIN: TimeDelta = TimeDelta::days(90);

/// One pass: the two pending lists and the list of the paid ones.
#[derive(Debug, Clone, Default)]
struct Reading {
    within: Vec<Credit>,
    out: Vec<Credit>,
    paid: Vec<Credit>,
}

fn within(credits: &[Credit]) -> Reading {
    Reading { within: credits.to_vec(), ..Reading::default() }
}

fn out(credits: &[Credit]) -> Reading {
    Reading { out: credits.to_vec(), ..Reading::default() }
}

fn now_paid(credits: &[Credit]) -> Reading {
    Reading { paid: credits.to_vec(), ..Reading::default() }
}

fn pending(reading: &Reading) -> PendingCredits {
    let list = |credits: &[Credit]| Whole::vouch(credits.to_vec(), 0);
    PendingCredits::join(list(&reading.within), list(&reading.out))
}

/// Which are looked for by the limits of the contract.
fn wanted(pending: &PendingCredits, known: &Known<CreditRow>) -> BTreeSet<EntityId> {
    pending.wanted(known, &GuardLimits::default())
}

/// What is found of those that are looked for.
fn found(known: &Known<CreditRow>, reading: &Reading) -> PaidCredits {
    let wanted = wanted(&pending(reading), known);
    let paid = reading.paid.iter().filter(|credit| wanted.contains(&credit.id));
    let found = paid.map(|credit| (credit.id.clone(), credit.clone())).collect();
    PaidCredits { found, ..PaidCredits::default() }
}

fn terms(scribe: &Scribe) -> Terms<'_> {
    Terms { buckets: BUCKETS, forget_before: scribe.now() - RETAIN, scribe }
}

fn read(known: &Known<CreditRow>, reading: &Reading) -> Result<Vec<Change<CreditRow>>, Unbelievable> {
    compare(known, pending(reading), found(known, reading), &terms(&scribe()))
}

/// One pass, and what is known after it: of one that is not believed, what was missed in it.
fn pass(known: &Known<CreditRow>, reading: &Reading) -> (String, Known<CreditRow>) {
    match read(known, reading) {
        Ok(changes) => (told(&changes), after(known, &changes, None)),
        Err(_) => {
            let missed = misses(known, &pending(reading), &found(known, reading));
            ("not believed".to_owned(), after(known, &missed, None))
        }
    }
}

fn known(reading: &Reading) -> Known<CreditRow> {
    pass(&Known::Nothing, reading).1
}

/// Reads one after the other, the first as the baseline, and says what each reading tells.
#[track_caller]
fn check(readings: &[Reading], want: &[&str]) {
    let mut known = Known::Nothing;
    let mut said = Vec::new();
    for reading in readings {
        let (told, next) = pass(&known, reading);
        said.push(told);
        known = next;
    }
    assert_eq!(said, want);
}

fn a() -> Credit {
    credit("a")
}

fn late() -> Credit {
    overdue(credit("a"))
}

fn settled() -> Credit {
    paid(credit("a"))
}

#[test]
fn a_first_reading_makes_no_event() {
    let both = Reading { within: vec![credit("b")], out: vec![late()], paid: Vec::new() };
    check(&[both.clone(), both], &["", ""]);
    check(&[Reading::default(), Reading::default()], &["", ""]);
}

#[test]
fn after_an_empty_first_reading_the_next_credit_is_an_event() {
    check(&[Reading::default(), within(&[a()]), within(&[a()])], &["", "credit.created credit/a", ""]);
}

#[test]
fn a_credit_that_falls_due_is_told_once() {
    check(
        &[within(&[a()]), out(&[late()]), out(&[late()]), out(&[Credit { days_overdue: Some(2), ..late() }])],
        &["", "credit.overdue credit/a", "", ""],
    );
}

#[test]
fn a_credit_that_is_first_seen_overdue_is_created_and_then_overdue() {
    let both = "credit.created credit/a, credit.overdue credit/a";
    check(&[within(&[]), out(&[late()]), out(&[late()])], &["", both, ""]);
}

#[test]
fn overdue_is_told_once_though_it_goes_in_and_out_of_its_period() {
    check(
        &[within(&[a()]), out(&[late()]), within(&[a()]), out(&[late()]), within(&[a()])],
        &["", "credit.overdue credit/a", "", "", ""],
    );
    check(&[out(&[late()]), within(&[a()]), out(&[late()])], &["", "", ""]);
}

#[test]
fn a_credit_that_falls_due_between_the_two_lists_is_overdue_and_not_two() {
    let both = Reading { within: vec![a()], out: vec![late()], paid: Vec::new() };
    check(&[within(&[a()]), both.clone(), out(&[late()])], &["", "credit.overdue credit/a", ""]);
    check(&[within(&[]), both], &["", "credit.created credit/a, credit.overdue credit/a"]);
}

#[test]
fn a_credit_is_paid_only_when_two_passes_miss_it_and_it_is_found_among_the_paid_ones() {
    let b = credit("b");
    check(
        &[within(&[a(), b.clone()]), within(std::slice::from_ref(&b)), within(&[a(), b.clone()]), within(&[b])],
        &["", "", "", ""],
    );
    for before in [within(&[a()]), out(&[late()])] {
        let paid = || Reading { paid: vec![settled()], ..within(&[credit("b")]) };
        let both = Reading { within: [before.within.clone(), vec![credit("b")]].concat(), ..before };
        check(&[both, paid(), paid(), paid()], &["", "", "credit.paid credit/a", ""]);
    }
}

#[test]
fn what_was_paid_before_posbell_came_is_no_event() {
    check(&[now_paid(&[settled()]), now_paid(&[settled()])], &["", ""]);
}

#[test]
fn a_credit_that_is_found_nowhere_has_no_status_and_is_paid_or_owed_again_when_it_is_found() {
    let (both, rest) = (within(&[a(), credit("b")]), within(&[credit("b")]));
    let (updated, paid) = ("credit.updated credit/a", "credit.paid credit/a");
    let later = Reading { paid: vec![settled()], ..rest.clone() };
    check(&[both.clone(), rest.clone(), rest.clone(), rest.clone(), later], &["", "", updated, "", paid]);
    check(&[both.clone(), rest.clone(), rest.clone(), both.clone(), both.clone()], &["", "", updated, updated, ""]);
    let known = pass(&known(&both), &rest).1;
    let changes = read(&known, &rest).unwrap();
    let EventData::Credit { credit, changed, .. } = &events(&changes)[0].data else { panic!("{changes:?}") };
    assert_eq!((credit.status, changed.join(" ").as_str()), (None, "status"));
}

#[test]
fn an_empty_list_where_rows_must_be_is_not_believed() {
    let two = known(&within(&[a(), credit("b")]));
    assert_eq!(read(&two, &Reading::default()), Err(Unbelievable::Empty { known: 2 }));
    let missed = pass(&two, &now_paid(&[settled()])).1;
    assert_eq!(read(&missed, &now_paid(&[settled()])), Err(Unbelievable::Empty { known: 1 }));
}

#[test]
fn a_list_without_one_known_credit_is_of_another_shop_unless_they_were_paid() {
    let three = || ["a", "b", "c"].map(credit);
    let before = known(&within(&three()));
    let others = within(&[credit("d")]);
    assert_eq!(read(&before, &others), Err(Unbelievable::OtherShop { known: 3 }));
    assert!(read(&before, &within(&[credit("d"), a()])).is_ok());
    let all_paid = Reading { paid: three().map(paid).to_vec(), ..others };
    let told = "credit.paid credit/a, credit.paid credit/b, credit.paid credit/c, credit.created credit/d";
    check(&[within(&three()), all_paid.clone(), all_paid], &["", "not believed", told]);
}

#[test]
fn no_credit_at_all_is_a_good_answer() {
    let all_paid = || now_paid(&[settled(), paid(credit("b"))]);
    check(
        &[within(&[a(), credit("b")]), all_paid(), all_paid(), Reading::default()],
        &["", "not believed", "credit.paid credit/a, credit.paid credit/b", ""],
    );
}

#[test]
fn rows_that_could_not_be_read_are_rows_all_the_same() {
    let pending = PendingCredits::join(Whole::vouch(Vec::new(), 0), Whole::vouch(Vec::new(), 1));
    let changes = compare(&known(&within(&[a()])), pending, PaidCredits::default(), &terms(&scribe())).unwrap();
    assert_eq!(told(&changes), "");
}

#[test]
fn only_known_credits_that_two_passes_missed_are_looked_for_among_the_paid_ones() {
    let both = known(&within(&[a(), credit("b")]));
    let rest = Reading { paid: vec![settled()], ..within(&[credit("b")]) };
    assert_eq!(wanted(&pending(&rest), &both), BTreeSet::new());
    let once = pass(&both, &rest).1;
    assert_eq!(wanted(&pending(&rest), &once), [a().id].into());
    let paid = pass(&once, &rest).1;
    assert_eq!(wanted(&pending(&rest), &paid), BTreeSet::new());
    assert_eq!(wanted(&pending(&Reading::default()), &Known::Nothing), BTreeSet::new());
}

#[test]
fn a_credit_that_is_found_nowhere_is_looked_for_rarely_and_found_in_the_end() {
    let rest = within(&[credit("b")]);
    let mut known = known(&within(&[a(), credit("b")]));
    let (mut looks, mut said) = (Vec::new(), Vec::new());
    for missed in 0..=4 * LOOKED_FOR_RARELY {
        looks.extend(wanted(&pending(&rest), &known).into_iter().map(|_| missed));
        let (told, next) = pass(&known, &rest);
        said.extend((!told.is_empty()).then_some(told));
        known = next;
    }
    assert_eq!(looks, [1, 2, 3, LOOKED_FOR_RARELY, 2 * LOOKED_FOR_RARELY, 4 * LOOKED_FOR_RARELY]);
    assert_eq!(said, ["credit.updated credit/a"]);
    let found = Reading { paid: vec![settled()], ..rest };
    let passes = (0..4 * LOOKED_FOR_RARELY).find(|_| {
        let (told, next) = pass(&known, &found);
        known = next;
        told == "credit.paid credit/a"
    });
    assert!(passes.is_some(), "never found");
}

#[test]
fn a_credit_that_comes_back_is_looked_for_as_if_it_had_never_been_away() {
    let b = credit("b");
    let (both, rest) = (within(&[a(), b.clone()]), within(&[b]));
    let readings = [&both, &rest, &rest, &rest, &rest, &both];
    let known = readings.into_iter().fold(Known::Nothing, |known, reading| pass(&known, reading).1);
    assert_eq!(known.row(&a().id).map(|row| row.missed), Some(0));
}

#[test]
fn credits_that_are_read_by_other_fields_are_taken_without_a_word_also_when_they_were_away() {
    let other = |credit: Credit| Credit { code: None, balance: None, ..credit };
    let before = known(&Reading { within: vec![a(), credit("away")], out: vec![overdue(credit("b"))], paid: vec![] });
    let now =
        Reading { within: vec![other(a()), other(credit("b"))], out: vec![other(overdue(credit("c")))], paid: vec![] };
    let changes = take_quietly(&before, pending(&now), &terms(&scribe()));
    assert_eq!(told(&changes), "");
    let after = after(&before, &changes, None);
    let begun = u64::try_from(scribe().now().timestamp_millis()).unwrap();
    let state =
        |name: &str| after.row(&credit(name).id).map(|row| (row.counter - begun, row.overdue_told, row.read_otherwise));
    let states = ["a", "b", "c", "away"].map(state);
    assert_eq!(states, [(0, false, false), (0, true, false), (0, true, false), (0, false, true)].map(Some));
    let back = Reading { within: [now.within.clone(), vec![other(credit("away"))]].concat(), ..now };
    assert_eq!(told(&read(&after, &back).unwrap()), "");
}

#[test]
fn a_credit_that_is_paid_reopened_and_paid_again_has_three_ids() {
    let b = credit("b");
    let gone = || Reading { paid: vec![settled()], ..within(std::slice::from_ref(&b)) };
    let mut known = known(&within(&[a(), b.clone()]));
    let mut ids = BTreeSet::new();
    for reading in [gone(), gone(), within(&[a(), b.clone()]), gone(), gone()] {
        let changes = read(&known, &reading).unwrap();
        ids.extend(events(&changes).into_iter().map(|event| event.id.clone()));
        known = after(&known, &changes, None);
    }
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_new_credit_is_told_at_its_own_time_and_the_others_when_they_were_seen() {
    let seen = "2026-11-23T03:00:00Z";
    for (before, reading, at) in [
        (within(&[]), within(&[a()]), "2026-11-01T02:00:00Z"),
        (within(&[]), within(&[Credit { issued_at: None, ..a() }]), seen),
        (within(&[a()]), out(&[late()]), seen),
        (within(&[a()]), now_paid(&[settled()]), seen),
    ] {
        let known = known(&before);
        let known = if reading.paid.is_empty() { known } else { pass(&known, &reading).1 };
        assert_eq!(events(&read(&known, &reading).unwrap())[0].time, time(at));
    }
}

#[test]
fn an_event_shows_the_credit_as_it_was() {
    let missed = pass(&known(&within(&[a()])), &now_paid(&[settled()])).1;
    let changes = read(&missed, &now_paid(&[settled()])).unwrap();
    let EventData::Credit { credit, previous, changed } = &events(&changes)[0].data else { panic!("{changes:?}") };
    assert_eq!((&**credit, previous.as_deref()), (&settled(), Some(&a())));
    assert_eq!(changed.join(" "), "balance status");
}

#[test]
fn overdue_credits_are_counted_while_they_are_owed() {
    let known =
        known(&Reading { within: vec![a()], out: vec![overdue(credit("b")), overdue(credit("c"))], paid: vec![] });
    let rest = Reading { within: vec![a()], out: vec![overdue(credit("b"))], paid: vec![paid(credit("c"))] };
    let known = pass(&pass(&known, &rest).1, &rest).1;
    assert_eq!(count_overdue(known.rows()), 1);
}

#[test]
fn an_empty_list_is_believed_again_when_its_last_credit_stays_lost() {
    let mut known = known(&within(&[a()]));
    for _ in 0..EXPECTED_FOR {
        assert_eq!(read(&known, &Reading::default()), Err(Unbelievable::Empty { known: 1 }));
        known = pass(&known, &Reading::default()).1;
    }
    assert_eq!(told(&read(&known, &Reading::default()).unwrap()), "credit.updated credit/a");
}
