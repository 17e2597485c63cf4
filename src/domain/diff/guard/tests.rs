//! Is what a shop's day does not do held, and is everything else let through?

mod counted;
mod small;

use proptest::prelude::*;

use super::Suspicion::{Cancelled, Doubled, Emptied, Implausible, QuantityLost, Renamed, Rewritten, ToZero, Vanished};
use super::*;
use crate::domain::test_shop::{row, time};

const EVERY: Duration = Duration::from_secs(120);

fn at(minutes: i64) -> Timestamp {
    time("2026-11-23T03:00:00Z") + TimeDelta::minutes(minutes)
}

/// A census of a shop of 1,000 rows, 200 of which may change, in which so many rows do this and no other thing.
fn census(parts: &[(Suspicion, u64)]) -> Census {
    let rows = |wanted| parts.iter().filter(|(suspicion, _)| *suspicion == wanted).map(|(_, rows)| rows).sum();
    let counts = Counts {
        suspicious: parts.iter().map(|(_, rows)| rows).sum(),
        vanished: rows(Vanished),
        quantity_lost: rows(QuantityLost),
        to_zero: rows(ToZero),
        renamed: rows(Renamed),
        emptied: rows(Emptied),
        rewritten: rows(Rewritten),
        cancelled: rows(Cancelled),
        doubled: rows(Doubled),
        implausible: rows(Implausible),
    };
    Census { known: 1_000, counts, changed: counts.suspicious, ..Census::default() }
}

/// A shop that is read again and again.
#[derive(Default)]
struct Readings {
    record: GuardRecord,
    limits: GuardLimits,
}

impl Readings {
    fn read(&mut self, minute: i64, parts: &[(Suspicion, u64)]) -> String {
        self.judge(minute, census(parts))
    }

    /// What becomes of one reading: `held`, `held and told 1`, `believed`, `believed, cleared, in one message`.
    fn judge(&mut self, minute: i64, census: Census) -> String {
        match judge(census, &self.limits, &self.record, at(minute), EVERY) {
            Verdict::Believe { summary, clears, record } => {
                self.record = record.unwrap_or(self.record.clone());
                assert_eq!(self.record.held, None);
                let said = [("believed", true), ("cleared", clears), ("in one message", summary)];
                said.into_iter().filter(|(_, is)| *is).map(|(word, _)| word).collect::<Vec<_>>().join(", ")
            }
            Verdict::Hold { record, notice } => {
                assert!(record.held.is_some());
                self.record = record;
                notice.map_or("held".to_owned(), |counter| format!("held and told {counter}"))
            }
        }
    }

    fn decide(&mut self, decision: Decision) {
        self.record.held = self.record.held.take().map(|held| held.after(decision));
    }

    /// Reads the same every two minutes, and says in which minute it was believed.
    fn until_believed(&mut self, minutes: std::ops::Range<i64>, parts: &[(Suspicion, u64)]) -> Option<i64> {
        minutes.step_by(2).find(|minute| self.read(*minute, parts).starts_with("believed"))
    }
}

#[test]
fn more_rows_than_the_larger_of_both_limits_are_too_many() {
    for (known, min, percent, limit) in [
        (49, 10, 20, 10),
        (54, 10, 20, 10),
        (55, 10, 20, 11),
        (100_000, 10, 20, 20_000),
        (1_000, 300, 20, 300),
        (1_000, 0, 0, 0),
        (u64::MAX, 0, 100, u64::MAX),
    ] {
        let limits = GuardLimits { max_changed_percent: percent, min_changed: min, ..GuardLimits::default() };
        assert_eq!(limits.limit(known), limit, "{known} {min} {percent}");
    }
}

#[test]
fn each_suspicion_is_held_above_the_limit_and_not_at_it() {
    for suspicion in Suspicion::ALL {
        assert_eq!(Readings::default().read(0, &[(suspicion, 200)]), "believed", "{suspicion:?}");
        assert_eq!(Readings::default().read(0, &[(suspicion, 201)]), "held and told 1", "{suspicion:?}");
    }
    assert_eq!(Readings::default().read(0, &[(Vanished, 101), (Renamed, 100)]), "held and told 1");
}

