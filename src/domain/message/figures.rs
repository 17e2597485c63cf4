//! How a figure, a moment and a foreign text look in a message.
//!
//! Everything that came from outside passes through here on its way to a person: a name can hold control characters
//! that break a line, and names of customers do hold telephone numbers, which have no business in a group chat.
//! Nothing in here escapes for Telegram or HTML: that is known at the channel alone.

use chrono::{Datelike, Timelike};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::cut::{cut, without_loose_joiners};
use super::words::NoticeWords;
use crate::domain::model::{Money, Quantity, Timestamp};

/// The longest foreign text in a message, in characters: what fits on two lines of a phone.
const FIELD_MOST: usize = 80;

/// The longest unit, in characters.
const UNIT_MOST: usize = 24;

/// The longest text of another program in a notice, in characters.
const QUOTED_MOST: usize = 160;

/// From this many digits on, a number that begins as a Thai telephone number does is one, whoever wrote it.
const DIALLED_DIGITS: usize = 9;

/// From this many digits on, a number in a free text is taken for a telephone number. The shortest Thai ones have
/// nine digits; seven also catches those written without their area code.
const PHONE_DIGITS: usize = 7;

/// How many characters may stand between two digits of one telephone number, as in `081 - 234 5678`.
const PHONE_GAP: usize = 3;

/// A code, a number or a thing's name that people look things up by: cleaned and cut, never masked. `None` when
/// nothing is left.
pub(super) fn code(text: Option<&str>) -> Option<String> {
    let cleaned = clean(text?);
    (!cleaned.is_empty()).then(|| cut(&cleaned, FIELD_MOST))
}

/// What a product is counted in. Short, so that no title loses its figure to it.
pub(super) fn unit(text: Option<&str>) -> Option<String> {
    code(text).map(|unit| cut(&unit, UNIT_MOST))
}

/// A person's name or a remark that somebody typed: cleaned, telephone numbers masked, then cut. `None` when nothing is left.
pub(super) fn name(text: Option<&str>) -> Option<String> {
    let masked = mask(&clean(text?));
    (!masked.is_empty()).then(|| cut(&masked, FIELD_MOST))
}

/// What another program said, such as a mail server: cleaned, then cut. Only what can be dialled is masked: a chat's id,
/// an address and a status code tell a technician what is wrong.
pub(super) fn quoted(text: &str) -> Option<String> {
    let masked = masked(&clean(text), can_be_dialled);
    (!masked.is_empty()).then(|| cut(&masked, QUOTED_MOST))
}

/// The text in one line: runs of white space become one space, and what cannot be seen is dropped.
fn clean(text: &str) -> String {
    let visible: String = text.chars().filter(|c| c.is_whitespace() || !invisible(*c)).collect();
    without_loose_joiners(&visible).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Control characters, and those that join, hide or turn round what stands beside them. A zero-width character
/// between two digits would hide a telephone number from [`mask`]. The joiner of emoji is looked at by itself.
fn invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with every long number masked.
fn mask(text: &str) -> String {
    masked(text, |chars, start, end| digits_in(&chars[start..end]) >= PHONE_DIGITS)
}

/// The text with such numbers as `•••` and their last two digits: enough to recognise, too little to call. A number is
/// from one place to another in the text's characters.
fn masked(text: &str, is_private: fn(&[char], usize, usize) -> bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let (digits, end) = number(&chars, at);
        if digits.len() >= 2 && is_private(&chars, at, end) {
            masked.push_str("•••");
            masked.extend(&digits[digits.len() - 2..]);
        } else if end > at {
            masked.extend(&chars[at..end]);
        } else {
            masked.push(chars[at]);
        }
        at = end.max(at + 1);
    }
    masked
}

