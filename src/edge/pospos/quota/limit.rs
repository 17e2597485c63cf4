//! One limit of a quota: how many calls in how long, as `300/10s` in the configuration.
//!
//! Refuses limits that would allow nothing, or so much or so long that it must be a slip.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A text that is no limit, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLimit {
    /// There is no `/` between the two parts.
    #[error("a quota is COUNT/DURATION, such as 300/10s or 100/1h")]
    Form,
    /// The count is not a whole number of at least one.
    #[error("the count before the `/` must be a whole number from 1 to 4294967295")]
    Calls,
    /// The duration is not one, or is out of range.
    #[error("the duration after the `/` must be from 1ms to 366d, such as 10s, 1m 30s or 1h")]
    Window,
}

/// At most `calls` calls in any `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaLimit {
    /// The allowance; at least one.
    pub calls: u32,
    /// How long a call counts.
    pub window: Duration,
}

/// A window longer than this is a slip of the pen; it also keeps all sums within their range.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A window shorter than this cannot be told from none.
const SHORTEST: Duration = Duration::from_millis(1);

/// A window that a caller can wait out.
const SHORT: Duration = Duration::from_secs(60);

/// Up to this window, an unknown past costs so little that it is taken for the worst: all used.
const ASSUME_ALL: Duration = Duration::from_secs(60);

impl QuotaLimit {
    /// How long a call that has ended still holds its place: the window, and a thousandth more.
    ///
    /// Linux disciplines a clock by at most 500 parts in a million. Ours and the server's can pull apart by twice
    /// that, so a window of ours that is a thousandth longer is never shorter than the server's.
    pub fn hold(&self) -> Duration {
        self.window.saturating_add(self.window / 1000)
    }

    /// How many calls are taken for made where it is not known what was made.
    ///
    /// A short window is taken for used up: waiting it out costs a minute at most. A long one is taken for half used:
    /// taking all would silence a new shop for an hour or a day, and a ledger is lost by hand, not by a crash.
    pub fn assumed(&self) -> u32 {
        if self.window <= ASSUME_ALL { self.calls } else { self.calls.div_ceil(2) }
    }

    /// How many places sweeps leave to everybody else, so that a sale is not behind a full window.
    ///
    /// Of a short window a fiftieth, six of the documented three hundred: sales and refreshes of ten seconds need no
    /// more, and a sweep is hardly slower for it. Of a long one a sixth: whoever waits there waits an hour.
    pub fn headroom(&self) -> u32 {
        if self.window <= SHORT { self.calls / 50 } else { self.calls / 6 }
    }

    /// The same window with that part of the calls, rounded up: never none.
    pub fn divided(&self, divisor: u32) -> Self {
        Self { calls: self.calls.div_ceil(divisor.max(1)), window: self.window }
    }
}

impl FromStr for QuotaLimit {
    type Err = BadLimit;

    fn from_str(text: &str) -> Result<Self, BadLimit> {
        let (calls, window) = text.split_once('/').ok_or(BadLimit::Form)?;
        let calls: u32 = calls.trim().parse().map_err(|_| BadLimit::Calls)?;
        let window = humantime::parse_duration(window.trim()).map_err(|_| BadLimit::Window)?;
        if calls == 0 {
            return Err(BadLimit::Calls);
        }
        if !(SHORTEST..=LONGEST).contains(&window) {
            return Err(BadLimit::Window);
        }
        Ok(Self { calls, window })
    }
}

impl fmt::Display for QuotaLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.calls, humantime::format_duration(self.window))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_reads_as_it_is_written() {
        let check = |text: &str, calls, seconds| {
            assert_eq!(text.parse(), Ok(QuotaLimit { calls, window: Duration::from_secs(seconds) }), "{text}");
        };
        check("300/10s", 300, 10);
        check("100/1h", 100, 3600);
        check(" 1 / 1m 30s ", 1, 90);
        assert_eq!("300/10s".parse::<QuotaLimit>().expect("is a limit").to_string(), "300/10s");
        assert_eq!("100/1h".parse::<QuotaLimit>().expect("is a limit").to_string(), "100/1h");
    }

    #[test]
    fn a_slip_is_told_by_its_part() {
        let check = |text: &str, why| assert_eq!(text.parse::<QuotaLimit>(), Err(why), "{text}");
        check("300", BadLimit::Form);
        check("", BadLimit::Form);
        check("0/10s", BadLimit::Calls);
        check("-1/10s", BadLimit::Calls);
        check("many/10s", BadLimit::Calls);
        check("5000000000/10s", BadLimit::Calls);
        check("300/10", BadLimit::Window);
        check("300/0s", BadLimit::Window);
        check("300/", BadLimit::Window);
        check("300/400d", BadLimit::Window);
        check("300/10s/2", BadLimit::Window);
    }

    #[test]
    fn an_unknown_past_is_taken_for_all_or_for_half() {
        let assumed = |text: &str| text.parse::<QuotaLimit>().expect("is a limit").assumed();
        assert_eq!(assumed("300/10s"), 300);
        assert_eq!(assumed("60/1m"), 60);
        assert_eq!(assumed("100/1h"), 50);
        assert_eq!(assumed("1/1h"), 1);
    }
}
