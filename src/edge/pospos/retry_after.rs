//! How long does the API wish to be left alone, and what time is it there? Reads `Retry-After`, `Date` and `Age`.
//!
//! A date is held against the server's own time, never against this machine's clock, which may be wrong by years. An
//! answer out of a cache has the `Date` at which it was made and an `Age` since then; only both together say what time
//! it is. It refuses to guess: what is neither a plain number nor an HTTP date is no wish at all, and no age.

use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use reqwest::header::{AGE, DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// The longest silence that can be asked for; more is a mistake of the server.
const LONGEST_SILENCE: Duration = Duration::from_secs(6 * 60 * 60);

/// The greatest age of an answer that is believed; more is a mistake of the cache.
const OLDEST: TimeDelta = TimeDelta::days(365);

/// The three forms of an HTTP date (RFC 9110, 5.6.7). The first is what is written today; the others must be read.
const DATE_FORMS: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// The wish in these headers. A date that has passed is zero.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let asked = text(headers, RETRY_AFTER)?;
    let silence = match asked.starts_with(|first: char| first.is_ascii_digit()) {
        true => seconds(asked)?,
        false => (date(asked)? - server_time(headers)?).to_std().unwrap_or(Duration::ZERO),
    };
    Some(silence.min(LONGEST_SILENCE))
}

/// What the server's clock says, in UTC.
pub(super) fn server_time(headers: &HeaderMap) -> Option<NaiveDateTime> {
    date(text(headers, DATE)?)?.checked_add_signed(age(headers))
}

/// For how long the answer has lain in caches; nothing where they do not say it in whole seconds.
fn age(headers: &HeaderMap) -> TimeDelta {
    let digits = text(headers, AGE).filter(|age| age.bytes().all(|byte| byte.is_ascii_digit()));
    let age = digits.and_then(|age| age.parse().ok()).and_then(TimeDelta::try_seconds);
    age.filter(|age| *age <= OLDEST).unwrap_or_default()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// `120` or `120.5`, rounded up: a fraction is outside of the standard, but it is sent, and coming too early is the one
/// mistake that costs the key.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let up = u64::from(fraction.bytes().any(|byte| byte != b'0'));
    // A number too long for 64 bits is digits all the same, and so the longest wish there is.
    Some(Duration::from_secs(whole.parse().unwrap_or(u64::MAX).saturating_add(up)))
}

fn date(text: &str) -> Option<NaiveDateTime> {
    DATE_FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn a_silence_is_asked_for_in_seconds_or_until_a_date() {
        let check = |asked: &'static str, date: Option<&'static str>, want: Option<u64>| {
            let mut headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(asked))]);
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_static(date));
            }
            assert_eq!(retry_after(&headers), want.map(Duration::from_secs), "{asked}");
        };
        check("120", None, Some(120));
        check("120.1", None, Some(121));
        check("120.6", None, Some(121));
        check("120.0", None, Some(120));
        check("0", None, Some(0));
        check("-5", None, None);
        check("", None, None);
        check("invalid", None, None);
        check("12x", None, None);
        check("99999999999", None, Some(21_600));
        check("99999999999999999999999", None, Some(21_600));
        let noon = Some("Wed, 21 Oct 2026 12:00:00 GMT");
        check("Wed, 21 Oct 2015 07:28:00 GMT", noon, Some(0));
        check("Wed, 21 Oct 2026 12:01:30 GMT", noon, Some(90));
        check("Wednesday, 21-Oct-26 12:01:30 GMT", noon, Some(90));
        check("Wed Oct 21 12:01:30 2026", noon, Some(90));
        check("Thu, 21 Oct 2027 12:00:00 GMT", noon, Some(21_600));
        check("Wed, 21 Oct 2026 12:01:30 GMT", None, None);
        check("soon", noon, None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn an_answer_out_of_a_cache_is_as_much_later_as_it_is_old() {
        let check = |age: Option<&'static str>, want: &str| {
            let date = HeaderValue::from_static("Wed, 21 Oct 2026 12:00:00 GMT");
            let mut headers = HeaderMap::from_iter([(DATE, date)]);
            headers.extend(age.map(|age| (AGE, HeaderValue::from_static(age))));
            assert_eq!(server_time(&headers).map(|time| time.to_string()).as_deref(), Some(want), "{age:?}");
        };
        let made = "2026-10-21 12:00:00";
        check(None, made);
        check(Some("0"), made);
        check(Some("7200"), "2026-10-21 14:00:00");
        check(Some(" 90 "), "2026-10-21 12:01:30");
        check(Some("31536000"), "2027-10-21 12:00:00");
        for absurd in ["31536001", "99999999999999999999999", "-7200", "7200.5", "2h", ""] {
            check(Some(absurd), made);
        }
        let age = HeaderMap::from_iter([(AGE, HeaderValue::from_static("7200"))]);
        assert_eq!(server_time(&age), None, "an age without a date says no time");
    }

    #[test]
    fn a_date_until_which_to_wait_is_held_against_the_servers_time_and_not_the_caches() {
        let mut headers = HeaderMap::from_iter([(AGE, HeaderValue::from_static("60"))]);
        headers.insert(DATE, HeaderValue::from_static("Wed, 21 Oct 2026 12:00:00 GMT"));
        headers.insert(RETRY_AFTER, HeaderValue::from_static("Wed, 21 Oct 2026 12:01:30 GMT"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(30)));
    }
}
