//! A row of a list as the API writes it, that a bad pass can spoil field by field.
//!
//! Values are kept as the text of their JSON: twenty thousand rows are spoilt and written again for each bad pass, and
//! no tree is built of any.

/// A name that begins so is for the server alone and not written.
const UNWRITTEN: char = '#';

/// One row: the names of its members and how each value is written.
#[derive(Debug, Clone)]
pub struct Row(Vec<(&'static str, String)>);

impl Row {
    pub fn new(members: Vec<(&'static str, String)>) -> Row {
        Row(members)
    }

    /// How the value of that name is written; `null` where there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == name).map_or("null", |(_, value)| value)
    }

    /// The value as a whole number; 0 where it is none.
    pub fn number(&self, name: &str) -> i64 {
        self.get(name).parse().unwrap_or_default()
    }

    /// The text of the value, without its quotation marks.
    pub fn text(&self, name: &str) -> String {
        self.get(name).trim_matches('"').to_owned()
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        let value = value.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, written)) => *written = value,
            None => self.0.push((name, value)),
        }
    }

    pub fn set_text(&mut self, name: &'static str, text: &str) {
        self.set(name, quoted(text));
    }

    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| *known != name);
    }

    /// The row as JSON.
    pub fn written(&self) -> String {
        let mut text = String::with_capacity(400);
        for (name, value) in self.0.iter().filter(|(name, _)| !name.starts_with(UNWRITTEN)) {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.extend(["\"", name, "\":", value]);
        }
        text.push_str(if text.is_empty() { "{}" } else { "}" });
        text
    }
}

/// A text as JSON; none of the catalogue's has a character that must be escaped.
pub fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
