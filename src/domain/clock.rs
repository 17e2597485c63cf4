//! Whether this machine's clock can be believed.
//!
//! A small machine without a battery starts in 1970, or where it was switched off, until the network has set its clock;
//! and now and then a person sets it wrongly. The shop's server says its time with each answer, and a length of time can
//! be measured without a clock on the wall. These two are held against it here; nothing is read or told by a clock that
//! is wrong, and nothing is forgotten or given up.

use std::fmt;
use std::time::Duration;

use chrono::TimeDelta;

use super::model::Timestamp;

/// How far two clocks may be apart. No clock that is set by the network is seconds off, and an hour is nothing to a window
/// of days in which sales are read again; a zone taken for another is an hour or more.
pub const MOST_APART: TimeDelta = TimeDelta::hours(1);

/// How far this machine's clock is from the server's, too far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Apart {
    /// How far it is ahead; below zero, how far behind.
    pub ahead: TimeDelta,
}

/// What the two clocks say is too far apart, where it is.
pub fn apart(here: Timestamp, server: Timestamp) -> Option<Apart> {
    let ahead = here - server;
    (ahead.abs() > MOST_APART).then_some(Apart { ahead })
}

impl fmt::Display for Apart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(i64, &str); 3] = [(365 * 24 * 60, "year"), (24 * 60, "day"), (60, "hour")];
        let minutes = self.ahead.num_minutes().abs();
        // Of one it is worth knowing how much more: "28 hours" and "400 days".
        let (size, unit) = UNITS.into_iter().find(|(size, _)| minutes >= 2 * size).unwrap_or((60, "hour"));
        let count = (minutes + size / 2) / size;
        let plural = if count == 1 { "" } else { "s" };
        let way = if self.ahead < TimeDelta::zero() { "behind" } else { "ahead of" };
        write!(f, "{count} {unit}{plural} {way}")
    }
}

/// What a clock showed at a moment, and how long its owner had been up then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The time on the clock.
    pub shown: Timestamp,
    /// A length of time that nobody can set.
    pub up: Duration,
}

impl Mark {
    /// Whether the clock has gone on by itself until `later`, and was not set by more than may be.
    pub fn is_followed_by(&self, later: Mark) -> bool {
        let gone = later.up.saturating_sub(self.up);
        let gone = TimeDelta::from_std(gone).unwrap_or(TimeDelta::MAX);
        let should_show = self.shown.checked_add_signed(gone);
        should_show.is_some_and(|should_show| (later.shown - should_show).abs() <= MOST_APART)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::test_shop::time;

    #[test]
    fn an_hour_apart_is_nobodys_concern_and_more_is_said_in_plain_words() {
        let check = |ahead: TimeDelta, want: Option<&str>| {
            let server = time("2026-11-23T03:00:00Z");
            let said = apart(server + ahead, server).map(|apart| apart.to_string());
            assert_eq!(said.as_deref(), want, "{ahead}");
        };
        check(TimeDelta::zero(), None);
        check(TimeDelta::minutes(60), None);
        check(TimeDelta::minutes(-60), None);
        check(TimeDelta::minutes(61), Some("1 hour ahead of"));
        check(TimeDelta::minutes(-61), Some("1 hour behind"));
        check(TimeDelta::hours(7), Some("7 hours ahead of"));
        check(TimeDelta::hours(30), Some("30 hours ahead of"));
        check(TimeDelta::days(3), Some("3 days ahead of"));
        check(TimeDelta::days(3) - TimeDelta::seconds(1), Some("3 days ahead of"));
        check(TimeDelta::days(-400), Some("400 days behind"));
        check(TimeDelta::days(-56 * 365), Some("56 years behind"));
    }

    proptest! {
        #[test]
        fn a_clock_that_was_set_is_told_from_one_that_went_on(gone in 0i64..100_000_000, set in -500_000_000i64..500_000_000) {
            let begun = Mark { shown: time("2026-11-23T03:00:00Z"), up: Duration::from_secs(7) };
            let shown = begun.shown + TimeDelta::seconds(gone + set);
            let later = Mark { shown, up: begun.up + Duration::from_secs(gone.unsigned_abs()) };
            prop_assert_eq!(begun.is_followed_by(later), set.abs() <= 3600);
        }
    }
}
