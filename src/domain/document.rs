//! A TOML document read value by value, so that *every* mistake in it is found, each with its place.
//!
//! Typed deserialization stops at the first mistake, and speaks of sequences and variants. Here each key is taken by
//! name, its value is read alone by its [`Form`], and what nobody took is unknown: the list of known keys cannot drift
//! from the code that reads them.

mod form;

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

pub use form::{Form, OneOrMany, Scalar};

use super::mistake::Mistake;
use form::Asked;

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
    pub fn take<T: Form>(&mut self, key: &str, mistakes: &mut Vec<Mistake>) -> Option<Placed<T>> {
        let value = self.remove(key)?;
        let span = value.span();
        T::read(value, Asked::key(key), mistakes).map(|value| Placed { value, span })
    }

    /// Takes a key that means something only elsewhere, and says where.
    pub fn misplaced(&mut self, key: &str, belongs: &str, mistakes: &mut Vec<Mistake>) {
        let Some(present) = self.entries.keys().find(|present| present.get_ref().as_ref() == key).cloned() else {
            return;
        };
        mistakes.push(Mistake::new(present.span(), format!("`{key}` belongs to {belongs}")).help("take it out here"));
        self.entries.remove(&present);
    }

    /// Takes the value of a key that must be there.
    pub fn require<T: Form>(&mut self, key: &str, mistakes: &mut Vec<Mistake>) -> Option<Placed<T>> {
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

    /// Takes every `[key.NAME]` below this table, with its name. What stands here outside of any is a mistake.
    pub fn named_tables(mut self, key: &str, mistakes: &mut Vec<Mistake>) -> Vec<(Placed<String>, Table<'i>)> {
        let mut named = Vec::new();
        for (name, value) in std::mem::take(&mut self.entries) {
            let name = Placed { value: name.get_ref().to_string(), span: name.span() };
            let span = value.span();
            match value.into_inner() {
                DeValue::Table(entries) => named.push((name, Table { entries, span, asked: BTreeSet::new() })),
                _ => mistakes.push(
                    name.mistake(format!("`{}` belongs to no {key}", name.value))
                        .help(format!("write it below the name of one: [{key}.NAME]")),
                ),
            }
        }
        named
    }

    /// Takes all keys that are left, as they are.
    pub fn rest<T: Form>(mut self, mistakes: &mut Vec<Mistake>) -> Vec<(Placed<String>, Placed<T>)> {
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
        other => {
            let mistake = Mistake::new(span, format!("`{key}` must be a table"));
            mistakes.push(match other {
                DeValue::Array(entries)
                    if !entries.is_empty() && entries.iter().all(|entry| entry.get_ref().is_table()) =>
                {
                    mistake.help("write it once, in single brackets")
                }
                _ => mistake,
            });
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

/// Reads a word of a closed list, each with what it means.
pub fn choice<T: Clone>(
    key: &str,
    placed: &Placed<String>,
    words: &[(&str, T)],
    mistakes: &mut Vec<Mistake>,
) -> Option<T> {
    let written = placed.value.as_str();
    if let Some((_, meant)) = words.iter().find(|(word, _)| *word == written) {
        return Some(meant.clone());
    }
    let quoted: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    let listed = match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
        None => String::new(),
    };
    let mistake = placed.mistake(format!("`{key}` must be {listed}"));
    mistakes.push(match suggestion(written, words.iter().map(|(word, _)| *word)) {
        Some(alike) => mistake.help(format!("did you mean \"{alike}\"?")),
        None => mistake,
    });
    None
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
        assert_eq!(said[0], ("5", "`name` must be text in quotes"));
        assert_eq!(said[1].1, "`to` is missing");
        assert!(said.contains(&("sevrity", "unknown key `sevrity`")), "{said:?}");
        assert!(said.contains(&("cooldown", "`cooldown` does not work in this version of posbell yet")), "{said:?}");
        assert!(mistakes.iter().any(|m| m.help.as_deref() == Some("did you mean `severity`?")), "{mistakes:?}");
    }
}
