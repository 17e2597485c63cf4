//! Is this an answer at all? The object around the rows, `{"success": 1, "data": […], "total": …, "total_page": …}`.
//!
//! Refuses everything that is not that object with `success` 1 (or `true`, `1.0`, `"1"`), whatever the HTTP status was: gateways answer with
//! HTML and status 200, and a list that was cut off must not pass for a short one.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Why an answer is not what was asked for. The texts never quote the body, but for its own `message`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Nothing at all.
    #[error("the answer is empty")]
    Empty,
    /// A page for people, most often of a gateway or a login.
    #[error("the answer is a web page, not data; check base_url")]
    Html,
    /// The JSON ends in its middle.
    #[error("the answer is cut off")]
    CutOff,
    /// Something else than JSON.
    #[error("the answer is not JSON")]
    NotJson,
    /// JSON, but no object.
    #[error("the answer is JSON but not an object")]
    NotAnObject,
    /// An object that does not say `success: 1`.
    #[error("the API says it failed{}", quoted(message.as_deref()))]
    NotSuccess {
        /// What it says about it, cut short.
        message: Option<String>,
    },
    /// `success: 1`, but `data` is no list.
    #[error("the answer has no list of rows in `data`")]
    NoRows,
    /// More rows than one answer can have.
    #[error("the answer has more than {MOST_ROWS} rows; check base_url")]
    TooManyRows,
    /// There are rows, and not one is of the kind that was asked for.
    #[error("the answer has rows of another kind; check base_url and the fields of the shop")]
    WrongShape,
}

/// How much of the API's own words is shown: enough for a sentence.
const MESSAGE_LIMIT: usize = 200;

/// How long a word of Latin letters may be, and how many digits it may have, before it is left out: keys and telephone
/// numbers are longer.
const LONGEST_WORD: usize = 20;
const MOST_DIGITS: usize = 5;

/// How many rows one answer may have: more than a shop has products, and few enough to note each.
const MOST_ROWS: usize = 500_000;

fn quoted(message: Option<&str>) -> String {
    message.map(|message| format!(": {message}")).unwrap_or_default()
}

/// An answer, taken apart but not yet read.
#[derive(Debug)]
pub(in crate::edge::pospos) struct Envelope<'a> {
    /// The rows as they were written.
    pub rows: Vec<&'a RawValue>,
    /// How many rows the whole list has, where the answer says so.
    pub total: Option<u64>,
    /// How many pages the whole list has, where the answer says so.
    pub total_page: Option<u64>,
}

/// A good answer, taken apart in one go. What does not read so is looked at member by member, to say why.
#[derive(Deserialize)]
struct Good<'a> {
    #[serde(borrow)]
    success: &'a RawValue,
    #[serde(borrow, deserialize_with = "rows")]
    data: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    total: Option<&'a RawValue>,
    #[serde(borrow, default)]
    total_page: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Takes the body of an answer apart, that should be a list.
    pub fn open(body: &'a [u8]) -> Result<Self, Malformed> {
        // The text of a page is long, and each look at all of it costs as much as everything that follows.
        let good = std::str::from_utf8(body).ok().and_then(|text| serde_json::from_str::<Good<'a>>(text).ok());
        match good.filter(|good| is_one(good.success) && good.data.len() <= MOST_ROWS) {
            Some(Good { data, total, total_page, .. }) => {
                Ok(Self { rows: data, total: total.and_then(count), total_page: total_page.and_then(count) })
            }
            None => Self::read(body, list),
        }
    }

    /// The same, where the answer is about one thing: a list of one or none, or the thing itself.
    pub fn open_one(body: &'a [u8]) -> Result<Self, Malformed> {
        Self::read(body, |data| match data.get().as_bytes().first() {
            Some(b'{') => Some(vec![data]),
            Some(b'n') => Some(Vec::new()),
            _ => list(data),
        })
    }

    fn read(body: &'a [u8], rows: impl FnOnce(&'a RawValue) -> Option<Vec<&'a RawValue>>) -> Result<Self, Malformed> {
        let text = match std::str::from_utf8(body) {
            Ok(text) => text,
            // Cut within a letter.
            Err(error) if error.error_len().is_none() => return Err(Malformed::CutOff),
            Err(_) => return Err(Malformed::NotJson),
        };
        let text = text.trim_start_matches('\u{feff}').trim();
        match text.as_bytes().first() {
            None => return Err(Malformed::Empty),
            Some(b'<') => return Err(Malformed::Html),
            Some(_) => {}
        }
        if !text.starts_with('{') {
            let _: &RawValue = parse(text)?;
            return Err(Malformed::NotAnObject);
        }
        let members: BTreeMap<String, &RawValue> = parse(text)?;
        let get = |name: &str| members.get(name).copied();
        if !get("success").is_some_and(is_one) {
            return Err(Malformed::NotSuccess { message: get("message").and_then(message) });
        }
        let data = get("data").ok_or(Malformed::NoRows)?;
        let rows = rows(data).ok_or(Malformed::NoRows)?;
        if rows.len() > MOST_ROWS {
            return Err(Malformed::TooManyRows);
        }
        Ok(Self { rows, total: get("total").and_then(count), total_page: get("total_page").and_then(count) })
    }
}

