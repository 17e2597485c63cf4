//! How one value is found in a row and read: text, exact number, time or flag.
//!
//! Absent, `null`, `""` and `-` are all *none*, as the captures show them. A value of another type is none too. Only
//! a number that would lose digits is an error, because a wrong figure is worse than a missing row.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::de::Deserializer as _;
use serde_json::value::RawValue;

use super::fields::OR;
use super::left_out::{Fault, LeftOut, MOST_ELEMENTS};
use super::parts::{EachElement, First, Members};
use crate::domain::model::{NotExact, Timestamp};

/// How much of a field was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// There is no such place in any row.
    Missing,
    /// The place is there, and in every row nothing stands in it.
    Empty,
    /// At least one row has something there.
    Seen,
}

/// How many there are in a second; in a leap second, which has a number of nanoseconds of its own, there are more.
const NANOSECONDS: u32 = 1_000_000_000;

/// One row, its members still as they were written.
#[derive(Debug)]
pub(in crate::edge::pospos) struct Row<'a> {
    members: Members<'a>,
}

impl<'a> Row<'a> {
    /// The row, where the text is an object.
    pub fn new(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok().map(|members| Self { members })
    }

    /// Whether there is a member of that name, even an empty one.
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some()
    }

    /// The names of its members, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.0.iter().map(|(name, _)| &**name).collect::<BTreeSet<&str>>().into_iter()
    }

    /// The members of a row that these pointers begin in.
    pub fn first_names(pointers: &str) -> impl Iterator<Item = String> {
        pointers.split(OR).filter_map(|pointer| Some(unescaped(pointer.split('/').nth(1)?).into_owned()))
    }

    /// How much stands at the best of these pointers.
    pub fn presence(&self, pointers: &str) -> Presence {
        pointers.split(OR).map(|pointer| self.presence_at(pointer)).max().unwrap_or(Presence::Missing)
    }

    fn presence_at(&self, pointer: &str) -> Presence {
        let mut tokens = pointer.split('/').skip(1);
        let first = tokens.next().and_then(|token| self.members.get(&unescaped(token)));
        let Some(mut found) = first else { return Presence::Missing };
        for token in tokens {
            // Where the thing around it is none, the place is as good as there.
            match member(found, &unescaped(token)) {
                Some(raw) => found = raw,
                None if found.get() == "null" => return Presence::Empty,
                None => return Presence::Missing,
            }
        }
        let is_hollow = matches!(found.get().as_bytes(), [b'[' | b'{', inner @ ..] if inner.trim_ascii().len() == 1);
        match is_something(found) && !is_hollow {
            true => Presence::Seen,
            false => Presence::Empty,
        }
    }

    /// The value at a JSON Pointer, as it was written; `null` is none. Of several pointers the first that holds
    /// something other than *none* counts.
    pub fn at(&self, pointers: &str) -> Option<&'a RawValue> {
        match pointers.contains(OR) {
            false => self.at_one(pointers),
            true => pointers.split(OR).filter_map(|pointer| self.at_one(pointer)).find(|raw| is_something(raw)),
        }
    }

    fn at_one(&self, pointer: &str) -> Option<&'a RawValue> {
        let mut tokens = pointer.split('/').skip(1);
        let mut found = self.members.get(&unescaped(tokens.next()?))?;
        for token in tokens {
            found = member(found, &unescaped(token))?;
        }
        (found.get() != "null").then_some(found)
    }

    /// Whether there is anything: an object, a list, or a text or number that does not mean *none*.
    pub fn is_given(&self, pointer: &str) -> bool {
        self.at(pointer).is_some_and(is_something)
    }

    /// A text; numbers are taken as they are written.
    pub fn text(&self, pointer: &str) -> Option<String> {
        self.at(pointer).and_then(text)
    }

    /// An exact number, also from a numeric text.
    pub fn number<T: FromStr<Err = NotExact>>(&self, pointers: &str) -> Result<Option<T>, LeftOut> {
        match self.text(pointers) {
            // The double only tells what is meant for a number; its value is not used.
            Some(text) if text.contains(|c: char| c.is_ascii_digit()) && text.parse::<f64>().is_ok() => {
                let wrong = |_| LeftOut::at(self.used(pointers), Fault::Digits);
                text.parse().map(Some).map_err(wrong)
            }
            _ => Ok(None),
        }
    }

    /// The one of these pointers that counts.
    fn used<'p>(&self, pointers: &'p str) -> &'p str {
        let holds = |pointer: &&str| self.at_one(pointer).is_some_and(is_something);
        pointers.split(OR).find(holds).unwrap_or(pointers)
    }

    /// A moment: ISO 8601 with a zone and any number of fraction digits. One that lies outside of the years 0 to 9999
    /// once its zone is taken off is none, and a leap second (`23:59:60`) is the second after it: few other programs
    /// could read these.
    pub fn time(&self, pointer: &str) -> Option<Timestamp> {
        let text = self.text(pointer)?;
        let time = DateTime::parse_from_rfc3339(&text).ok()?.with_timezone(&Utc);
        let leap = time.nanosecond() / NANOSECONDS;
        let time = DateTime::from_timestamp(time.timestamp() + i64::from(leap), time.nanosecond() % NANOSECONDS)?;
        (0..=9999).contains(&time.year()).then_some(time)
    }

    /// A flag: `true` or 1, also as text.
    pub fn flag(&self, pointer: &str) -> bool {
        self.at(pointer).is_some_and(|raw| matches!(raw.get().trim_matches('"'), "true" | "1"))
    }

    /// Whether there is a list, or a place for one with nothing in it.
    pub fn has_list(&self, pointers: &str) -> bool {
        let is_list = |pointer| match self.at_one(pointer) {
            Some(raw) => raw.get().starts_with('[') || raw.get().starts_with('"') && text(raw).is_none(),
            // There, and `null`.
            None => self.presence_at(pointer) == Presence::Empty,
        };
        pointers.split(OR).any(is_list)
    }

    /// The elements of a list; none where it is no list.
    pub fn list(&self, pointer: &str) -> Option<Vec<&'a RawValue>> {
        self.at(pointer).and_then(|raw| serde_json::from_str(raw.get()).ok())
    }

    /// What `read` makes of each object of a list. One that is no object is an error: it may be a line that was sold. So
    /// is a list that is too long.
    pub fn each<T>(&self, pointers: &str, read: impl Fn(&Row<'_>) -> Result<T, LeftOut>) -> Result<Vec<T>, LeftOut> {
        let first = self.first_of(pointers, MOST_ELEMENTS, usize::MAX);
        match first.left_out {
            0 => self.read_each(pointers, &first.elements, read),
            _ => Err(LeftOut::at(self.used(pointers), Fault::TooMany)),
        }
    }

    /// What `read` makes of each of these elements of a list.
    pub fn read_each<T>(
        &self,
        pointers: &str,
        elements: &[&RawValue],
        read: impl Fn(&Row<'_>) -> Result<T, LeftOut>,
    ) -> Result<Vec<T>, LeftOut> {
        let no_object = || LeftOut::at(self.used(pointers), Fault::NoObject);
        let one = |raw: &&RawValue| {
            let row = Row::new(raw.get()).ok_or_else(no_object)?;
            read(&row).map_err(|wrong| wrong.within(self.used(pointers)))
        };
        elements.iter().map(one).collect()
    }

    /// The first elements of a list, at most so many and so many bytes; none where it is no list.
    pub(super) fn first_of(&self, pointers: &str, most: usize, bytes: usize) -> First<'a> {
        let first = self.at(pointers).and_then(|raw| {
            let mut list = serde_json::Deserializer::from_str(raw.get());
            list.deserialize_seq(EachElement { most, bytes }).ok()
        });
        first.unwrap_or_default()
    }

    /// First and last name of the person in the object at `person`, as one.
    pub fn name(&self, person: &str) -> Option<String> {
        let object = Row::new(self.at(person)?.get())?;
        full_name(object.text("/firstname"), object.text("/lastname"))
    }
}

