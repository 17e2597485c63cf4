//! When was something sold, in the last two weeks?
//!
//! One bit for each half hour of each day, so that a busy hour weighs no more than a quiet one and the whole is a few
//! hundred bytes for ever. What is older than two weeks falls out, so new hours are learnt within that time.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Timelike as _};
use serde::{Deserialize, Serialize};

/// How many days back sales say something: long enough to see each weekday twice, short enough to follow new hours.
const DAYS: i64 = 14;

/// On how many of these days something must have been sold before a night is believed in: a week shows the weekend.
/// A shop that sells on fewer is open always, which costs little where so little happens.
const ENOUGH_DAYS: usize = 7;

/// A sale may seem to be so far ahead, since tills have clocks of their own. One that is further ahead says nothing
/// about the time of day.
const AHEAD: TimeDelta = TimeDelta::minutes(30);

/// Half hours in a day.
const SLOTS: usize = 48;

/// How many half hours in a row without any sale make a night: four hours, of which half an hour at each end counts as
/// open. What is shorter is a lull or a break at noon.
const NIGHT: usize = 8;

/// What sales have shown of a shop's hours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// For each day with sales the half hours that had some, the first in the lowest bit.
    #[serde(default)]
    days: BTreeMap<NaiveDate, u64>,
    /// The latest sale.
    #[serde(default)]
    last_sale: Option<NaiveDateTime>,
}

impl Observed {
    /// Takes note of a sale; both times are the shop's own. Returns whether this has taught anything, so that what is
    /// known already need not be stored again.
    ///
    /// A sale from longer ago than two weeks or from the future is passed over; whatever comes, no more than the days
    /// around two weeks are kept.
    pub fn observe(&mut self, sold_at_local: NaiveDateTime, now_local: NaiveDateTime) -> bool {
        if sold_at_local - now_local > AHEAD || !is_recent(sold_at_local.date(), now_local.date()) {
            return false;
        }
        self.days.retain(|day, _| is_recent(*day, now_local.date()));
        let half_hours = self.days.entry(sold_at_local.date()).or_default();
        let before = *half_hours;
        *half_hours |= 1 << slot(sold_at_local);
        let news = *half_hours != before;
        // A last sale in the future was noted by a clock that has been set back since.
        let last = self.last_sale.filter(|last| *last - now_local <= AHEAD);
        self.last_sale = last.max(Some(sold_at_local));
        news
    }

    /// The latest sale, by the shop's own time.
    pub(super) fn last_sale(&self) -> Option<NaiveDateTime> {
        self.last_sale
    }

    /// Whether the shop is open around this time on other days; always where there were too few of them.
    pub(super) fn seems_open(&self, now_local: NaiveDateTime) -> bool {
        let recent = self.days.iter().filter(|(day, _)| is_recent(**day, now_local.date()));
        let (days, half_hours) = recent.fold((0, 0), |(days, all), (_, half_hours)| (days + 1, all | half_hours));
        if days < ENOUGH_DAYS {
            return true;
        }
        let sold = |slot: usize| half_hours & (1 << (slot % SLOTS)) != 0;
        let here = slot(now_local);
        // How many half hours without a sale lie before and behind this one, round the clock.
        let quiet = |step: usize| (1..SLOTS).take_while(|n| !sold(here + n * step)).count();
        let (behind, before) = (quiet(1), quiet(SLOTS - 1));
        let is_night = behind + before + 1 >= NIGHT;
        sold(here) || behind == 0 || before == 0 || !is_night
    }
}

/// Whether a day is one of the last two weeks; tomorrow is one too, for a till whose clock is ahead at midnight.
fn is_recent(day: NaiveDate, today: NaiveDate) -> bool {
    (-1..DAYS).contains(&(today - day).num_days())
}

/// The half hour of the day.
fn slot(local: NaiveDateTime) -> usize {
    (local.hour() * 2 + local.minute() / 30) as usize
}

