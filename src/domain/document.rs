//! A TOML document read value by value, so that *every* mistake in it is found, each with its place.
//!
//! Typed deserialization stops at the first mistake. Here each key is taken by name, its value is deserialized alone,
//! and what nobody took is unknown: the list of known keys cannot drift from the code that reads them.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};

use super::mistake::Mistake;

/// How alike two keys must be (1.0 is equal) for one to be suggested in place of the other. Below this, suggestions
/// in trials were more confusing than none.
const ALIKE: f64 = 0.75;

/// A value and the bytes it was written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Range<usize>,
}

impl<T> Placed<T> {
    /// A mistake at this place.
    pub fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake::new(self.span.clone(), message)
    }
}

/// One table of a document, from which keys are taken.
pub struct Table<'i> {
    entries: DeTable<'i>,
    /// Where the table is headed.
    pub span: Range<usize>,
    asked: BTreeSet<String>,
}

impl<'i> Table<'i> {
    /// Reads a document. After a syntax error no more is said about it: what follows one is guesswork.
    pub fn parse(text: &'i str) -> Result<Table<'i>, Vec<Mistake>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            let span = table.span();
            Ok(Table { entries: table.into_inner(), span, asked: BTreeSet::new() })
        } else {
            Err(errors.into_iter().map(Mistake::from).collect())
        }
    }

    fn remove(&mut self, key: &str) -> Option<Spanned<DeValue<'i>>> {
        self.asked.insert(key.to_owned());
        let key = self.entries.keys().find(|present| present.get_ref().as_ref() == key)?.clone();
        self.entries.remove(&key)
    }

    /// Takes the value of `key`, or says what is wrong with it.
    pub fn take<T: DeserializeOwned>(&mut self, key: &str, mistakes: &mut Vec<Mistake>) -> Option<Placed<T>> {
        let value = self.remove(key)?;
        let span = value.span();
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(value) => Some(Placed { value, span }),
            Err(error) => {
                let place = error.span().filter(|place| !place.is_empty()).unwrap_or(span);
                mistakes.push(Mistake::new(place, format!("`{key}`: {}", error.message().trim())));
                None
            }
        }
    }

    /// Takes the value of a key that must be there.
    pub fn require<T: DeserializeOwned>(&mut self, key: &str, mistakes: &mut Vec<Mistake>) -> Option<Placed<T>> {
        let before = mistakes.len();
        let taken = self.take(key, mistakes);
        if taken.is_none() && mistakes.len() == before {
            mistakes.push(Mistake::new(self.span.clone(), format!("`{key}` is missing")));
        }
        taken
    }

    /// Takes `[key]`, if it is there and a table.
    pub fn table(&mut self, key: &str, mistakes: &mut Vec<Mistake>) -> Option<Table<'i>> {
        let value = self.remove(key)?;
        table_of(value, key, mistakes)
    }

    /// Takes every `[[key]]`.
    pub fn tables(&mut self, key: &str, mistakes: &mut Vec<Mistake>) -> Vec<Table<'i>> {
        let Some(value) = self.remove(key) else { return Vec::new() };
        let span = value.span();
        match value.into_inner() {
            DeValue::Array(array) => array.into_iter().filter_map(|value| table_of(value, key, mistakes)).collect(),
            _ => {
                mistakes.push(Mistake::new(span, format!("`{key}` must be written as `[[{key}]]`")));
                Vec::new()
            }
        }
    }

    /// Takes every `[key.NAME]` below this table, with its name.
    pub fn named_tables(mut self, mistakes: &mut Vec<Mistake>) -> Vec<(Placed<String>, Table<'i>)> {
        let mut named = Vec::new();
        for (key, value) in std::mem::take(&mut self.entries) {
            let name = Placed { value: key.get_ref().to_string(), span: key.span() };
            if let Some(table) = table_of(value, &name.value, mistakes) {
                named.push((name, table));
            }
        }
        named
    }

    /// Takes all keys that are left, as they are.
    pub fn rest<T: DeserializeOwned>(mut self, mistakes: &mut Vec<Mistake>) -> Vec<(Placed<String>, Placed<T>)> {
        let keys: Vec<Spanned<DeString<'i>>> = self.entries.keys().cloned().collect();
        let mut rest = Vec::new();
        for key in keys {
            let name = Placed { value: key.get_ref().to_string(), span: key.span() };
            if let Some(value) = self.take(&name.value, mistakes) {
                rest.push((name, value));
            }
        }
        rest
    }

    /// Says of every key that nobody took that it is unknown, or for those in `later`, that it is not built yet.
    pub fn finish(self, later: &[&str], mistakes: &mut Vec<Mistake>) {
        for key in self.entries.keys() {
            let name = key.get_ref().as_ref();
            mistakes.push(if later.contains(&name) {
                Mistake::new(key.span(), format!("`{name}` does not work in this version of posbell yet"))
                    .help("take it out, so that nobody relies on it")
            } else {
                let unknown = Mistake::new(key.span(), format!("unknown key `{name}`"));
                match suggestion(name, self.asked.iter().map(String::as_str)) {
                    Some(alike) => unknown.help(format!("did you mean `{alike}`?")),
                    None => unknown,
                }
            });
        }
    }
}

fn table_of<'i>(value: Spanned<DeValue<'i>>, key: &str, mistakes: &mut Vec<Mistake>) -> Option<Table<'i>> {
    let span = value.span();
    match value.into_inner() {
        DeValue::Table(entries) => Some(Table { entries, span, asked: BTreeSet::new() }),
        _ => {
            mistakes.push(Mistake::new(span, format!("`{key}` must be a table")));
            None
        }
    }
}

/// The candidate that `name` was probably meant to be.
pub fn suggestion<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// Reads one value of a document with `FromStr`, so that the text of its error becomes the mistake.
pub fn parse_placed<T>(placed: &Placed<String>, mistakes: &mut Vec<Mistake>) -> Option<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    match placed.value.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            mistakes.push(placed.mistake(format!("`{}`: {error}", placed.value)));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_found_with_its_place() {
        let text = "name = 5\nsevrity = \"info\"\ncooldown = \"1h\"\n";
        let mut mistakes = Vec::new();
        let mut table = Table::parse(text).unwrap_or_else(|_| panic!("is TOML"));
        assert_eq!(table.take::<String>("name", &mut mistakes), None);
        assert_eq!(table.take::<String>("severity", &mut mistakes), None);
        assert_eq!(table.require::<String>("to", &mut mistakes), None);
        table.finish(&["cooldown"], &mut mistakes);
        let said: Vec<(&str, &str)> = mistakes.iter().map(|m| (&text[m.span.clone()], m.message.as_str())).collect();
        assert_eq!(said[0], ("5", "`name`: invalid type: integer `5`, expected a string"));
        assert_eq!(said[1].1, "`to` is missing");
        assert!(said.contains(&("sevrity", "unknown key `sevrity`")), "{said:?}");
        assert!(said.contains(&("cooldown", "`cooldown` does not work in this version of posbell yet")), "{said:?}");
        assert!(mistakes.iter().any(|m| m.help.as_deref() == Some("did you mean `severity`?")), "{mistakes:?}");
    }
}
