//! How the vendor counts: every arrival under a key, and the end of the key when one window holds too many.
//!
//! The vendor's page says that going over the quota cancels the key by itself. So does this: a client that is over
//! once by one call is locked out for good, and a test cannot miss it.
//!
//! Every arrival is kept, since a test may ask for the fullest window of any length: sixteen bytes a call. To judge a
//! call one looks at a single earlier one, so the millionth costs what the first did.

use std::collections::BTreeMap;
use std::time::Duration;

/// What the door says to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Come in.
    Welcome,
    /// The call carried no key: 401.
    NoKey,
    /// The key is not one of this shop, or not any more: 403.
    Refused,
}

/// The door of the simulated API. Times are counted from its opening, on a clock that only goes forward.
#[derive(Debug)]
pub(super) struct Door {
    key: String,
    revoked: bool,
    quota: Vec<(u32, Duration)>,
    arrivals: BTreeMap<String, Vec<Duration>>,
    violations: usize,
}

impl Door {
    /// A door that this key opens, so many times in each window.
    pub(super) fn new(key: String, quota: Vec<(u32, Duration)>) -> Self {
        Self { key, revoked: false, quota, arrivals: BTreeMap::new(), violations: 0 }
    }

    /// Counts a call that arrived `at` and says whether it may enter. A refused call counts too.
    pub(super) fn arrive(&mut self, key: Option<&str>, at: Duration) -> Admission {
        let arrivals = self.arrivals.entry(key.unwrap_or_default().to_owned()).or_default();
        arrivals.push(at);
        if key == Some(self.key.as_str()) && self.quota.iter().any(|quota| is_over(arrivals, *quota)) {
            self.violations += 1;
            self.revoked = true;
        }
        match key {
            None => Admission::NoKey,
            Some(key) if key == self.key && !self.revoked => Admission::Welcome,
            Some(_) => Admission::Refused,
        }
    }

    /// Ends the present key, as support does.
    pub(super) fn revoke(&mut self) {
        self.revoked = true;
    }

    /// Gives the shop another key; the old one stays ended.
    pub(super) fn issue(&mut self, key: String) {
        self.key = key;
        self.revoked = false;
    }

    /// How many calls were over the quota.
    pub(super) fn violations(&self) -> usize {
        self.violations
    }

    /// How many calls arrived, with whatever key.
    pub(super) fn calls(&self) -> usize {
        self.arrivals.values().map(Vec::len).sum()
    }

    /// The most calls that one key made in any window of that length.
    pub(super) fn most_calls_in(&self, window: Duration) -> usize {
        self.arrivals.values().map(|arrivals| fullest(arrivals, window)).max().unwrap_or_default()
    }
}

/// Whether the latest arrival is one too many. Two calls exactly a window apart are in different windows.
fn is_over(arrivals: &[Duration], (allowed, window): (u32, Duration)) -> bool {
    let Some(latest) = arrivals.last() else { return false };
    let earlier = arrivals.len().checked_sub(allowed as usize + 1).and_then(|index| arrivals.get(index));
    earlier.is_some_and(|earlier| *latest - *earlier < window)
}

fn fullest(arrivals: &[Duration], window: Duration) -> usize {
    let mut first = 0;
    let mut most = 0;
    for (last, at) in arrivals.iter().enumerate() {
        while *at - arrivals[first] >= window && first < last {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn door(allowed: u32) -> Door {
        Door::new("key".to_owned(), vec![(allowed, SECOND)])
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn going_over_the_quota_once_ends_the_key_for_good() {
        let mut door = door(2);
        assert_eq!(door.arrive(Some("key"), ms(0)), Admission::Welcome);
        assert_eq!(door.arrive(Some("key"), ms(500)), Admission::Welcome);
        assert_eq!(door.arrive(Some("key"), ms(999)), Admission::Refused);
        assert_eq!(door.arrive(Some("key"), ms(900_000)), Admission::Refused);
        assert_eq!((door.violations(), door.calls()), (1, 4));
        door.issue("other".to_owned());
        assert_eq!(door.arrive(Some("other"), ms(900_001)), Admission::Welcome);
        assert_eq!(door.arrive(Some("key"), ms(900_002)), Admission::Refused);
    }

    #[test]
    fn a_call_exactly_one_window_later_is_within_the_quota() {
        let mut door = door(2);
        for at in [0, 10, 1000, 1010, 2000] {
            assert_eq!(door.arrive(Some("key"), ms(at)), Admission::Welcome, "at {at} ms");
        }
        assert_eq!((door.violations(), door.most_calls_in(SECOND)), (0, 2));
        assert_eq!(door.most_calls_in(ms(1001)), 3);
    }

    #[test]
    fn calls_without_the_key_do_not_spend_its_quota() {
        let mut door = door(1);
        assert_eq!(door.arrive(None, ms(0)), Admission::NoKey);
        assert_eq!(door.arrive(Some("wrong"), ms(1)), Admission::Refused);
        assert_eq!(door.arrive(Some("key"), ms(2)), Admission::Welcome);
        assert_eq!((door.violations(), door.calls()), (0, 3));
    }
    #[test]
    fn hundreds_of_thousands_of_calls_are_counted_to_the_last() {
        let mut door = door(2);
        for number in 0..300_000 {
            assert_eq!(door.arrive(Some("key"), ms(500 * number)), Admission::Welcome);
        }
        assert_eq!((door.calls(), door.most_calls_in(SECOND), door.most_calls_in(60 * SECOND)), (300_000, 2, 120));
        assert_eq!(door.arrive(Some("key"), ms(500 * 299_999 + 1)), Admission::Refused);
    }
}