#[cfg(test)]
mod tests {
    use super::super::{OpenHours, is_open};
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().expect("is a local time")
    }

    /// Something was sold at these times on each of the `days` days before 24 November, and the service was up.
    fn learnt(days: i64, times: &[&str]) -> Observed {
        let mut observed = Observed::default();
        for ago in (1..=days).rev() {
            for time in times {
                let sold = at(&format!("2026-11-24T{time}")) - TimeDelta::days(ago);
                observed.observe(sold, sold + TimeDelta::seconds(20));
            }
        }
        observed
    }

    #[track_caller]
    fn check(observed: &Observed, open: &[&str], closed: &[&str]) {
        for (times, expected) in [(open, true), (closed, false)] {
            for time in times {
                let now = at(&format!("2026-11-24T{time}"));
                assert_eq!(is_open(now, None, observed), expected, "at {time}");
            }
        }
    }

    const DAY: [&str; 5] = ["07:10:00", "11:00:00", "14:20:00", "17:30:00", "20:40:00"];

    #[test]
    fn sales_teach_the_hours_with_half_an_hour_on_both_sides() {
        let observed = learnt(10, &DAY);
        let open = ["06:30:00", "07:00:00", "09:00:00", "12:30:00", "18:00:00", "20:59:00", "21:29:59"];
        check(&observed, &open, &["21:30:00", "23:59:59", "00:00:00", "03:00:00", "06:29:59"]);
    }

    #[test]
    fn hours_over_midnight_are_learnt_too() {
        let evening = learnt(8, &["18:10:00", "21:00:00", "23:50:00", "01:40:00"]);
        check(&evening, &["17:30:00", "23:59:59", "00:00:00", "02:29:59"], &["02:30:00", "12:00:00", "17:29:59"]);
    }

    #[test]
    fn less_than_a_week_teaches_nothing() {
        let at_night = ["00:00:00", "03:00:00", "23:00:00"];
        check(&Observed::default(), &at_night, &[]);
        check(&learnt(6, &DAY), &at_night, &[]);
        check(&learnt(7, &DAY), &[], &at_night);
    }

    #[test]
    fn what_was_learnt_is_forgotten_after_two_weeks() {
        let observed = learnt(14, &DAY);
        assert!(!is_open(at("2026-11-25T03:00:00"), None, &observed));
        assert!(is_open(at("2026-12-03T03:00:00"), None, &observed));
    }

    #[test]
    fn a_sale_just_now_means_open_whatever_the_hours_say() {
        let mut observed = learnt(10, &DAY);
        let hours: OpenHours = "07:00-21:00".parse().expect("is opening hours");
        let check = |observed: &Observed, time: &str, expected: bool| {
            let now = at(&format!("2026-11-24T{time}"));
            let said = [None, Some(&hours)].map(|configured| is_open(now, configured, observed));
            assert_eq!(said, [expected; 2], "at {time}");
        };
        check(&observed, "02:10:00", false);
        observed.observe(at("2026-11-24T02:05:00"), at("2026-11-24T02:10:00"));
        check(&observed, "02:10:00", true);
        check(&observed, "02:35:00", true);
        assert!(!is_open(at("2026-11-24T02:35:01"), Some(&hours), &observed));
    }

    #[test]
    fn the_shops_own_word_counts_before_what_was_seen() {
        let hours: OpenHours = "22:00-23:00".parse().expect("is opening hours");
        let observed = learnt(10, &DAY);
        assert!(is_open(at("2026-11-24T22:30:00"), Some(&hours), &observed));
        assert!(!is_open(at("2026-11-24T12:00:00"), Some(&hours), &observed));
    }

    #[test]
    fn a_sale_of_another_age_teaches_nothing() {
        let mut observed = learnt(10, &DAY);
        let before = observed.clone();
        for sold in ["2026-11-24T12:30:01", "2099-01-01T03:00:00", "2026-11-10T03:00:00", "1970-01-01T00:00:00"] {
            assert!(!observed.observe(at(sold), at("2026-11-24T12:00:00")), "{sold}");
            assert_eq!(observed, before, "{sold}");
        }
        for sold in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
            assert!(!observed.observe(sold, at("2026-11-24T12:00:00")));
        }
    }

    #[test]
    fn only_a_half_hour_that_was_not_known_is_news() {
        let mut observed = Observed::default();
        let mut observe = |time: &str| observed.observe(at(&format!("2026-11-24T{time}")), at("2026-11-24T12:00:00"));
        assert_eq!(["11:00:00", "11:29:59", "11:30:00", "11:00:00"].map(&mut observe), [true, false, true, false]);
    }

    #[test]
    fn what_was_learnt_survives_the_disk() {
        let observed = learnt(14, &DAY);
        let text = serde_json::to_string(&observed).expect("is plain data");
        assert_eq!(serde_json::from_str::<Observed>(&text).expect("is what was written"), observed);
        assert_eq!(serde_json::from_str::<Observed>("{}").expect("has nothing in it"), Observed::default());
    }

    proptest! {
        #[test]
        fn it_stays_small_and_open_where_it_should_whatever_is_observed(
            seen in prop::collection::vec((any::<i32>(), any::<i32>()), 0..200), now in any::<i32>(),
        ) {
            let local = |seconds: i32| at("2026-11-24T00:00:00") + TimeDelta::seconds(i64::from(seconds) / 100);
            let mut observed = Observed::default();
            for (sold, now) in seen {
                observed.observe(local(sold), local(now));
                prop_assert!(observed.days.len() <= 15);
            }
            let now = local(now);
            observed.observe(now, now);
            prop_assert!(is_open(now, None, &observed));
            prop_assert!(observed.seems_open(now));
        }
    }
}
