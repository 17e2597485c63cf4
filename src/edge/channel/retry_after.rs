//! How long does a receiver wish to be left alone? Reads `Retry-After`, in seconds or as a date.
//!
//! It refuses to guess: what is neither a plain number nor an HTTP date is no wish at all. Whether the wish is
//! followed is the schedule's business; here it is only read, and kept within [`LONGEST_WISH`].

use std::time::Duration;

use chrono::NaiveDateTime;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::domain::model::Timestamp;

/// No receiver can silence a channel for longer than this with one answer. It is also the longest pause that the
/// schedule makes by itself.
const LONGEST_WISH: Duration = Duration::from_secs(6 * 60 * 60);

/// The three forms of an HTTP date (RFC 9110, 5.6.7). The first is what is written today; the others must be read.
const DATE_FORMS: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// The wish in the head of an answer.
pub(super) fn wish(headers: &HeaderMap, at: Timestamp) -> Option<Duration> {
    parse(headers.get(RETRY_AFTER)?.to_str().ok()?, at)
}

/// The wish in this header value. A date counts from `at`, the time of the attempt; one in the past is zero.
fn parse(value: &str, at: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let wish = if value.starts_with(|first: char| first.is_ascii_digit()) { seconds(value) } else { date(value, at) };
    wish.map(|wish| wish.min(LONGEST_WISH))
}

/// `120` or `120.5`, rounded up: a fraction is outside of the standard, but it is sent, and coming too early is the
/// one mistake that would be noticed.
fn seconds(value: &str) -> Option<Duration> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let up = u64::from(fraction.bytes().any(|byte| byte != b'0'));
    // A number too long for 64 bits is digits all the same, and so the longest wish there is.
    let whole = whole.parse().unwrap_or(u64::MAX);
    Some(Duration::from_secs(whole.saturating_add(up)))
}

fn date(value: &str, at: Timestamp) -> Option<Duration> {
    let date = DATE_FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(value, form).ok())?;
    Some((date.and_utc() - at).to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One minute before the date of the examples.
    fn at() -> Timestamp {
        "2015-10-21T07:27:00Z".parse().expect("is a time")
    }

    #[test]
    fn every_public_vector_is_read_as_written() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/it/fixtures/webhook-vectors.json")).expect("is JSON");
        let long_after = "2026-01-01T00:00:00Z".parse().expect("is a time");
        for vector in vectors["retry_after"].as_array().expect("is a list") {
            let expected = match &vector["seconds"] {
                serde_json::Value::String(cap) if cap == "cap" => Some(LONGEST_WISH),
                seconds => seconds.as_u64().map(Duration::from_secs),
            };
            assert_eq!(parse(vector["value"].as_str().expect("is text"), long_after), expected, "{vector}");
        }
    }

    #[test]
    fn a_wish_is_seconds_or_a_date_and_nothing_else() {
        let cases = [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("1.0", Some(1)),
            ("0.001", Some(1)),
            ("21600.1", Some(21600)),
            ("99999999999999999999999999", Some(21600)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(60)),
            ("Wednesday, 21-Oct-15 07:28:00 GMT", Some(60)),
            ("Wed Oct 21 07:28:00 2015", Some(60)),
            ("Wed, 21 Oct 2015 09:28:00 GMT", Some(7260)),
            ("Thu, 22 Oct 2015 07:28:00 GMT", Some(21600)),
            ("Tue, 21 Oct 2014 07:28:00 GMT", Some(0)),
            ("Wed, 31 Feb 2015 07:28:00 GMT", None),
            ("1.", None),
            (".5", None),
            ("1.5.5", None),
            ("1e3", None),
            ("0x10", None),
            ("+5", None),
            ("-0", None),
            ("inf", None),
            ("NaN", None),
            ("12 s", None),
            ("๑๒", None),
        ];
        for (value, expected) in cases {
            assert_eq!(parse(value, at()), expected.map(Duration::from_secs), "{value:?}");
        }
    }
}
