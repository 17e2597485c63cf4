//! Which forms may a value have, and what does a person read who wrote another one?
//!
//! Each form is named in the words of someone who writes the file: text in quotes, a list in brackets. The words of a
//! deserializer ("expected a sequence") name types of this program, which nobody outside of it knows. A value is
//! repeated only in the advice about lists, none of which holds a secret.

use std::fmt;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeInteger, DeValue};

use crate::domain::mistake::Mistake;

/// A form that the value of a key can be asked for in.
pub trait Form: Sized {
    /// Reads the value, or adds every mistake in it.
    fn read(value: Spanned<DeValue<'_>>, asked: Asked<'_>, mistakes: &mut Vec<Mistake>) -> Option<Self>;
}

/// What is asked for: the value of a key, or one entry of a list that is.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'k> {
    key: &'k str,
    is_entry: bool,
}

impl<'k> Asked<'k> {
    /// The value of `key`.
    pub(super) fn key(key: &'k str) -> Self {
        Self { key, is_entry: false }
    }

    fn entry(self) -> Self {
        Self { is_entry: true, ..self }
    }
}

/// The subject of a mistake's sentence.
impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_entry { write!(f, "each entry of `{}`", self.key) } else { write!(f, "`{}`", self.key) }
    }
}

impl Form for String {
    fn read(value: Spanned<DeValue<'_>>, asked: Asked<'_>, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        let span = value.span();
        let mistake = Mistake::new(span, format!("{asked} must be text in quotes"));
        mistakes.push(match value.into_inner() {
            DeValue::String(text) => return Some(text.into_owned()),
            DeValue::Array(_) => mistake.help("write one text, without brackets"),
            DeValue::Table(_) => mistake,
            _ => mistake.help("put quotes around it"),
        });
        None
    }
}

impl Form for PathBuf {
    fn read(value: Spanned<DeValue<'_>>, asked: Asked<'_>, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        String::read(value, asked, mistakes).map(PathBuf::from)
    }
}

impl Form for bool {
    fn read(value: Spanned<DeValue<'_>>, asked: Asked<'_>, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        let mistake = Mistake::new(value.span(), format!("{asked} must be true or false"));
        mistakes.push(match value.into_inner() {
            DeValue::Boolean(value) => return Some(value),
            DeValue::String(_) => mistake.help("without quotes"),
            _ => mistake,
        });
        None
    }
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {
        $(impl Form for $number {
            fn read(value: Spanned<DeValue<'_>>, asked: Asked<'_>, mistakes: &mut Vec<Mistake>) -> Option<Self> {
                let mistake = Mistake::new(value.span(), format!("{asked} must be a whole number, 0 or more"));
                mistakes.push(match value.into_inner() {
                    DeValue::Integer(written) => match whole(&written).and_then(|number| number.try_into().ok()) {
                        Some(number) => return Some(number),
                        None => mistake,
                    },
                    DeValue::String(_) => mistake.help("write it without quotes"),
                    _ => mistake,
                });
                None
            }
        })*
    };
}

whole_numbers!(u32, u64, usize);

/// Far enough for every number in these files; one that is longer is none.
fn whole(written: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(written.as_str(), written.radix()).ok()
}

impl<T: Form> Form for Spanned<T> {
    fn read(value: Spanned<DeValue<'_>>, asked: Asked<'_>, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        let span = value.span();
        T::read(value, asked, mistakes).map(|value| Spanned::new(span, value))
    }
}

impl<T: Form> Form for Vec<T> {
    fn read(value: Spanned<DeValue<'_>>, asked: Asked<'_>, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        let mistake = Mistake::new(value.span(), format!("{asked} must be a list"));
        mistakes.push(match value.into_inner() {
            DeValue::Array(entries) => {
                let count = entries.len();
                let read: Vec<T> =
                    entries.into_iter().filter_map(|entry| T::read(entry, asked.entry(), mistakes)).collect();
                return (read.len() == count).then_some(read);
            }
            DeValue::String(text) => mistake.help(format!("write it in brackets: {} = [\"{text}\"]", asked.key)),
            DeValue::Table(_) => mistake,
            _ => mistake.help("write it in brackets, each entry in quotes"),
        });
        None
    }
}

/// One text, or a list of them.
pub struct OneOrMany(pub Vec<String>);