#[test]
fn what_a_day_may_do_to_every_row_is_believed_and_told_in_one_message() {
    let mut prices = Tally::of_known(1_000);
    let product = row("a", "5").product;
    for _ in 0..1_000 {
        prices.product(&product, &product, true, false);
    }
    assert_eq!(Readings::default().judge(0, prices.census()), "believed, in one message");
    let mut deliveries = Tally::of_known(1_000);
    for _ in 0..1_000 {
        deliveries.product(&product, &row("a", "90").product, false, false);
    }
    assert_eq!(Readings::default().judge(0, deliveries.census()), "believed");
    let mut import = Tally::of_known(20);
    for _ in 0..500 {
        import.change();
    }
    assert_eq!(Readings::default().judge(0, import.census()), "believed, in one message");
}

#[test]
fn what_a_field_that_was_accepted_as_gone_makes_a_pass_later_is_one_message_too() {
    let mut shop = Readings::default();
    assert_eq!(shop.until_believed(0..100, &[(Emptied, 900)]), Some(60));
    // The second pass without it believes it: the same rows are shown again, and told.
    assert_eq!(shop.judge(62, Census { told: 900, ..census(&[(Emptied, 900)]) }), "believed, in one message");
    assert_eq!(shop.judge(64, census(&[(Emptied, 900)])), "believed");
}

#[test]
fn it_is_told_once_and_then_daily_and_a_good_pass_ends_it() {
    let mut shop = Readings::default();
    let gone = [(Vanished, 500)];
    assert_eq!(shop.read(0, &gone), "held and told 1");
    for minute in (2..24 * 60).step_by(2) {
        assert_eq!(shop.read(minute, &gone), "held", "{minute}");
    }
    assert_eq!(shop.read(24 * 60, &gone), "held and told 2");
    assert_eq!(shop.read(24 * 60 + 2, &gone), "held");
    assert_eq!(shop.record.held.as_ref().unwrap().since, at(0));
    assert_eq!(shop.read(24 * 60 + 4, &[(ToZero, 3)]), "believed, cleared");
    assert_eq!(shop.read(24 * 60 + 6, &gone), "held and told 3", "a notice has a counter that no other had");
}

#[test]
fn a_change_that_stands_for_an_hour_is_believed_but_not_what_is_missing() {
    for (parts, want) in [
        (&[(Renamed, 900)][..], Some(60)),
        (&[(ToZero, 900)], Some(60)),
        (&[(Renamed, 900), (Vanished, 200)], Some(60)),
        (&[(Vanished, 900)], None),
        (&[(QuantityLost, 900)], None),
        (&[(Renamed, 500), (Vanished, 101), (QuantityLost, 100)], None),
    ] {
        assert_eq!(Readings::default().until_believed(0..3_000, parts), want, "{parts:?}");
    }
    let mut shop = Readings::default();
    assert_eq!(shop.until_believed(0..60, &[(Renamed, 900)]), None);
    assert_eq!(shop.read(60, &[(Renamed, 905)]), "believed, cleared, in one message");
}

#[test]
fn three_passes_must_agree_however_rare_they_are() {
    let every = Duration::from_secs(6 * 3600);
    let mut record = GuardRecord::default();
    for (pass, held) in [true, true, false].into_iter().enumerate() {
        let now = at(360 * i64::try_from(pass).unwrap());
        match judge(census(&[(Renamed, 500)]), &GuardLimits::default(), &record, now, every) {
            Verdict::Hold { record: next, .. } if held => record = next,
            Verdict::Believe { .. } if !held => {}
            other => panic!("{pass}: {other:?}"),
        }
    }
}

#[test]
fn another_change_starts_the_hour_anew_and_a_shop_that_sells_on_does_not() {
    let mut shop = Readings::default();
    assert_eq!(shop.until_believed(0..60, &[(Renamed, 500)]), None);
    assert_eq!(shop.read(60, &[(Renamed, 700)]), "held");
    assert_eq!(shop.until_believed(62..180, &[(Renamed, 700)]), Some(120));
    let mut shop = Readings::default();
    assert_eq!(shop.until_believed(0..60, &[(Renamed, 500)]), None);
    assert_eq!(shop.read(60, &[(ToZero, 500)]), "held");
    let mut shop = Readings::default();
    let believed = (0..70).step_by(2).find(|minute| {
        let sold_out = u64::try_from(*minute).unwrap();
        shop.read(*minute, &[(Renamed, 210), (ToZero, sold_out)]).starts_with("believed")
    });
    assert_eq!(believed, Some(60));
}

