//! When to try again: exponential pauses with full jitter, and a slow lane for what only a person can mend.

use std::time::Duration;

use super::Outcome;

/// The first repeat after a receiver has *rejected* a message: long enough for a person to notice, short enough that
/// the mended receiver is found the same morning. From the contract.
const SLOW_LANE_FIRST: Duration = Duration::from_secs(15 * 60);

/// The longest `Retry-After` that is obeyed. From the contract.
pub const LONGEST_WISH: Duration = Duration::from_secs(6 * 60 * 60);

/// `[delivery]`: how long and how often a message is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How long after its making a delivery is given up.
    pub retry_for: Duration,
    /// The longest possible first pause.
    pub retry_first: Duration,
    /// The longest pause.
    pub retry_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retry_for: Duration::from_secs(72 * 3600),
            retry_first: Duration::from_secs(5),
            retry_max: Duration::from_secs(6 * 3600),
        }
    }
}

impl RetryPolicy {
    /// The longest pause that this policy makes between two attempts. What is due later than that from now was put off by
    /// a clock that was ahead.
    pub fn longest_pause(&self) -> Duration {
        self.retry_max.max(LONGEST_WISH)
    }

    /// The same without an end: by a clock that may be wrong nobody can say that a message is too old.
    pub fn without_end(&self) -> RetryPolicy {
        RetryPolicy { retry_for: Duration::MAX, ..self.clone() }
    }

    /// The pause after the `failed`-th failed attempt (1 is the first), or `None` where none is due.
    ///
    /// `jitter` is a draw from 0.0 to 1.0. With *full* jitter the pause is anything up to the ceiling: receivers that
    /// went down together are not hit together when they return.
    pub fn pause(&self, outcome: &Outcome, failed: u32, jitter: f64) -> Option<Duration> {
        match outcome {
            Outcome::Delivered => None,
            Outcome::Retry { retry_after, .. } => {
                let doublings = failed.saturating_sub(1).min(31);
                let ceiling = self.retry_first.saturating_mul(1 << doublings).min(self.retry_max);
                let pause = ceiling.mul_f64(jitter.clamp(0.0, 1.0));
                Some(retry_after.map_or(pause, |wish| pause.max(wish.min(LONGEST_WISH))))
            }
            Outcome::Rejected { .. } if failed <= 1 => Some(SLOW_LANE_FIRST.min(self.retry_max)),
            Outcome::Rejected { .. } => Some(self.retry_max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outbox::Reason;
    use proptest::prelude::*;

    fn retry(after: Option<u64>) -> Outcome {
        match after {
            Some(wish) => Outcome::retry_after(Reason::Timeout, Duration::from_secs(wish)),
            None => Outcome::retry(Reason::Timeout),
        }
    }

    #[test]
    fn pauses_grow_to_the_longest_and_stay_there() {
        let policy = RetryPolicy::default();
        let ceilings: Vec<u64> =
            (1..=16).map(|n| policy.pause(&retry(None), n, 1.0).map_or(0, |p| p.as_secs())).collect();
        assert_eq!(ceilings[..4], [5, 10, 20, 40]);
        assert_eq!(ceilings[12..], [20_480, 21_600, 21_600, 21_600]);
    }

    #[test]
    fn what_was_rejected_is_repeated_slowly() {
        let policy = RetryPolicy::default();
        let rejected = Outcome::rejected(Reason::Status(404));
        assert_eq!(policy.pause(&rejected, 1, 0.0), Some(Duration::from_secs(900)));
        assert_eq!(policy.pause(&rejected, 2, 0.0), Some(Duration::from_secs(21_600)));
    }

    proptest! {
        #[test]
        fn no_pause_is_longer_than_the_longest(max in 1u64..1_000_000, failed in 1u32..100, wish: Option<u64>, rejected: bool) {
            let policy = RetryPolicy { retry_max: Duration::from_secs(max), ..RetryPolicy::default() };
            let rejection = Outcome::rejected(Reason::Status(404));
            let outcome = if rejected { rejection } else { retry(wish) };
            prop_assert!(policy.pause(&outcome, failed, 1.0) <= Some(policy.longest_pause()));
        }

        #[test]
        fn a_receivers_wish_never_shortens_a_pause(failed in 1u32..100, jitter in 0.0f64..=1.0, wish in 0u64..1_000_000) {
            let policy = RetryPolicy::default();
            let without = policy.pause(&retry(None), failed, jitter).unwrap_or_default();
            let with = policy.pause(&retry(Some(wish)), failed, jitter).unwrap_or_default();
            prop_assert!(with >= without);
            prop_assert!(with >= Duration::from_secs(wish.min(21_600)));
            prop_assert!(without <= policy.retry_max);
        }
    }
}
