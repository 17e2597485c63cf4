//! When does posbell make a copy of what it knows?
//!
//! Once a night, when nobody is at the till. A machine that is off at night gets its copy by day, once the newest one is
//! too old. Never soon after a start: a program that ends and begins again by the minute has other worries, and so has
//! its disk.

use std::cmp::Reverse;

use chrono::{NaiveDateTime, TimeDelta, Timelike as _};
use chrono_tz::Tz;

use crate::domain::model::Timestamp;

/// The hours of the night, in the configured zone: from the first on and before the second.
const NIGHT: std::ops::Range<u32> = 2..5;

/// How old the newest copy may become before one is made by day.
const STALE: TimeDelta = TimeDelta::hours(26);

/// How long posbell runs before it makes one.
const SETTLED: TimeDelta = TimeDelta::hours(1);

/// How long after one that could not be made it is tried again.
const BETWEEN_TRIES: TimeDelta = TimeDelta::hours(1);

/// How far ahead of the clock a copy may be and still be a new one: clocks are set back a little now and then. One from
/// farther ahead was made while the clock was wrong, and nobody knows how old it is.
const CLOCK_SET_BACK: TimeDelta = TimeDelta::hours(1);

/// What decides whether a copy is to be begun.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Now.
    pub now: Timestamp,
    /// Since when posbell has been running.
    pub running_since: Timestamp,
    /// When the newest copy was made; `None` where there is none.
    pub newest: Option<Timestamp>,
    /// When one was last begun that could not be made, if none was made since.
    pub failed: Option<Timestamp>,
    /// Where it is night.
    pub zone: Tz,
}

impl Moment {
    /// Whether a copy is to be begun now.
    pub fn is_due(&self) -> bool {
        let has_settled = self.now - self.running_since >= SETTLED;
        let may_try = self.failed.is_none_or(|failed| (self.now - failed).abs() >= BETWEEN_TRIES);
        has_settled && may_try && (self.is_stale() || self.is_a_night_without_one())
    }

    fn is_stale(&self) -> bool {
        self.newest.is_none_or(|made| is_of_the_future(made, self.now) || self.now - made >= STALE)
    }

    fn is_a_night_without_one(&self) -> bool {
        let local = |moment: Timestamp| moment.with_timezone(&self.zone).naive_local();
        let now = local(self.now);
        // By what clocks on the wall show: an hour that they show twice is one night, and one that they skip is missed.
        let is_of_this_night = |made: NaiveDateTime| made.date() == now.date() && made.hour() >= NIGHT.start;
        NIGHT.contains(&now.hour()) && !self.newest.map(local).is_some_and(is_of_this_night)
    }
}

/// Sorts copies by when they were made: the newest first, and last those that a clock has made that was wrong.
pub fn newest_first<T>(copies: &mut [T], now: Timestamp, made_at: impl Fn(&T) -> Timestamp) {
    copies.sort_by_key(|copy| (is_of_the_future(made_at(copy), now), Reverse(made_at(copy))));
}

fn is_of_the_future(made: Timestamp, now: Timestamp) -> bool {
    made - now > CLOCK_SET_BACK
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::test_shop::time;

    fn at(hours: i64) -> Timestamp {
        time("2026-11-23T00:00:00Z") + TimeDelta::hours(hours)
    }

    /// Has run for long, in the night of Bangkok from the hours 19 to 22.
    fn moment(now: i64, newest: Option<i64>) -> Moment {
        let (now, newest) = (at(now), newest.map(at));
        Moment { now, running_since: at(-1_000), newest, failed: None, zone: Tz::Asia__Bangkok }
    }

    #[test]
    fn a_copy_is_made_once_a_night_and_by_day_when_the_newest_is_too_old() {
        for (now, newest, is_due) in [
            (18, Some(-4), false),
            (19, Some(-4), true),
            (21, Some(-4), true),
            (21, Some(19), false),
            (22, Some(-3), false),
            // Made by day: the night has its own.
            (19, Some(15), true),
            (10, Some(-15), false),
            (10, Some(-16), true),
            (10, None, true),
            // A clock that was wrong by a year has made it.
            (10, Some(8_760), true),
            // One that was set back by half an hour.
            (19, Some(20), false),
        ] {
            assert_eq!(moment(now, newest).is_due(), is_due, "{now} {newest:?}");
        }
    }

    #[test]
    fn none_is_made_soon_after_a_start_or_after_one_that_could_not_be_made() {
        let begun = |since| Moment { running_since: at(since), ..moment(20, None) };
        assert_eq!([20, 19].map(|since| begun(since).is_due()), [false, true]);
        let failed = |failed| Moment { failed: Some(at(failed)), ..moment(20, None) };
        // The last of them by a clock that was ahead.
        assert_eq!([20, 19, 30].map(|hour| failed(hour).is_due()), [false, true, true]);
    }

    #[test]
    fn the_newest_is_first_and_what_claims_to_be_of_the_future_last() {
        let mut copies = [3, 900, 5, 4, 800].map(at);
        newest_first(&mut copies, at(5), |made| *made);
        assert_eq!(copies, [5, 4, 3, 900, 800].map(at));
    }

    /// Zones without summer time, with it, and with one that skips or repeats hours of the night.
    fn zone() -> impl Strategy<Value = Tz> {
        let zones = [Tz::Asia__Bangkok, Tz::UTC, Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe];
        prop::sample::select(zones.to_vec())
    }

    proptest! {
        #[test]
        fn whatever_is_started_and_stopped_when_copies_come_each_night_and_never_too_seldom(
            zone in zone(),
            begin in 0..10_000_i64,
            // How many minutes it runs, and how many it then stands still.
            runs in prop::collection::vec((1..4_000_i64, 0..2_000_i64), 1..12),
        ) {
            let mut now = at(begin);
            let mut made: Vec<Timestamp> = Vec::new();
            let mut by_night: BTreeMap<_, u32> = BTreeMap::new();
            for (runs, stands) in runs {
                let running_since = now;
                for _minute in 0..runs {
                    now += TimeDelta::minutes(1);
                    let newest = made.last().copied();
                    let due = Moment { now, running_since, newest, failed: None, zone }.is_due();
                    let age = newest.map(|newest| now - newest);
                    let local = now.with_timezone(&zone).naive_local();
                    let is_night = NIGHT.contains(&local.hour());
                    if now - running_since < SETTLED {
                        prop_assert!(!due, "{} minutes after the start", (now - running_since).num_minutes());
                        continue;
                    }
                    prop_assert!(due || age.is_some_and(|age| age < STALE), "none for {:?}", age);
                    if due && is_night {
                        *by_night.entry(local.date()).or_default() += 1;
                    } else if due {
                        prop_assert!(age.is_none_or(|age| age >= STALE), "one by day, {:?} after the last", age);
                    }
                    if due {
                        made.push(now);
                    }
                    let last = made.last().expect("has one by now").with_timezone(&zone).naive_local();
                    prop_assert!(!is_night || last.date() == local.date(), "a night without one");
                }
                now += TimeDelta::minutes(stands);
            }
            prop_assert!(by_night.values().all(|times| *times == 1), "{:?}", by_night);
        }
    }
}