#[test]
fn a_clock_that_is_set_neither_ends_the_hour_nor_stops_it() {
    for (name, step) in [("a day on", 1_440), ("a year on", 525_600), ("an hour back", -60), ("a year back", -525_600)]
    {
        let mut shop = Readings::default();
        let believed = (0..200).step_by(2).find(|minute| {
            let clock = if *minute >= 20 { *minute + step } else { *minute };
            shop.read(clock, &[(Renamed, 900)]).starts_with("believed")
        });
        assert!(matches!(believed, Some(58..=62)), "{name}: {believed:?}");
    }
    let mut shop = Readings::default();
    shop.read(525_600, &[(Vanished, 900)]);
    shop.read(0, &[(Vanished, 900)]);
    assert_eq!(shop.read(1_438, &[(Vanished, 900)]), "held");
    assert_eq!(shop.read(1_440, &[(Vanished, 900)]), "held and told 2", "a notice from the future hides no other");
    assert_eq!(shop.record.held.unwrap().since, at(0));
}

#[test]
fn what_a_person_releases_is_believed_with_the_next_pass_and_stays_believed() {
    for suspicion in Suspicion::ALL {
        let mut shop = Readings::default();
        assert_eq!(shop.read(0, &[(suspicion, 500)]), "held and told 1");
        shop.decide(Decision::Release);
        assert_eq!(shop.read(2, &[(suspicion, 540)]), "believed, cleared, in one message");
        // What the snapshot keeps is shown again by every pass.
        if suspicion.is_shown_again() {
            assert_eq!(shop.read(4, &[(suspicion, 545)]), "believed");
        }
        assert_eq!(shop.read(6, &[]), "believed");
        assert_eq!(shop.record, GuardRecord { notices: 1, ..GuardRecord::default() });
        assert_eq!(shop.read(8, &[(suspicion, 540)]), "held and told 2");
    }
}

#[test]
fn a_release_is_for_what_the_person_saw() {
    let mut shop = Readings::default();
    shop.read(0, &[(ToZero, 500)]);
    shop.decide(Decision::Release);
    assert_eq!(shop.read(2, &[(ToZero, 551)]), "held and told 2");
    assert_eq!(shop.read(4, &[(ToZero, 551)]), "held");
    shop.decide(Decision::Release);
    assert_eq!(shop.read(6, &[(Renamed, 500)]), "held and told 3");
    shop.decide(Decision::Release);
    assert_eq!(shop.read(8, &[(Renamed, 300)]), "believed, cleared, in one message");
    assert_eq!(shop.read(10, &[(ToZero, 300)]), "held and told 4");
    shop.decide(Decision::Release);
    assert_eq!(shop.read(12, &[(ToZero, 300), (Renamed, 40)]), "believed, cleared, in one message");
    assert_eq!(shop.read(14, &[(ToZero, 300)]), "held and told 5", "what is at zero now does not fall to it again");
}

#[test]
fn the_sum_of_several_changes_is_compared_where_none_is_over_the_limit_alone() {
    let both = |rows| [(ToZero, rows), (Renamed, rows)];
    let mut shop = Readings::default();
    assert_eq!(shop.until_believed(0..60, &both(110)), None);
    assert_eq!(shop.read(60, &both(130)), "held");
    assert_eq!(shop.until_believed(62..180, &both(130)), Some(120));
    let mut shop = Readings::default();
    shop.read(0, &both(110));
    shop.decide(Decision::Release);
    assert_eq!(shop.read(2, &both(130)), "held and told 2");
    shop.decide(Decision::Release);
    assert_eq!(shop.read(4, &both(140)), "believed, cleared, in one message");
}

#[test]
fn codes_that_are_gone_and_were_accepted_are_not_held_again() {
    let mut shop = Readings::default();
    assert_eq!(shop.until_believed(0..100, &[(Renamed, 900)]), Some(60));
    assert_eq!(shop.read(62, &[(Renamed, 900)]), "believed");
    assert_eq!(shop.read(64, &[(Renamed, 900), (Vanished, 201)]), "held and told 2");
}

#[test]
fn what_a_person_drops_is_refused_without_a_word_until_it_is_something_else() {
    let mut shop = Readings::default();
    shop.read(0, &[(Renamed, 500)]);
    shop.decide(Decision::Drop);
    for minute in (2..3 * 1_440).step_by(2) {
        assert_eq!(shop.read(minute, &[(Renamed, 500)]), "held", "{minute}");
    }
    assert_eq!(shop.read(5_000, &[(Renamed, 900)]), "held and told 2");
    shop.decide(Decision::Drop);
    shop.decide(Decision::Release);
    assert_eq!(shop.read(5_002, &[(Renamed, 900)]), "believed, cleared, in one message");
}

