//! What may be shown of the other side's own words? A line without secrets and without the message's own text.
//!
//! A receiver may answer with all that it was sent: the token in the URL, the headers, the body with a customer's name
//! and telephone number. So whatever of the answer also stands among the channel's secrets, in the message's text or in
//! the data of its body is left out, and so is every number as long as a telephone number. Where a message has too much
//! in it to be compared, nothing is quoted.

use std::collections::HashSet;

use serde_json::Value;

use super::Outgoing;
use crate::domain::event::EventKind;

/// How long the words are at most, in characters.
const LONGEST: usize = 200;

/// How much of an answer is compared, and how much of that is used. What is left over holds the rest of a secret that
/// begins before.
const COMPARED: usize = 8_000;
const USED: usize = 7_000;

/// So many characters in a row that also stand in the message come from there.
const RUN: usize = 12;

/// The shortest text that counts as a secret or as data: shorter ones stand in every answer.
const SHORTEST: usize = 3;

/// How many texts of a message's data are compared.
const MOST_DATA: usize = 2_000;

/// So many digits make a telephone number.
const TELEPHONE: usize = 7;

/// What stands for something that is left out.
const LEFT_OUT: char = '…';

/// A channel's secrets, which no answer may carry into a listing.
#[derive(Clone, Default)]
pub(super) struct Secrets(Vec<Vec<char>>);

impl Secrets {
    /// These texts, as they are written.
    pub(super) fn new<T: AsRef<str>>(secrets: impl IntoIterator<Item = T>) -> Secrets {
        let secrets = secrets.into_iter().map(|secret| folded(secret.as_ref()));
        Secrets(secrets.filter(|secret| secret.len() >= SHORTEST).collect())
    }

    /// What may be shown of `words`, said in answer to `outgoing`; `None` where nothing is left.
    pub(super) fn clean(&self, words: &str, outgoing: &Outgoing) -> Option<String> {
        let shown = readable(words);
        let answer: Vec<char> = shown.iter().map(char::to_ascii_lowercase).collect();
        let mut hidden = vec![false; answer.len()];
        for secret in &self.0 {
            hide(&answer, secret, false, &mut hidden);
        }
        // What posbell says of itself has nothing of a customer in it, and may quote just these words.
        if !is_of_notices(outgoing) {
            for text in &Data::of(outgoing)?.texts {
                hide(&answer, text, text.iter().all(char::is_ascii), &mut hidden);
            }
            for text in [&outgoing.text.title, &outgoing.text.body, &outgoing.body] {
                hide_runs(&answer, &readable_whole(text), &mut hidden);
            }
        }
        hide_numbers(&answer, &mut hidden);
        one_line(&shown, &hidden)
    }
}

/// Whether every event of a message is one that posbell tells of itself.
fn is_of_notices(outgoing: &Outgoing) -> bool {
    let is_notice = |event: &Value| {
        let kind = event["type"].as_str().and_then(EventKind::by_name);
        kind.is_some_and(EventKind::is_notice)
    };
    match serde_json::from_str(&outgoing.body) {
        Ok(Value::Array(events)) => !events.is_empty() && events.iter().all(is_notice),
        Ok(one) => is_notice(&one),
        Err(_) => false,
    }
}

/// The texts in the data of a message's events.
struct Data {
    texts: HashSet<Vec<char>>,
}

impl Data {
    /// `None` where there are too many, or where they cannot be read.
    fn of(outgoing: &Outgoing) -> Option<Data> {
        let mut data = Data { texts: HashSet::new() };
        if outgoing.body.is_empty() {
            return Some(data);
        }
        let body: Value = serde_json::from_str(&outgoing.body).ok()?;
        let events = match &body {
            Value::Array(events) => events.as_slice(),
            one => std::slice::from_ref(one),
        };
        events.iter().for_each(|event| data.take(&event["data"]));
        (data.texts.len() <= MOST_DATA).then_some(data)
    }

