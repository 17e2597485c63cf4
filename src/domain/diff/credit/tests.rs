//! Is every credit told once when it is new, overdue and paid, and nothing concluded of one that is lost?

use proptest::prelude::*;

use super::*;
use crate::domain::event::EventData;
use crate::domain::test_shop::{
    after, credit, events, list, one_change_each, overdue, paid, scribe, sorted, time, told,
};

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

fn read(known: &Known<CreditRow>, reading: &Reading) -> Result<Vec<Change<CreditRow>>, Unbelievable> {
    let list = |credits: &[Credit]| Whole::vouch(credits.to_vec(), 0);
    let pending = PendingCredits::join(list(&reading.within), list(&reading.out));
    let wanted = pending.wanted(known);
    let paid = reading.paid.iter().filter(|credit| wanted.contains(&credit.id));
    compare(known, pending, paid.map(|credit| (credit.id.clone(), credit.clone())).collect(), &scribe())
}

fn known(reading: &Reading) -> Known<CreditRow> {
    after(&Known::Nothing, &read(&Known::Nothing, reading).unwrap(), None)
}

/// Reads one after the other, the first as the baseline, and says what each reading tells.
#[track_caller]
fn check(readings: &[Reading], want: &[&str]) {
    let mut known = Known::Nothing;
    let mut said = Vec::new();
    for reading in readings {
        let changes = read(&known, reading).unwrap();
        said.push(told(&changes));
        known = after(&known, &changes, None);
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
fn a_credit_is_paid_only_when_it_is_found_among_the_paid_ones() {
    let b = credit("b");
    check(
        &[within(&[a(), b.clone()]), within(std::slice::from_ref(&b)), within(&[a(), b.clone()]), within(&[b])],
        &["", "", "", ""],
    );
    check(&[within(&[a()]), now_paid(&[settled()]), Reading::default()], &["", "credit.paid credit/a", ""]);
    check(&[out(&[late()]), now_paid(&[settled()]), Reading::default()], &["", "credit.paid credit/a", ""]);
}

#[test]
fn what_was_paid_before_posbell_came_is_no_event() {
    check(&[now_paid(&[settled()]), now_paid(&[settled()])], &["", ""]);
}

#[test]
fn a_lost_credit_concludes_nothing_and_is_found_again() {
    let b = credit("b");
    let changes = read(&known(&within(&[a(), b.clone()])), &within(std::slice::from_ref(&b))).unwrap();
    let kept = changes[0].row.as_ref().map(|row| (&row.credit, row.missed));
    assert_eq!((changes.len(), told(&changes).as_str(), kept), (1, "", Some((&a(), 1))));
    let later = Reading { paid: vec![settled()], ..within(std::slice::from_ref(&b)) };
    check(&[within(&[a(), b.clone()]), within(&[b]), later], &["", "", "credit.paid credit/a"]);
}

#[test]
fn an_empty_list_where_rows_must_be_is_not_believed() {
    let two = known(&within(&[a(), credit("b")]));
    assert_eq!(read(&two, &Reading::default()), Err(Unbelievable::Empty { known: 2 }));
    assert_eq!(read(&two, &now_paid(&[settled()])), Err(Unbelievable::Empty { known: 1 }));
}

#[test]
fn no_credit_at_all_is_a_good_answer() {
    let all_paid = now_paid(&[settled(), paid(credit("b"))]);
    check(
        &[within(&[a(), credit("b")]), all_paid, Reading::default()],
        &["", "credit.paid credit/a, credit.paid credit/b", ""],
    );
}

#[test]
fn rows_that_could_not_be_read_are_rows_all_the_same() {
    let pending = PendingCredits::join(Whole::vouch(Vec::new(), 0), Whole::vouch(Vec::new(), 1));
    let changes = compare(&known(&within(&[a()])), pending, BTreeMap::new(), &scribe()).unwrap();
    assert_eq!(told(&changes), "");
}

#[test]
fn only_known_credits_that_are_still_owed_are_looked_for_among_the_paid_ones() {
    let known = known(&within(&[a(), credit("b")]));
    let known =
        after(&known, &read(&known, &Reading { paid: vec![settled()], ..within(&[credit("b")]) }).unwrap(), None);
    let nothing = || PendingCredits::join(Whole::vouch(Vec::new(), 0), Whole::vouch(Vec::new(), 0));
    assert_eq!(nothing().wanted(&known), [credit("b").id].into());
    assert_eq!(nothing().wanted(&Known::Nothing), BTreeSet::new());
}

#[test]
fn a_credit_that_is_found_nowhere_is_looked_for_rarely_and_found_in_the_end() {
    let rest = || within(&[credit("b")]);
    let mut known = known(&within(&[a(), credit("b")]));
    let mut looks = Vec::new();
    for pass in 0..=2 * LOOKED_FOR_RARELY {
        let pending = PendingCredits::join(Whole::vouch(rest().within, 0), Whole::vouch(Vec::new(), 0));
        looks.extend(pending.wanted(&known).into_iter().map(|_| pass));
        let changes = read(&known, &rest()).unwrap();
        assert_eq!(told(&changes), "");
        known = after(&known, &changes, None);
    }
    assert_eq!(looks, [0, 1, 2, LOOKED_FOR_RARELY, 2 * LOOKED_FOR_RARELY]);
    let (found, mut passes) = (Reading { paid: vec![settled()], ..rest() }, 0);
    while told(&read(&known, &found).unwrap()).is_empty() {
        known = after(&known, &read(&known, &found).unwrap(), None);
        passes += 1;
        assert!(passes < LOOKED_FOR_RARELY, "never found");
    }
}

#[test]
fn a_credit_that_comes_back_is_looked_for_as_if_it_had_never_been_away() {
    let b = credit("b");
    let (both, rest) = (within(&[a(), b.clone()]), within(&[b]));
    let readings = [&both, &rest, &rest, &rest, &rest, &both];
    let known = readings
        .into_iter()
        .fold(Known::Nothing, |known, reading| after(&known, &read(&known, reading).unwrap(), None));
    assert_eq!(known.row(&a().id).map(|row| row.missed), Some(0));
}

#[test]
fn credits_that_are_read_by_other_fields_are_taken_without_a_word() {
    let known = known(&Reading { within: vec![a()], out: vec![overdue(credit("b"))], paid: Vec::new() });
    let known = after(
        &known,
        &read(&known, &Reading { within: vec![credit("b")], paid: vec![settled()], ..Reading::default() }).unwrap(),
        None,
    );
    let other = |credit: Credit| Credit { code: None, balance: None, ..credit };
    let lists =
        (Whole::vouch(vec![other(a()), other(credit("b"))], 0), Whole::vouch(vec![other(overdue(credit("c")))], 0));
    let changes = take_quietly(&known, PendingCredits::join(lists.0, lists.1));
    assert_eq!(told(&changes), "");
    let rows: Vec<_> =
        changes.iter().filter_map(|change| change.row.as_ref()).map(|row| (row.counter, row.overdue_told)).collect();
    assert_eq!(rows, [(1, false), (0, true), (0, true)]);
}

#[test]
fn a_credit_that_is_paid_reopened_and_paid_again_is_told_twice_with_two_ids() {
    let mut known = known(&within(&[a()]));
    let mut ids = BTreeSet::new();
    for reading in [now_paid(&[settled()]), within(&[a()]), now_paid(&[settled()])] {
        let changes = read(&known, &reading).unwrap();
        ids.extend(events(&changes).into_iter().map(|event| event.id.clone()));
        known = after(&known, &changes, None);
    }
    assert_eq!(ids.len(), 2);
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
        assert_eq!(events(&read(&known(&before), &reading).unwrap())[0].time, time(at));
    }
}

#[test]
fn an_event_shows_the_credit_as_it_was() {
    let changes = read(&known(&within(&[a()])), &now_paid(&[settled()])).unwrap();
    let EventData::Credit { credit, previous, .. } = &events(&changes)[0].data else { panic!("{changes:?}") };
    assert_eq!((&**credit, previous.as_deref()), (&settled(), Some(&a())));
}

#[test]
fn overdue_credits_are_counted_while_they_are_owed() {
    let known =
        known(&Reading { within: vec![a()], out: vec![overdue(credit("b")), overdue(credit("c"))], paid: vec![] });
    let rest = Reading { within: vec![a()], out: vec![overdue(credit("b"))], paid: vec![paid(credit("c"))] };
    let Known::Rows { rows, .. } = after(&known, &read(&known, &rest).unwrap(), None) else { panic!("was read") };
    assert_eq!(count_overdue(rows.values()), 1);
}

/// A credit, and in which of the lists it stands: 0 and 1 within, 2 and 3 out, 4 both, 5 paid.
fn any_credit(name: String) -> impl Strategy<Value = (Credit, u8)> + use<> {
    (0u8..6, 0i64..2).prop_map(move |(place, owed)| (Credit { balance: Some(owed.into()), ..credit(&name) }, place))
}

fn any_reading() -> impl Strategy<Value = Reading> {
    list(any_credit).prop_map(reading)
}

fn reading(credits: Vec<(Credit, u8)>) -> Reading {
    let mut reading = Reading::default();
    for (credit, place) in credits {
        match place {
            0 | 1 => reading.within.push(credit),
            2 | 3 => reading.out.push(overdue(credit)),
            4 => {
                reading.within.push(credit.clone());
                reading.out.push(overdue(credit));
            }
            _ => reading.paid.push(paid(credit)),
        }
    }
    reading
}

fn shuffled(credits: Vec<(Credit, u8)>) -> impl Strategy<Value = (Reading, Reading)> {
    (Just(credits.clone()).prop_map(reading), Just(credits).prop_shuffle().prop_map(reading))
}

proptest! {
    #[test]
    fn the_same_reading_twice_tells_nothing(readings in prop::collection::vec(any_reading(), 1..6)) {
        let mut known = Known::Nothing;
        for reading in readings {
            let Ok(changes) = read(&known, &reading) else { continue };
            prop_assert!(one_change_each(&changes));
            known = after(&known, &changes, None);
            let again = read(&known, &reading).unwrap();
            prop_assert_eq!(told(&again), "");
            // What is found nowhere is counted, and nothing else is written.
            let missed = |change: &Change<CreditRow>| change.row.as_ref().is_some_and(|row| row.missed > 1);
            prop_assert!(again.iter().all(missed), "{again:?}");
        }
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter(a in any_reading(), (b, c) in list(any_credit).prop_flat_map(shuffled)) {
        let known = known(&a);
        let [b, c] = [b, c].map(|reading| read(&known, &reading).map(|changes| sorted(&changes)));
        prop_assert_eq!(b, c);
    }

    #[test]
    fn no_id_is_told_twice_whatever_is_read(readings in prop::collection::vec(any_reading(), 1..12)) {
        let (mut known, mut seen) = (Known::Nothing, BTreeSet::new());
        for reading in readings {
            let Ok(changes) = read(&known, &reading) else { continue };
            known = after(&known, &changes, None);
            for event in events(&changes) {
                prop_assert!(seen.insert(event.id.clone()), "{} twice", event.kind);
            }
        }
    }
}

#[test]
fn an_empty_list_is_believed_again_when_its_last_credit_stays_lost() {
    let mut known = known(&within(&[a()]));
    for _ in 0..EXPECTED_FOR {
        assert_eq!(read(&known, &Reading::default()), Err(Unbelievable::Empty { known: 1 }));
        let nothing = PendingCredits::join(Whole::vouch(Vec::new(), 0), Whole::vouch(Vec::new(), 0));
        known = after(&known, &misses(&known, &nothing, &BTreeMap::new()), None);
    }
    assert_eq!(told(&read(&known, &Reading::default()).unwrap()), "");
}
