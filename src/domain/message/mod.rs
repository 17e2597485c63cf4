//! What a person reads: an event as a short text in Thai or English.
//!
//! Written for the lock screen of a phone: the title says what happened and where, the body is a few short lines.
//! Plain text only; a channel that needs another form escapes it itself. Everything is bounded here, so that no row
//! of the API can make a message that a channel refuses for its length.

mod cut;
mod english;
mod figures;
mod layout;
mod newest;
mod several;
mod thai;
mod words;

#[cfg(test)]
mod tests;

use chrono_tz::Tz;

use crate::domain::disk::DiskFault;
use crate::domain::event::{Event, EventKind};
use cut::cut;
use layout::{Layout, joined};

pub use cut::cut_utf16;
pub use newest::render_newest;

/// The longest title or line, in characters. Only absurd values come near it.
const LINE_MOST: usize = 200;

/// The longest body, in characters: far below Telegram's 4,096, and more than anyone reads on a phone.
const BODY_MOST: usize = 1500;

/// How many events of a message of several get a line of their own.
const EVENTS_SHOWN: usize = 20;

/// How much of a title the shop's name may take.
const SHOP_MOST: usize = 40;

/// The language of built-in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// ไทย
    Thai,
    /// English
    English,
}

/// A message for a person, as plain text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
///
/// `shop_name` is said in the title; `None` where there is only one shop. A sale that these events tell as made and as
/// cancelled is one thing, and a message that is left with one event is the message of that one.
pub fn render(events: &[Event], shop_name: Option<&str>, wording: &Wording) -> Text {
    let layout = layout(wording);
    let told = several::told(events);
    match told.as_slice() {
        [told] => {
            // A channel is no shop's own.
            let shop_name = shop_name.filter(|_| !is_of_channel(told.event.kind));
            let head = layout.headline(*told);
            Text { title: title(Some(head), shop_name), body: body(&layout.body(told.event), usize::MAX) }
        }
        told => {
            let (head, lines) = several::several(&layout, told);
            Text { title: title(head, shop_name), body: body(&lines, EVENTS_SHOWN) }
        }
    }
}

fn is_of_channel(kind: EventKind) -> bool {
    matches!(kind, EventKind::ChannelFailing | EventKind::ChannelRecovered)
}

/// What is said of posbell itself, when no event can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'p> {
    /// The disk takes nothing: nothing is read and nothing sent.
    DiskFault(DiskFault),
    /// The disk works again, and posbell goes on.
    DiskBack,
    /// A mistake in the files keeps the service from starting.
    Mistaken {
        /// File and line of the first.
        place: &'p str,
        /// How many there are besides.
        more: usize,
    },
}

/// The message of such a notice.
pub fn render_notice(notice: Notice<'_>, wording: &Wording) -> Text {
    let words = layout(wording).words;
    let [title, body] = match notice {
        Notice::DiskFault(fault) => (words.disk_fault)(fault).map(str::to_owned),
        Notice::DiskBack => words.disk_back.map(str::to_owned),
        Notice::Mistaken { place, more } => {
            [words.mistaken.to_owned(), (words.mistaken_where)(&cut(place, LINE_MOST), more)]
        }
    };
    Text { title, body }
}

fn layout(wording: &Wording) -> Layout {
    let words = match wording.language {
        Language::Thai => &thai::WORDS,
        Language::English => &english::WORDS,
    };
    Layout { words, timezone: wording.timezone }
}

/// The head with the shop behind it; the head is never cut to make room for the shop.
fn title(head: Option<String>, shop_name: Option<&str>) -> String {
    let shop = figures::code(shop_name).map(|name| cut(&name, SHOP_MOST));
    let head = head.map(|head| cut(&head, LINE_MOST - SHOP_MOST - " · ".len()));
    joined([head, shop]).unwrap_or_else(|| "posbell".to_owned())
}

/// As many lines as there is room for, at most `most`; `+N` says how many were left out.
fn body(lines: &[String], most: usize) -> String {
    // Room for the `+N` itself: a line break, the sign and the digits of any count.
    let room = BODY_MOST - 22;
    let mut body = String::new();
    let mut length = 0;
    for (i, line) in lines.iter().enumerate() {
        let line = cut(line, LINE_MOST);
        length += line.chars().count() + 1;
        let separator = if i == 0 { "" } else { "\n" };
        if i == most || length > room {
            body.push_str(&format!("{separator}+{}", lines.len() - i));
            break;
        }
        body.push_str(separator);
        body.push_str(&line);
    }
    body
}