/// The digits of the number that begins at `start`, and where it ends; gaps inside it are jumped over.
fn number(chars: &[char], start: usize) -> (Vec<char>, usize) {
    let mut digits = Vec::new();
    let mut end = start;
    while let Some(&c) = chars.get(end) {
        if c.is_numeric() {
            digits.push(c);
            end += 1;
            continue;
        }
        let gap = chars[end..].iter().take_while(|c| between_digits(**c)).count();
        let goes_on = chars.get(end + gap).is_some_and(|c| c.is_numeric());
        if digits.is_empty() || gap == 0 || gap > PHONE_GAP || !goes_on {
            break;
        }
        end += gap;
    }
    (digits, end)
}

fn digits_in(chars: &[char]) -> usize {
    chars.iter().filter(|c| c.is_numeric()).count()
}

/// Whether a telephone number stands in this number: from `0`, `+` or `66` on, at the beginning of a group.
fn can_be_dialled(chars: &[char], start: usize, end: usize) -> bool {
    (start..end).filter(|at| chars[*at].is_numeric()).any(|at| {
        let before = at.checked_sub(1).map(|before| chars[before]);
        let begins_group = at == start || before.is_some_and(|c| !c.is_numeric());
        let begins_number = match chars[at] {
            '0' | '๐' => true,
            '6' | '๖' => chars.get(at + 1).is_some_and(|c| matches!(c, '6' | '๖')),
            _ => before == Some('+'),
        };
        begins_group && begins_number && digits_in(&chars[at..end]) >= DIALLED_DIGITS
    })
}

fn between_digits(c: char) -> bool {
    matches!(c, ' ' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '.' | '(' | ')')
}

/// An amount without its currency: whole baht without decimals, else at least two, and never a digit lost.
pub(super) fn money(money: Money) -> String {
    grouped(money.decimal(), 2)
}

/// A quantity with the decimals it needs.
pub(super) fn quantity(quantity: Quantity) -> String {
    grouped(quantity.decimal(), 0)
}

/// A plain number of things.
pub(super) fn count(count: u64) -> String {
    grouped(Decimal::from(count), 0)
}

/// How long something lasted, in the two largest units that it has.
pub(super) fn lasted(seconds: u64, words: &NoticeWords) -> String {
    let minutes = seconds / 60;
    let parts = [minutes / (24 * 60), minutes / 60 % 24, minutes % 60];
    let units = parts.into_iter().zip(words.units).skip_while(|(number, _)| *number == 0).take(2);
    let written: Vec<String> = units.filter(|(number, _)| *number > 0).map(|(number, unit)| unit(number)).collect();
    if written.is_empty() { words.under_a_minute.to_owned() } else { written.join(" ") }
}

/// The decimal with a comma between thousands; a fraction has at least `decimals` digits.
fn grouped(decimal: Decimal, decimals: usize) -> String {
    let text = decimal.normalize().to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut written = sign.to_owned();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            written.push(',');
        }
        written.push(digit);
    }
    if !fraction.is_empty() {
        written.push('.');
        written.push_str(fraction);
        written.extend(std::iter::repeat_n('0', decimals.saturating_sub(fraction.len())));
    }
    written
}

/// `3 ก.ย.`: no year, because a message is read while it is news.
pub(super) fn day(time: Timestamp, timezone: Tz, months: &[&str; 12]) -> String {
    let local = time.with_timezone(&timezone);
    format!("{} {}", local.day(), months[local.month0() as usize])
}