/// The rows of a list, and one more than there may be where there are too many.
fn list(data: &RawValue) -> Option<Vec<&RawValue>> {
    rows(&mut serde_json::Deserializer::from_str(data.get())).ok()
}

fn rows<'a, D: Deserializer<'a>>(data: D) -> Result<Vec<&'a RawValue>, D::Error> {
    struct Rows<'a>(PhantomData<&'a ()>);

    impl<'a> Visitor<'a> for Rows<'a> {
        type Value = Vec<&'a RawValue>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a list of rows")
        }

        fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut rows = Vec::new();
            while rows.len() <= MOST_ROWS
                && let Some(row) = seq.next_element()?
            {
                rows.push(row);
            }
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(rows)
        }
    }

    data.deserialize_seq(Rows(PhantomData))
}

fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|error| if error.is_eof() { Malformed::CutOff } else { Malformed::NotJson })
}

/// Whether it is 1, in whichever way that is written: `1`, `1.0`, `true`, and each of them as a text.
fn is_one(raw: &RawValue) -> bool {
    match raw.get().trim_matches('"').trim() {
        "1" | "true" => true,
        // The double is no figure of anything: it only tells how a one is written.
        number => number.parse() == Ok(1.0_f64),
    }
}

/// A count, also as a numeric string; anything else is as good as none.
fn count(raw: &RawValue) -> Option<u64> {
    raw.get().trim_matches('"').parse().ok()
}