/// Readings as an API that fails in every way gives them, with clocks that jump and people who decide.
fn history() -> impl Strategy<Value = Vec<(i64, [u64; 4], u8)>> {
    let counts = proptest::array::uniform4(prop_oneof![Just(0), 0..60_u64, 150..260_u64]);
    proptest::collection::vec((-3_000..3_000_i64, counts, 0..8_u8), 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_came_before_a_good_pass_is_believed_and_a_bad_one_only_on_someones_word(history in history()) {
        let mut shop = Readings::default();
        let mut clock = 0;
        let mut told = 0;
        for (step, [vanished, lost, zero, renamed], decision) in history {
            clock += step;
            let parts = [(Vanished, vanished), (QuantityLost, lost), (ToZero, zero), (Renamed, renamed)];
            let census = census(&parts);
            let before = shop.record.clone();
            let released = before.held.as_ref().is_some_and(|held| held.standing == Standing::Released);
            let believed = match judge(census.clone(), &shop.limits, &before, at(clock), EVERY) {
                Verdict::Believe { clears, record, summary } => {
                    prop_assert_eq!(clears, before.held.is_some());
                    prop_assert!(!clears || record.is_some(), "a held pass that ends is forgotten");
                    prop_assert!(summary || census.changed <= 200 || before.settled != Counts::default());
                    shop.record = record.unwrap_or(before.clone());
                    true
                }
                Verdict::Hold { record, notice } => {
                    told += u64::from(notice.is_some());
                    prop_assert_eq!(notice.unwrap_or(told), told, "no counter is left out or given twice");
                    shop.record = record;
                    false
                }
            };
            prop_assert_eq!(shop.record.notices, told);
            if census.counts.suspicious <= 200 {
                prop_assert!(believed, "{census:?}");
            } else if vanished + lost > 200 && !released && before.settled == Counts::default() {
                prop_assert!(!believed, "{census:?}");
            }
            let same = before.held.as_ref().is_some_and(|held| held.census.counts == census.counts);
            prop_assert!(believed || !(released && same), "a release works at once");
            match decision {
                0 | 1 => shop.decide(Decision::Release),
                2 => shop.decide(Decision::Drop),
                _ => {}
            }
            if decision == 1 && let Some(held) = shop.record.held.clone() {
                let verdict = judge(held.census, &shop.limits, &shop.record, at(clock), EVERY);
                prop_assert!(matches!(verdict, Verdict::Believe { summary: true, clears: true, .. }), "{verdict:?}");
            }
        }
    }

    #[test]
    fn nothing_known_holds_nothing(changes in 0..500_u64) {
        let mut census = census(&[(Renamed, changes)]);
        census.known = 0;
        prop_assert_eq!(Readings::default().judge(0, census), "believed");
    }
}

#[test]
fn what_is_told_through_a_held_pass_lets_no_more_of_the_others_change() {
    let of = |known: u64, vanished: u64| {
        let counts = Counts { suspicious: vanished, vanished, ..Counts::default() };
        Census { known, counts, changed: vanished, ..Census::default() }
    };
    let mut shop = Readings::default();
    assert_eq!(shop.judge(0, of(61, 20)), "held and told 1");
    shop.record.tell_through(40);
    // Of 101 rows twenty might be away.
    assert_eq!(shop.judge(2, of(101, 20)), "held");
    shop.decide(Decision::Drop);
    shop.record.tell_through(40);
    assert_eq!(shop.judge(4, of(141, 20)), "held");
    assert_eq!(shop.judge(6, of(141, 141)), "held and told 2", "another change is held from the same moment");
    assert_eq!(shop.record.held.as_ref().map(|held| (held.since, held.through)), Some((at(0), 80)));
    assert_eq!(shop.judge(8, of(141, 0)), "believed, cleared");
    assert_eq!(shop.judge(10, of(141, 28)), "believed", "then they are known like all others");
    assert_eq!(shop.judge(12, of(141, 29 + 28)), "held and told 3");
}

#[test]
fn a_record_of_an_older_version_has_told_nothing_through_its_held_pass() {
    let mut shop = Readings::default();
    shop.read(0, &[(Vanished, 300)]);
    let written = serde_json::to_string(&shop.record).unwrap();
    assert!(!written.contains("through"), "{written}");
    assert_eq!(serde_json::from_str::<GuardRecord>(&written).unwrap(), shop.record);
}