    fn take(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                self.put(text);
                text.split_whitespace().for_each(|word| self.put(word));
            }
            Value::Array(values) => values.iter().for_each(|value| self.take(value)),
            Value::Object(members) => members.values().for_each(|value| self.take(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn put(&mut self, text: &str) {
        let text = folded(text);
        // Nicknames of two Thai letters are common.
        if text.len() >= SHORTEST || (text.len() == 2 && !text.iter().any(char::is_ascii)) {
            self.texts.insert(text);
        }
    }
}

/// As it is compared: without control characters, in small letters where that leaves the length as it is.
fn folded(text: &str) -> Vec<char> {
    readable_whole(text).iter().map(char::to_ascii_lowercase).collect()
}

/// The beginning of an answer as a person reads it.
fn readable(text: &str) -> Vec<char> {
    let mut chars = readable_whole(text);
    chars.truncate(COMPARED);
    chars
}

/// The characters of a text: `\u0e01` and percent signs undone as far as they hide letters, control characters and what
/// cannot be seen left out, white space as one blank.
fn readable_whole(text: &str) -> Vec<char> {
    let mut chars: Vec<char> = Vec::new();
    for c in unescaped(text).chars() {
        let is_invisible =
            matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        match c {
            _ if is_invisible => {}
            c if c.is_whitespace() || c.is_control() => {
                if chars.last().is_some_and(|last| *last != ' ') {
                    chars.push(' ');
                }
            }
            c => chars.push(c),
        }
    }
    if chars.last() == Some(&' ') {
        chars.pop();
    }
    chars
}

/// The text with the escapes of JSON (`\u0e01`, `\/`) and of URLs (`%E0`) undone, behind which a name or a secret could
/// hide.
fn unescaped(text: &str) -> String {
    let mut units: Vec<u16> = Vec::new();
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("\\/") || rest.starts_with("\\\"") {
            rest = &rest[1..];
            continue;
        }
        let unit = rest.strip_prefix("\\u").and_then(|rest| u16::from_str_radix(rest.get(..4)?, 16).ok());
        match unit {
            Some(unit) => {
                units.push(unit);
                rest = &rest[6..];
            }
            None => {
                whole.push_str(&String::from_utf16_lossy(&std::mem::take(&mut units)));
                whole.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    whole.push_str(&String::from_utf16_lossy(&units));
    percent_decoded(&whole)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).filter(|_| *first == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Hides every place where `text` stands; where it is to be a word, only where no letter or digit is next to it.
fn hide(answer: &[char], text: &[char], is_word: bool, hidden: &mut [bool]) {
    let Some(last) = answer.len().checked_sub(text.len()) else { return };
    for at in 0..=last {
        let end = at + text.len();
        if answer[at] != text[0] || answer[at..end] != *text {
            continue;
        }
        let before = at.checked_sub(1).map(|before| answer[before]);
        let touches = |neighbour: Option<char>| neighbour.is_some_and(|c| c.is_ascii_alphanumeric());
        if is_word && (touches(before) || touches(answer.get(end).copied())) {
            continue;
        }
        hidden[at..end].fill(true);
    }
}

/// Hides what stands in `text` for [`RUN`] characters in a row.
fn hide_runs(answer: &[char], text: &[char], hidden: &mut [bool]) {
    let text: Vec<char> = text.iter().map(char::to_ascii_lowercase).collect();
    let windows: HashSet<&[char]> = text.windows(RUN).collect();
    for (at, window) in answer.windows(RUN).enumerate() {
        if windows.contains(window) {
            hidden[at..at + RUN].fill(true);
        }
    }
}

/// Hides numbers as long as a telephone number, with or without blanks and dashes in them.
fn hide_numbers(answer: &[char], hidden: &mut [bool]) {
    let mut at = 0;
    while at < answer.len() {
        if !answer[at].is_numeric() {
            at += 1;
            continue;
        }
        let (mut end, mut digits) = (at, 0);
        while let Some(c) = answer.get(end) {
            let goes_on = matches!(c, ' ' | '-') && answer.get(end + 1).is_some_and(|next| next.is_numeric());
            if !c.is_numeric() && !goes_on {
                break;
            }
            digits += usize::from(c.is_numeric());
            end += 1;
        }
        if digits >= TELEPHONE {
            hidden[at..end].fill(true);
        }
        at = end;
    }
}

/// What is not hidden, with one [`LEFT_OUT`] in each place of what is, cut to [`LONGEST`].
fn one_line(shown: &[char], hidden: &[bool]) -> Option<String> {
    let mut line: Vec<char> = Vec::new();
    for (c, is_hidden) in shown.iter().zip(hidden).take(USED) {
        match is_hidden {
            false => line.push(*c),
            true if line.last() != Some(&LEFT_OUT) => line.push(LEFT_OUT),
            true => {}
        }
    }
    if line.len() > LONGEST {
        line.truncate(LONGEST - 1);
        line.push(LEFT_OUT);
    }
    let says_something = line.iter().any(|c| c.is_alphanumeric());
    says_something.then(|| line.into_iter().collect::<String>().trim().to_owned())
}

/// The text of an answer in HTML that is worth showing: its title.
pub(super) fn title_of(html: &str) -> Option<&str> {
    let small = html.to_ascii_lowercase();
    let begin = small.find("<title")?;
    let from = begin + small[begin..].find('>')? + 1;
    let until = from + small[from..].find("</title")?;
    Some(html[from..until].trim()).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{DeliveryId, Severity};
    use crate::domain::message::Text;
    use crate::domain::model::ChannelName;

    fn outgoing() -> Outgoing {
        Outgoing {
            delivery: DeliveryId::of(&ChannelName::new("erp").expect("is a name"), None, &[]),
            id: "evt_1".to_owned(),
            body: r#"{"type":"credit.overdue","data":{"credit":{"customer":{"name":"สมชาย ใจดี","nickname":"โต","phone":"081-234-5678","code":"C-77"},"status":"pending"}}}"#.to_owned(),
            text: Text { title: "ค้างชำระ: สมชาย".to_owned(), body: "500 บาท ตั้งแต่วันที่ 1".to_owned() },
            recipient: None,
            severity: Severity::Info,
            at: "2026-01-15T09:30:00Z".parse().expect("is a time"),
        }
    }

    fn clean(words: &str) -> Option<String> {
        Secrets::new(["hunter2", "ok", "", "c2hv/cG+="]).clean(words, &outgoing())
    }

    #[test]
    fn the_answer_to_a_notice_may_say_what_the_notice_quotes() {
        let words = "Forbidden: bot was blocked by the user";
        let body = format!(r#"{{"type":"channel.failing","data":{{"details":{{"why":"{words}"}}}}}}"#);
        let text = Text { title: "Messages to owner do not arrive".to_owned(), body: format!("It said: {words}") };
        let notice = Outgoing { body, text, ..outgoing() };
        let secrets = Secrets::new(["hunter2"]);
        assert_eq!(secrets.clean(words, &notice).as_deref(), Some(words));
        assert_eq!(secrets.clean("no hunter2", &notice).as_deref(), Some("no …"));
    }

    #[test]
    fn the_words_are_one_line_without_secrets_and_data() {
        for (words, shown) in [
            ("Bad Request: chat not found", "Bad Request: chat not found"),
            ("550 5.1.1 <a@b.example>: no such user", "550 5.1.1 <a@b.example>: no such user"),
            (" two\r\n\tlines\u{7}\u{202e} ", "two lines"),
            ("/hooks/hunter2 is ok", "/hooks/… is ok"),
            ("HUNTER2 and hunter2", "… and …"),
            ("no customer สมชาย ใจดี (โต)", "no customer … (…)"),
            ("ไม่พบสมชายในระบบ", "ไม่พบ…ในระบบ"),
            (r#"{"error":"no \u0e2a\u0e21\u0e0a\u0e32\u0e22"}"#, r#"{"error":"no …"}"#),
            ("no %E0%B8%AA%E0%B8%A1%E0%B8%8A%E0%B8%B2%E0%B8%A2", "no …"),
            (r#"{"error":"bad key c2hv\/cG+=\""}"#, r#"{"error":"bad key …""}"#),
            ("unknown code C-77, depending on c-770", "unknown code …, depending on c-770"),
            ("call 0899999999 or +66 81 999-9999", "call … or +…"),
            ("limit is 100000 rows, error 42", "limit is 100000 rows, error 42"),
            ("got: 500 บาท ตั้งแต่วันที่ 1 instead", "got: … instead"),
        ] {
            assert_eq!(clean(words).as_deref(), Some(shown), "{words:?}");
        }
        for nothing in ["", " \n", "สมชาย", "{}", "hunter2 hunter2"] {
            assert_eq!(clean(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn an_echo_of_the_whole_message_shows_nothing_of_it() {
        let outgoing = outgoing();
        for echo in [outgoing.body.clone(), format!("{}\n{}", outgoing.text.title, outgoing.text.body)] {
            let shown = clean(&format!("cannot parse: {echo}")).expect("says something");
            for private in ["สมชาย", "ใจดี", "โต", "081", "5678", "C-77", "500"] {
                assert!(!shown.contains(private), "{private} in {shown}");
            }
        }
    }

    #[test]
    fn the_words_are_cut_and_a_secret_at_the_end_is_not_shown_in_part() {
        let long = clean(&"x".repeat(10_000)).expect("says something");
        assert_eq!((long.chars().count(), long.ends_with('…')), (LONGEST, true));
        for before in COMPARED - 10..COMPARED + 3 {
            let echo = format!("{}no{}", "สมชาย ".repeat(before / 6), "hunter2".repeat(20));
            let shown = clean(&echo).unwrap_or_default();
            assert!(!shown.contains("hunt") && !shown.contains("สม"), "{shown}");
        }
    }

    #[test]
    fn of_an_answer_to_too_much_nothing_is_quoted() {
        let names: Vec<String> = (0..MOST_DATA + 1).map(|number| format!("{{\"data\":\"name {number}\"}}")).collect();
        let digest = Outgoing { body: format!("[{}]", names.join(",")), ..outgoing() };
        assert_eq!(Secrets::default().clean("an error", &digest), None);
    }

    #[test]
    fn of_a_page_the_title_is_shown() {
        for (page, title) in [
            ("<html><head><TITLE lang=\"en\">\n502 Bad Gateway </title>", Some("502 Bad Gateway")),
            ("<title></title>", None),
            ("<title>never closed", None),
            ("<p>no title</p>", None),
            ("", None),
        ] {
            assert_eq!(title_of(page), title, "{page}");
        }
    }
}