impl Form for OneOrMany {
    fn read(value: Spanned<DeValue<'_>>, asked: Asked<'_>, mistakes: &mut Vec<Mistake>) -> Option<Self> {
        match value.get_ref() {
            DeValue::Array(_) => Vec::read(value, asked, mistakes).map(OneOrMany),
            DeValue::String(_) => String::read(value, asked, mistakes).map(|text| OneOrMany(vec![text])),
            _ => {
                mistakes
                    .push(Mistake::new(value.span(), format!("{asked} must be text in quotes, or a list of texts")));
                None
            }
        }
    }
}

/// A value that may be a number or a word; which of them, the caller says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A number in decimal digits, exactly as it was written: no digit passes through a double.
    Number(String),
    /// Text.
    Text(String),
    /// Something else.
    Other,
}

impl Form for Scalar {
    fn read(value: Spanned<DeValue<'_>>, _: Asked<'_>, _: &mut Vec<Mistake>) -> Option<Self> {
        Some(match value.into_inner() {
            DeValue::Integer(written) => {
                whole(&written).map_or(Scalar::Other, |number| Scalar::Number(number.to_string()))
            }
            DeValue::Float(written) => Scalar::Number(written.as_str().to_owned()),
            DeValue::String(text) => Scalar::Text(text.into_owned()),
            _ => Scalar::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Table;

    /// What is said of `key = WRITTEN` where a `T` is asked for.
    #[track_caller]
    fn check<T: Form>(written: &str, want: &[&str]) {
        let text = format!("key = {written}\n");
        let mut mistakes = Vec::new();
        let mut table = Table::parse(&text).unwrap_or_else(|_| panic!("{text} is no TOML"));
        let taken = table.take::<T>("key", &mut mistakes).is_some();
        let said = mistakes.into_iter().map(|mistake| {
            let (place, message) = (&text[mistake.span], mistake.message);
            mistake.help.map_or_else(|| format!("{place}: {message}"), |help| format!("{place}: {message}; {help}"))
        });
        assert_eq!(said.collect::<Vec<_>>(), want, "{written}");
        assert_eq!(taken, want.is_empty(), "{written}");
    }

    #[test]
    fn a_wrong_form_is_named_in_the_words_of_who_writes_it() {
        check::<String>("5", &["5: `key` must be text in quotes; put quotes around it"]);
        check::<String>("[\"a\"]", &["[\"a\"]: `key` must be text in quotes; write one text, without brackets"]);
        check::<bool>("\"yes\"", &["\"yes\": `key` must be true or false; without quotes"]);
        check::<u32>("-1", &["-1: `key` must be a whole number, 0 or more"]);
        check::<u32>("4294967296", &["4294967296: `key` must be a whole number, 0 or more"]);
        check::<usize>("\"5\"", &["\"5\": `key` must be a whole number, 0 or more; write it without quotes"]);
        check::<Vec<String>>("\"a\"", &["\"a\": `key` must be a list; write it in brackets: key = [\"a\"]"]);
        check::<Vec<String>>("5", &["5: `key` must be a list; write it in brackets, each entry in quotes"]);
        check::<Vec<String>>(
            "[\"a\", 5, true]",
            &[
                "5: each entry of `key` must be text in quotes; put quotes around it",
                "true: each entry of `key` must be text in quotes; put quotes around it",
            ],
        );
        check::<OneOrMany>("5", &["5: `key` must be text in quotes, or a list of texts"]);
    }

    #[test]
    fn a_right_form_is_read() {
        check::<Vec<Spanned<String>>>("[\"a\", 'b']", &[]);
        check::<u64>("0x1f", &[]);
        check::<OneOrMany>("\"a\"", &[]);
        check::<OneOrMany>("[\"a\"]", &[]);
        check::<Scalar>("2026-01-01", &[]);
    }

    #[test]
    fn a_number_keeps_every_digit() {
        for (written, want) in [("1_000", "1000"), ("0.12345678901234567", "0.12345678901234567"), ("0x10", "16")] {
            let text = format!("key = {written}\n");
            let mut table = Table::parse(&text).unwrap_or_else(|_| panic!("{text} is no TOML"));
            let taken = table.take::<Scalar>("key", &mut Vec::new()).map(|placed| placed.value);
            assert_eq!(taken, Some(Scalar::Number(want.to_owned())), "{written}");
        }
    }
}