/// `3 ก.ย. 14:32`: always with its day, because a message may wait out a night before it is read.
pub(super) fn moment(time: Timestamp, timezone: Tz, months: &[&str; 12]) -> String {
    let local = time.with_timezone(&timezone);
    format!("{} {:02}:{:02}", day(time, timezone, months), local.hour(), local.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_exactly_the_decimals_they_need() {
        let money = |text: &str| money(text.parse().unwrap());
        assert_eq!(money("2641"), "2,641");
        assert_eq!(money("1234.50"), "1,234.50");
        assert_eq!(money("1234.5"), "1,234.50");
        assert_eq!(money("2641.00"), "2,641");
        assert_eq!(money("0.125"), "0.125");
        assert_eq!(money("-1234567.8"), "-1,234,567.80");
        assert_eq!(money("0.00"), "0");
        assert_eq!(money("999"), "999");
        assert_eq!(quantity("1.50".parse().unwrap()), "1.5");
        assert_eq!(quantity("-12000".parse().unwrap()), "-12,000");
    }

    #[test]
    fn telephone_numbers_in_names_are_masked() {
        let masked = |text: &str| name(Some(text));
        assert_eq!(masked("สมชาย 0812345678").as_deref(), Some("สมชาย •••78"));
        assert_eq!(masked("สมชาย 081-234-5678 (บ้าน)").as_deref(), Some("สมชาย •••78 (บ้าน)"));
        assert_eq!(masked("081 - 234 5678/089.876.5432").as_deref(), Some("•••78/•••32"));
        assert_eq!(masked("+66 (81) 234-5678").as_deref(), Some("+•••78"));
        assert_eq!(masked("โทร ๐๘๑๒๓๔๕๖๗๘").as_deref(), Some("โทร •••๗๘"));
        assert_eq!(masked("0812\u{200b}345\u{200b}678").as_deref(), Some("•••78"));
    }

    #[test]
    fn what_another_program_said_keeps_all_but_telephone_numbers() {
        for text in [
            "550 5.7.26 unauthenticated",
            "connect to 192.168.100.200:8443: refused",
            "the group has become a supergroup; set chat_id = -1001234567890",
            "2026-11-23 10:00:00 expired",
        ] {
            assert_eq!(quoted(text).as_deref(), Some(text));
        }
        for (text, expected) in [
            ("no user 081-234-5678", "no user •••78"),
            ("550 0899999997", "•••97"),
            ("+49 171 2345678 ๐๘๑๒๓๔๕๖๗๘", "+•••๗๘"),
            ("66812345678\n", "•••78"),
        ] {
            assert_eq!(quoted(text).as_deref(), Some(expected));
        }
        assert_eq!(quoted(&"x".repeat(500)).unwrap().chars().count(), QUOTED_MOST);
        assert_eq!(quoted(" \n"), None);
    }

    #[test]
    fn short_numbers_in_names_stay() {
        for text in ["Feed 120", "ข้าว 5 กก.", "ถุง 12 x 18", "ซอย 12-34 56", "7-11 สาขา 123456"]
        {
            assert_eq!(name(Some(text)).as_deref(), Some(text));
        }
        assert_eq!(code(Some("ST68017651")).as_deref(), Some("ST68017651"));
    }

    #[test]
    fn foreign_text_is_one_visible_line_of_bounded_length() {
        assert_eq!(name(Some(" a\r\n\tb\u{7}\u{202e}c ")).as_deref(), Some("a bc"));
        assert_eq!(name(Some(" \u{200b}\n ")), None);
        assert_eq!(
            name(Some("👨\u{200d}👩\u{200d}👧 081\u{200d}2345678")).as_deref(),
            Some("👨\u{200d}👩\u{200d}👧 •••78")
        );
        let long = name(Some(&"ก".repeat(200))).unwrap();
        assert_eq!(long.chars().count(), FIELD_MOST);
        assert!(long.ends_with('…'));
        // Masked before it is cut: else the cut could leave a number too short to be recognised.
        let late = name(Some(&format!("{}0812345678", "ก".repeat(75)))).unwrap();
        assert!(!late.contains("0812"), "{late}");
    }

    proptest::proptest! {
        #[test]
        fn no_name_keeps_seven_digits_in_a_row(typed in "[ก-ฮ0-9๐-๙ ()\u{200b}\u{200d}👧.-]{0,120}") {
            let name = name(Some(&typed)).unwrap_or_default();
            let longest = name.split(|c: char| !c.is_numeric()).map(|digits| digits.chars().count()).max();
            proptest::prop_assert!(longest.unwrap_or_default() < PHONE_DIGITS, "{name}");
        }
    }
}