/// First and last name as one.
pub(super) fn full_name(first: Option<String>, last: Option<String>) -> Option<String> {
    let name = [first, last].into_iter().flatten().collect::<Vec<_>>().join(" ");
    (!name.is_empty()).then_some(name)
}

/// Whether there is anything: an object, a list, a flag, or a text or number that does not mean *none*.
fn is_something(raw: &RawValue) -> bool {
    raw.get().starts_with(['{', '[', 't', 'f']) || text(raw).is_some()
}

/// One token of a JSON Pointer as the name that it means.
fn unescaped(token: &str) -> Cow<'_, str> {
    match token.contains('~') {
        true => Cow::Owned(token.replace("~1", "/").replace("~0", "~")),
        false => Cow::Borrowed(token),
    }
}

/// The member of an object or the element of a list.
fn member<'a>(raw: &'a RawValue, token: &str) -> Option<&'a RawValue> {
    match raw.get().as_bytes().first()? {
        b'{' => serde_json::from_str::<Members<'_>>(raw.get()).ok()?.get(token),
        b'[' => serde_json::from_str::<Vec<&RawValue>>(raw.get()).ok()?.get(token.parse::<usize>().ok()?).copied(),
        _ => None,
    }
}

/// A JSON text or number that is not one of the ways to say *none*.
pub(super) fn text(raw: &RawValue) -> Option<String> {
    let written = raw.get();
    let text = match written.as_bytes().first()? {
        b'"' if !written.contains('\\') => Cow::Borrowed(written.get(1..written.len().checked_sub(1)?)?),
        b'"' => Cow::Owned(serde_json::from_str(written).ok()?),
        b'-' | b'0'..=b'9' => Cow::Borrowed(written),
        _ => return None,
    };
    let text = text.trim();
    (!text.is_empty() && text != "-").then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::Money;

    fn with<T>(json: &str, read: impl FnOnce(&Row<'_>) -> T) -> T {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        read(&Row::new(raw.get()).unwrap())
    }

    #[test]
    fn a_pointer_finds_what_is_nested() {
        let json = r#"{"a":{"b":[1,{"c":"deep"}]},"x/y":2,"m~n":3,"n":null}"#;
        let check = |pointer: &str, want: Option<&str>| {
            assert_eq!(with(json, |row| row.text(pointer)).as_deref(), want, "{pointer}");
        };
        check("/a/b/0", Some("1"));
        check("/a/b/1/c", Some("deep"));
        check("/a/b/2", None);
        check("/a/b/x", None);
        check("/a/z/c", None);
        check("/x~1y", Some("2"));
        check("/m~0n", Some("3"));
        check("/n", None);
        check("/n/m", None);
        check("", None);
        check("a", None);
    }

    #[test]
    fn of_several_pointers_the_first_that_holds_something_counts() {
        let json = r#"{"a":"-","b":null,"c":"found","d":"too late"}"#;
        assert_eq!(with(json, |row| row.text("/a | /b | /z | /c | /d")).as_deref(), Some("found"));
        assert_eq!(with(json, |row| row.text("/a | /b")), None);
    }

    #[test]
    fn none_is_written_in_four_ways() {
        for json in [r#"{}"#, r#"{"a":null}"#, r#"{"a":""}"#, r#"{"a":"-"}"#, r#"{"a":" - "}"#, r#"{"a":{}}"#] {
            assert_eq!(with(json, |row| row.text("/a")), None, "{json}");
            assert_eq!(with(json, |row| row.number::<Money>("/a")), Ok(None), "{json}");
            assert_eq!(with(json, |row| row.time("/a")), None, "{json}");
        }
    }

    #[test]
    fn a_number_keeps_its_digits_or_is_refused() {
        let many = || LeftOut::at("/a", Fault::Digits);
        let check = |value: &str, want: Result<Option<&str>, LeftOut>| {
            let got = with(&format!(r#"{{"a":{value}}}"#), |row| row.number::<Money>("/a"));
            assert_eq!(got.map(|money| money.map(|money| money.to_string())), want.map(|w| w.map(str::to_owned)));
        };
        check("161.10", Ok(Some("161.10")));
        check("161", Ok(Some("161")));
        check("-0.30000000000000004", Ok(Some("-0.30000000000000004")));
        check(r#""12.50""#, Ok(Some("12.50")));
        check("1e-7", Ok(Some("0.0000001")));
        check("12345678901234567890123456789012", Err(many()));
        check("1E400", Err(many()));
        check(r#""1E400""#, Err(many()));
        check(r#""many""#, Ok(None));
        check(r#""2025-09-03""#, Ok(None));
        check(r#""inf""#, Ok(None));
        check("true", Ok(None));
        check("[1]", Ok(None));
    }

    #[test]
    fn a_time_has_a_zone_and_any_fraction() {
        let check = |text: &str, want: Option<&str>| {
            let got = with(&format!(r#"{{"a":"{text}"}}"#), |row| row.time("/a"));
            assert_eq!(got.map(|time| time.to_rfc3339()).as_deref(), want, "{text}");
        };
        check("2025-09-03T08:32:27.270Z", Some("2025-09-03T08:32:27.270+00:00"));
        check("2025-09-03T08:32:00.00Z", Some("2025-09-03T08:32:00+00:00"));
        check("2025-09-03T08:32:00Z", Some("2025-09-03T08:32:00+00:00"));
        check("2025-09-03T08:32:00.123456789012Z", Some("2025-09-03T08:32:00.123456789+00:00"));
        check("2025-09-03T15:32:00+07:00", Some("2025-09-03T08:32:00+00:00"));
        check("2016-12-31T23:59:60.5Z", Some("2017-01-01T00:00:00.500+00:00"));
        check("2025-09-03T08:32:60+07:00", Some("2025-09-03T01:33:00+00:00"));
        check("9999-12-31T23:59:60Z", None);
        check("9999-12-31T23:59:59Z", Some("9999-12-31T23:59:59+00:00"));
        check("9999-12-31T23:59:59-07:00", None);
        check("0000-01-01T00:00:00+07:00", None);
        check("2025-09-03", None);
        check("2025-13-03T08:32:00Z", None);
        check("yesterday", None);
    }

    #[test]
    fn of_a_list_the_first_elements_are_taken_and_the_rest_is_counted() {
        let json = r#"{"a":[1,22,333,4444],"b":null,"c":"","d":"-","e":{},"f":"x"}"#;
        let first = |most, bytes| {
            with(json, |row| {
                let First { elements, left_out } = row.first_of("/z | /a", most, bytes);
                (elements.len(), left_out)
            })
        };
        assert_eq!(
            [first(9, 99), first(4, 10), first(3, 99), first(9, 3), first(0, 99)],
            [(4, 0), (4, 0), (3, 1), (2, 2), (0, 4)]
        );
        for (pointer, want) in
            [("/a", true), ("/b", true), ("/c", true), ("/d", true), ("/e", false), ("/f", false), ("/z", false)]
        {
            assert_eq!(with(json, |row| row.has_list(pointer)), want, "{pointer}");
        }
        let numbers = with(json, |row| row.each("/a", |row| row.number::<Money>("/x")));
        assert_eq!(numbers.unwrap_err().to_string(), "`a` has an element that is no object");
    }

    #[test]
    fn a_flag_and_a_name_are_read_loosely() {
        for (value, want) in [("true", true), ("1", true), (r#""true""#, true), ("false", false), ("null", false)] {
            assert_eq!(with(&format!(r#"{{"a":{value}}}"#), |row| row.flag("/a")), want, "{value}");
        }
        let json = r#"{"p":{"firstname":" Somying ","lastname":"-"},"q":{"firstname":"Front","lastname":"Desk"}}"#;
        assert_eq!(with(json, |row| row.name("/p")).as_deref(), Some("Somying"));
        assert_eq!(with(json, |row| row.name("/q")).as_deref(), Some("Front Desk"));
        assert_eq!(with(json, |row| row.name("/r")), None);
    }
}
