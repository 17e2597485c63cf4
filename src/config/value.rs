//! Values that are written as text in the files: durations, addresses.

use std::time::Duration;

use url::Url;

use crate::domain::document::{Placed, Scalar, Table};
use crate::domain::mistake::Mistake;

/// The longest duration that a file may say: no calendar calculation overflows on it.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// Takes a duration such as `15s` or `1h 30m`.
pub(super) fn duration(table: &mut Table<'_>, key: &str, mistakes: &mut Vec<Mistake>) -> Option<Duration> {
    let placed = text(table, key, mistakes)?;
    parse_duration(&placed, key, mistakes)
}

/// Takes text that has a form of its own. A bare number is taken too: what it lacks is a unit rather than quotes.
pub(super) fn text(table: &mut Table<'_>, key: &str, mistakes: &mut Vec<Mistake>) -> Option<Placed<String>> {
    let placed = table.take::<Scalar>(key, mistakes)?;
    match placed.value {
        Scalar::Number(text) | Scalar::Text(text) => Some(Placed { value: text, span: placed.span }),
        Scalar::Other => {
            mistakes.push(Mistake::new(placed.span, format!("`{key}` must be text in quotes")));
            None
        }
    }
}

/// Reads a duration that must not be zero.
pub(super) fn parse_duration(placed: &Placed<String>, key: &str, mistakes: &mut Vec<Mistake>) -> Option<Duration> {
    match humantime::parse_duration(&placed.value) {
        Ok(duration) if duration > LONGEST => {
            mistakes.push(placed.mistake(format!("`{key}`: `{}` is longer than ten years", placed.value)));
            None
        }
        Ok(duration) if !duration.is_zero() => Some(duration),
        _ => {
            let mistake = placed.mistake(format!("`{key}`: `{}` is no length of time", placed.value));
            mistakes.push(mistake.help("write it as `15s`, `2m`, `1h 30m` or `30d`"));
            None
        }
    }
}

/// Takes an `http` or `https` address.
pub(super) fn http_url(table: &mut Table<'_>, key: &str, mistakes: &mut Vec<Mistake>) -> Option<Placed<Url>> {
    let placed = table.take::<String>(key, mistakes)?;
    match Url::parse(&placed.value) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Some(Placed { value: url, span: placed.span })
        }
        // The text itself may carry a token and is not repeated.
        _ => {
            mistakes.push(placed.mistake(format!("`{key}` must be an http:// or https:// address")));
            None
        }
    }
}

/// Takes an `http` or `https` address that must be there.
pub(super) fn required_http_url(table: &mut Table<'_>, key: &str, mistakes: &mut Vec<Mistake>) -> Option<Placed<Url>> {
    let before = mistakes.len();
    let url = http_url(table, key, mistakes);
    if url.is_none() && mistakes.len() == before {
        mistakes.push(Mistake::new(table.span.clone(), format!("`{key}` is missing")));
    }
    url
}
