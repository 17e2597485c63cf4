//! How one input becomes the next: in half of the cases by a change of its JSON and not of its bytes.
//!
//! Blind changes nearly always break an answer as a whole, which one look tells. What stands deeper is reached by changes
//! after which an answer is still one: another value, a member more or less, the row of the other answer.

use std::ops::Range;

use crate::domain::model::Resource;
use crate::edge::pospos::FieldMap;
use crate::input::BETWEEN;

/// Values that have been somebody's trouble before.
#[rustfmt::skip]
const VALUES: &[&str] = &[
    "null", "true", "0", "1", "-1", "-0", "0.0", "1e0", "1.50e1", "123e2", "1E400", "1e-28", "1e-29", "10e-29", "5", "24", "29.99",
    "161.10", "161.1", "79228162514264337593543950335", "79228162514264337593543950336", "0.30000000000000004", "-0.0000000000000000000000000001",
    "9223372036854775807", "12345678901234567890123456789012", "\"\"", "\"-\"", "\" - \"", "\"1.50\"", "\"1e5\"", "\".5\"", "\"5.\"", "\"+7\"",
    "\"1_000\"", "\"inf\"", "\"NaN1\"", "\"\\u0031\"", "\"cancel\"", "\"cancelled\"", "\"success\"", "\"a\"", "\"b\"", "\"\\u0000\"",
    "\"\\u202e\"", "\"\\ud83d\\ude00\"", "\"ก\u{e33}\"", "[]", "{}", "[null]", "[[]]", "[1]", "[\"\"]", "[{}]", "{\"name\":\"x\"}",
    "\"2025-09-03T08:32:27.270Z\"", "\"2026-11-24T16:59:60Z\"", "\"0000-01-01T00:00:00+23:59\"", "\"9999-12-31T23:59:59-23:59\"",
    "\"2026-11-25T00:00:00.123456789012Z\"", "\"2025-09-02T08:00:00+07:00\"", "\"1969-12-31T23:59:59Z\"", "\"2026-02-30T00:00:00Z\"",
];

/// Numbers without end, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % most.max(1)
    }

    fn one_of<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }
}

/// The next input, at most `most` bytes long; `None` where it is to be a blind one.
pub fn next(bytes: &[u8], most: usize, seed: u32) -> Option<Vec<u8>> {
    let mut dice = Dice(u64::from(seed) << 1 | 1);
    dice.below(1);
    if dice.below(2) == 0 {
        return None;
    }
    let mut next = bytes.to_vec();
    for _ in 0..=dice.below(3) {
        next = changed(&next, &mut dice)?;
    }
    (next.len() <= most).then_some(next)
}

fn changed(bytes: &[u8], dice: &mut Dice) -> Option<Vec<u8>> {
    let values = values(bytes);
    let place = dice.one_of(&values)?.clone();
    let other = bytes[dice.one_of(&values)?.clone()].to_vec();
    let with = |new: &[u8]| [&bytes[..place.start], new, &bytes[place.end..]].concat();
    Some(match dice.below(9) {
        0 | 1 => with(dice.one_of(VALUES)?.as_bytes()),
        2 => with(&other),
        3 => without(bytes, place),
        4 => with(&[&bytes[place.clone()], b",", &other].concat()),
        5 => with(&[&bytes[place.clone()], b",\"", name(bytes, dice)?.as_bytes(), b"\":", &other].concat()),
        6 => with(format!("\"{}\"", name(bytes, dice)?).as_bytes()),
        7 => with(&longer(&bytes[place.clone()])),
        _ => answer_for_answer(bytes, dice),
    })
}

/// The input without a value, its name and one comma beside it.
fn without(bytes: &[u8], place: Range<usize>) -> Vec<u8> {
    let Range { mut start, mut end } = place;
    if start > 0 && bytes[start - 1] == b':' {
        start = bytes[..start - 1].iter().rposition(|byte| matches!(byte, b',' | b'{')).map_or(0, |at| at + 1);
    }
    if bytes.get(end) == Some(&b',') {
        end += 1;
    } else if start > 0 && bytes[start - 1] == b',' {
        start -= 1;
    }
    [&bytes[..start], &bytes[end..]].concat()
}

/// The inside of a value eight times over.
fn longer(value: &[u8]) -> Vec<u8> {
    match value {
        [open @ b'"', inside @ .., close] => [&[*open], inside.repeat(8).as_slice(), &[*close]].concat(),
        [open @ b'[', inside @ .., close] => [&[*open], [inside; 8].join(&b',').as_slice(), &[*close]].concat(),
        value => value.repeat(8),
    }
}

/// The name of a member that posbell reads of this resource.
fn name(bytes: &[u8], dice: &mut Dice) -> Option<String> {
    let resource = Resource::ALL[usize::from(*bytes.first()?) % Resource::ALL.len()];
    let fields = FieldMap::default();
    let places = fields.of(resource);
    let names: Vec<&str> = places.iter().flat_map(|(_, place)| place.split(['/', ' ', '|'])).collect();
    let names: Vec<&&str> = names.iter().filter(|name| !name.is_empty()).collect();
    dice.one_of(&names).map(|name| (**name).to_owned())
}

/// One answer in the place of another: the same state twice, or the states in the other order.
fn answer_for_answer(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let Some((head, rest)) = bytes.split_at_checked(2) else { return bytes.to_vec() };
    let mut answers: Vec<&[u8]> = rest.split(|byte| *byte == BETWEEN).collect();
    let (from, to) = (dice.below(answers.len()), dice.below(answers.len() + 1));
    match answers.get_mut(to) {
        Some(_) => answers.swap(from, to),
        None => answers.push(answers[from]),
    }
    [head, &answers.join(&BETWEEN)].concat()
}

/// Where the values stand, those within others too.
fn values(bytes: &[u8]) -> Vec<Range<usize>> {
    let (mut found, mut open, mut at) = (Vec::new(), Vec::new(), 2);
    while at < bytes.len() {
        let start = at;
        at += 1;
        match bytes[start] {
            b'{' | b'[' => open.push(start),
            b'}' | b']' => found.extend(open.pop().map(|start| start..at)),
            b'"' => {
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(bytes.len());
                // The name of a member is no value.
                if bytes.get(at) != Some(&b':') {
                    found.push(start..at);
                }
            }
            b'-' | b'0'..=b'9' | b'n' | b't' | b'f' => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-');
                at += bytes[at..].iter().take_while(|byte| is_part(byte)).count();
                found.push(start..at);
            }
            _ => {}
        }
    }
    found
}
