//! How careful are we after the server said *too many*?
//!
//! A 429 means that somebody else spends of the same key, or that the quota is lower than was written down. Going on
//! as before after the silence would run into the same wall, and the wall is what costs the key. So for a while only a
//! part of every allowance is used. Pure, like the counting itself.

use std::time::Duration;

use super::{Monotonic, QuotaLimit};

/// Only a part of every allowance is used until a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slow {
    /// Every allowance is divided by this: 2, 4 or 8.
    pub divisor: u32,
    /// Not included: from this moment on the allowance is full.
    pub until: Monotonic,
}

/// That the governor goes slower than its limits, for the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slowed {
    /// Every allowance is divided by this: 2, 4 or 8.
    pub divisor: u32,
    /// How long still.
    pub remaining: Duration,
}

/// The least part is an eighth: less would not save a key that is gone, and a shop would hear nothing any more.
const MOST_DIVISOR: u32 = 8;

/// So many of the shortest windows the caution lasts: long enough to see whether it helps.
const WINDOWS: u32 = 10;

/// The caution's shortest time. Other programs that use the key run by the quarter of an hour or slower.
const AT_LEAST: Duration = Duration::from_secs(10 * 60);

/// The caution's longest time: a shop must not be slow for days because of a long window.
const AT_MOST: Duration = Duration::from_secs(6 * 60 * 60);

impl Slow {
    /// What follows from another 429. `again` where it is news, not the answer to a call of the same burst.
    pub fn after(known: Option<Slow>, again: bool, now: Monotonic, limits: &[QuotaLimit]) -> Slow {
        let known = known.filter(|slow| slow.until > now);
        let divisor = match known {
            Some(slow) if again => (slow.divisor * 2).min(MOST_DIVISOR),
            Some(slow) => slow.divisor,
            None => 2,
        };
        let shortest = limits.iter().map(|limit| limit.window).min().unwrap_or_default();
        let lasts = shortest.saturating_mul(WINDOWS).clamp(AT_LEAST, AT_MOST);
        Slow { divisor, until: now.plus(lasts) }
    }

    /// What is written in a ledger, where it can be: 2, 4 or 8.
    pub fn read(divisor: u32, until: Monotonic) -> Option<Slow> {
        (divisor.is_power_of_two() && (2..=MOST_DIVISOR).contains(&divisor)).then_some(Slow { divisor, until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn each_429_halves_down_to_an_eighth_and_the_time_starts_anew() {
        let limits = ["300/10s".parse().unwrap(), "9000/1h".parse().unwrap()];
        let mut slow = None;
        for (now, again, divisor) in [(0, true, 2), (5, false, 2), (100, true, 4), (200, true, 8), (300, true, 8)] {
            slow = Some(Slow::after(slow, again, at(now), &limits));
            assert_eq!(slow, Some(Slow { divisor, until: at(now + 600) }));
        }
        assert_eq!(Slow::after(slow, true, at(900), &limits).divisor, 2, "it had ended");
    }

    #[test]
    fn the_caution_lasts_ten_of_the_shortest_windows_within_reason() {
        let check = |limit: &str, seconds| {
            assert_eq!(Slow::after(None, true, at(0), &[limit.parse().unwrap()]).until, at(seconds), "{limit}");
        };
        check("300/10s", 600);
        check("300/1m", 600);
        check("300/2m", 1200);
        check("100/1h", 21_600);
        check("100/366d", 21_600);
    }
}