/// The API's own words, fit for a log and a terminal.
fn message(raw: &RawValue) -> Option<String> {
    let text: String = serde_json::from_str(raw.get()).ok()?;
    let text: String = text.chars().filter(|c| !c.is_control()).take(MESSAGE_LIMIT).collect();
    let words: Vec<&str> = text.split_whitespace().map(|word| if is_private(word) { "…" } else { word }).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Whether a word may be a key that the API repeats, or a telephone number, and not a word at all.
fn is_private(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let is_long = word.is_ascii() && word.len() > LONGEST_WORD;
    digits > MOST_DIGITS || is_long || word.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> Malformed {
        Envelope::open(body.as_bytes()).expect_err(body)
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        assert_eq!(refused(""), Malformed::Empty);
        assert_eq!(refused(" \n"), Malformed::Empty);
        assert_eq!(refused("<!doctype html><html></html>"), Malformed::Html);
        assert_eq!(refused("  <html>"), Malformed::Html);
        assert_eq!(refused(r#"{"success":1,"data":[{"_id":"a"#), Malformed::CutOff);
        assert_eq!(refused(r#"{"success":1,"data":[{"_id":"a"}"#), Malformed::CutOff);
        assert_eq!(Envelope::open(b"{\"success\":1,\"data\":[\"\xe0\xb8").expect_err("cut"), Malformed::CutOff);
        assert_eq!(refused("Bad Gateway"), Malformed::NotJson);
        assert_eq!(refused(r#"{"success":1,"data":[]} trailing"#), Malformed::NotJson);
        assert_eq!(Envelope::open(&[0x1f, 0x8b, 0xff]).expect_err("binary"), Malformed::NotJson);
        assert_eq!(refused("[]"), Malformed::NotAnObject);
        assert_eq!(refused("null"), Malformed::NotAnObject);
        assert_eq!(refused(r#"{"success":1}"#), Malformed::NoRows);
        assert_eq!(refused(r#"{"success":1,"data":null}"#), Malformed::NoRows);
        assert_eq!(refused(r#"{"success":1,"data":{"_id":"a"}}"#), Malformed::NoRows);
    }

    #[test]
    fn an_answer_has_no_more_rows_than_a_shop_can_have() {
        let body = |rows: usize| format!("{{\"success\":1,\"data\":[{}0]}}", "0,".repeat(rows - 1));
        assert_eq!(
            Envelope::open(body(MOST_ROWS).as_bytes()).map(|envelope| envelope.rows.len()).ok(),
            Some(MOST_ROWS)
        );
        assert_eq!(refused(&body(MOST_ROWS + 1)), Malformed::TooManyRows);
        assert_eq!(refused(&body(4 * MOST_ROWS)), Malformed::TooManyRows);
    }

    #[test]
    fn what_the_api_says_is_shown_without_keys_and_telephone_numbers() {
        let said = |message: &str| match refused(&format!("{{\"success\":0,\"message\":\"{message}\"}}")) {
            Malformed::NotSuccess { message } => message.unwrap_or_default(),
            other => panic!("{other}"),
        };
        assert_eq!(
            said("key abcdef0123456789abcdef01 of 0812345678 is unknown, error 40123"),
            "key … of … is unknown, error 40123"
        );
        assert_eq!(said("ask somchai@example.com  (081-234-5678)"), "ask … …");
        assert_eq!(said("ไม่พบข้อมูลร้านค้าที่ต้องการในระบบนี้"), "ไม่พบข้อมูลร้านค้าที่ต้องการในระบบนี้");
    }

    #[test]
    fn a_member_that_comes_twice_counts_as_it_came_last() {
        let body = br#"{"success":0,"data":[1],"success":1,"data":[1,2],"total":1,"total":2,"more":{"data":[]}}"#;
        let envelope = Envelope::open(body).unwrap();
        assert_eq!((envelope.rows.len(), envelope.total), (2, Some(2)));
        assert!(Envelope::open(br#"{"success":1,"success":0,"data":[]}"#).is_err());
    }

    #[test]
    fn success_is_one_in_whichever_way_it_is_written() {
        let body = |success: &str| format!(r#"{{"success": {success} , "data": [ 1 ]}}"#);
        for success in ["1", "1.0", "1.00", "1e0", "true", r#""1""#, r#""1.0""#, r#"" 1 ""#, r#""true""#] {
            let body = body(success);
            assert_eq!(Envelope::open(body.as_bytes()).map(|envelope| envelope.rows.len()), Ok(1), "{success}");
            assert!(Envelope::open_one(body.as_bytes()).is_ok(), "{success}");
        }
        for success in ["0", "2", "-1", "1.5", "10", "false", "null", r#""yes""#, "[1]", r#"{"a":1}"#] {
            assert_eq!(refused(&body(success)), Malformed::NotSuccess { message: None }, "{success}");
        }
        for body in [r#"{"data":[]}"#, "{}"] {
            assert_eq!(refused(body), Malformed::NotSuccess { message: None }, "{body}");
        }
    }

    #[test]
    fn its_own_words_are_short_and_harmless() {
        let long = format!(r#"{{"message":"\u001b[31mred\n{}"}}"#, "x ".repeat(500));
        let Malformed::NotSuccess { message: Some(message) } = refused(&long) else { panic!("has a message") };
        assert!(message.starts_with("[31mredx x x") && message.len() <= 200, "{message}");
        let error = refused(r#"{"message":"API rate limit exceeded"}"#);
        assert_eq!(error.to_string(), "the API says it failed: API rate limit exceeded");
    }

    #[test]
    fn one_thing_may_stand_in_a_list_or_alone() {
        let check = |data: &str, want: Option<usize>| {
            let body = format!(r#"{{"success":1,"data":{data}}}"#);
            assert_eq!(Envelope::open_one(body.as_bytes()).ok().map(|envelope| envelope.rows.len()), want, "{data}");
        };
        check(r#"{"_id":"a"}"#, Some(1));
        check(r#"[{"_id":"a"}]"#, Some(1));
        check("[]", Some(0));
        check("null", Some(0));
        check("7", None);
        check(r#""none""#, None);
    }

    #[test]
    fn counts_are_taken_where_they_are_given() {
        let check = |members: &str, total, total_page| {
            let body = format!(r#"{{"success":1,"data":[1,"a",{{}}]{members}}}"#);
            let envelope = Envelope::open(body.as_bytes()).unwrap();
            assert_eq!((envelope.rows.len(), envelope.total, envelope.total_page), (3, total, total_page), "{body}");
        };
        check("", None, None);
        check(r#","total":73,"total_page":1"#, Some(73), Some(1));
        check(r#","total":"73","total_page":null"#, Some(73), None);
        check(r#","total":-1,"total_page":1.5"#, None, None);
    }
}
