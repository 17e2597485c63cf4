//! From the text to few bytes.

use std::sync::LazyLock;

use chrono::NaiveDate;

use super::phrases::{PHRASES, SHORT, SHORTEST};
use super::{DIGITS_MOST, MARK, THAI_BYTE, bytes_of, code, short_byte};

/// How many digits are worth being a number, decimal and hex.
const DIGITS_LEAST: usize = 6;
const HEX_LEAST: usize = 8;
/// How many bytes are worth being pointed to, and how many more than a phrase that stands there.
const COPY_LEAST: usize = 20;
const COPY_MORE: usize = 16;
/// A record with more is not searched for what it repeats.
const SEARCHED_MOST: usize = 0xffff;

/// The record of this text; the text itself where that is as short. `own` is the id at the end of its key.
pub(in crate::edge::store) fn pack(text: &[u8], own: &str) -> Vec<u8> {
    pack_behind(&[], text, own)
}

/// The same behind other bytes.
pub(in crate::edge::store) fn pack_behind(before: &[u8], text: &[u8], own: &str) -> Vec<u8> {
    let mut packed = Vec::with_capacity(before.len() + text.len() / 2 + 2);
    packed.extend_from_slice(before);
    packed.push(MARK);
    let mut packer = Packer { text, own: own.as_bytes(), at: 0, packed };
    let mut seen = Seen::default();
    while packer.at < text.len() {
        packer.step(&mut seen);
    }
    let mut packed = packer.packed;
    if packed.len() - before.len() >= text.len() && text.first() != Some(&MARK) {
        packed.truncate(before.len());
        packed.extend_from_slice(text);
    }
    packed
}

struct Packer<'a> {
    text: &'a [u8],
    own: &'a [u8],
    at: usize,
    packed: Vec<u8>,
}

impl Packer<'_> {
    /// Packs what comes next.
    fn step(&mut self, seen: &mut Seen) {
        let rest = &self.text[self.at..];
        let phrase = phrase_of(rest);
        let told = phrase.map_or(0, |place| PHRASES[place].len());
        if let Some((back, count)) = seen.repeated(self.text, self.at)
            && count >= COPY_LEAST.max(told + COPY_MORE)
        {
            self.packed.push(code::COPY);
            self.number(back);
            self.number(count);
            self.at += count;
            return;
        }
        if let Some(place) = phrase {
            match place.checked_sub(SHORT) {
                // A book has at most so many that the place fits.
                Some(place) => self.packed.extend_from_slice(&[code::PHRASE, place as u8]),
                None => self.packed.push(short_byte(place)),
            }
            self.at += told;
        } else if !self.own.is_empty() && rest.starts_with(self.own) {
            self.packed.push(code::OWN);
            self.at += self.own.len();
        } else {
            self.letters(rest);
        }
    }

    fn letters(&mut self, rest: &[u8]) {
        let taken = match *rest {
            [0xe0, 0xb8 | 0xb9, ..] if thai(rest).is_some() => {
                self.packed.extend(thai(rest));
                3
            }
            [b'.', tens @ b'0'..=b'9', ones @ b'0'..=b'9', ..] if !rest.get(3).is_some_and(u8::is_ascii_digit) => {
                self.packed.extend_from_slice(&[code::CENTS, (tens - b'0') * 10 + (ones - b'0')]);
                3
            }
            [b'0'..=b'9' | b'a'..=b'f', ..] => self.run(rest),
            [byte @ 0x20..=0x7e, ..] => {
                self.packed.push(byte);
                1
            }
            _ => {
                let plain = |at: &usize| (0x20..=0x7e).contains(&rest[*at]) || thai(&rest[*at..]).is_some();
                let count = (1..rest.len()).find(plain).unwrap_or(rest.len());
                self.packed.push(code::RAW);
                // More than a number holds is packed as several.
                let count = count.min(0x0fff_ffff);
                self.number(count);
                self.packed.extend_from_slice(&rest[..count]);
                count
            }
        };
        self.at += taken;
    }

    /// Packs digits, and returns how many.
    fn run(&mut self, rest: &[u8]) -> usize {
        let decimal = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if decimal == 4
            && let Some(second) = second_of(rest)
        {
            return self.stamp(second, &rest[19..rest.len().min(27)]);
        }
        let hex = decimal + rest[decimal..].iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).count();
        if hex >= HEX_LEAST && (hex > decimal + 1 || decimal > DIGITS_MOST) {
            let pairs = (hex / 2).min(255);
            self.packed.extend_from_slice(&[code::HEX, pairs as u8]);
            let bytes = rest[..pairs * 2].chunks_exact(2).map(|pair| hex_value(pair[0]) << 4 | hex_value(pair[1]));
            self.packed.extend(bytes);
            return pairs * 2;
        }
        if (DIGITS_LEAST..=DIGITS_MOST).contains(&decimal) {
            let number = rest[..decimal].iter().fold(0, |number: u64, digit| number * 10 + u64::from(digit - b'0'));
            self.packed.extend_from_slice(&[code::DIGITS, decimal as u8]);
            self.packed.extend_from_slice(&number.to_be_bytes()[8 - bytes_of(decimal)..]);
            return decimal;
        }
        self.packed.extend_from_slice(&rest[..hex]);
        hex
    }

    /// Packs a stamp with what stands behind its second, and returns how long it was.
    fn stamp(&mut self, second: u32, behind: &[u8]) -> usize {
        let micros = match behind {
            [b'.', digits @ .., b'Z'] if digits.len() == 6 && digits.iter().all(u8::is_ascii_digit) => Some(digits),
            _ => None,
        };
        let (code, taken) = match behind {
            _ if micros.is_some() => (code::MICROS_Z, 27),
            [b'Z', ..] => (code::SECOND_Z, 20),
            _ => (code::SECOND, 19),
        };
        self.packed.push(code);
        self.packed.extend_from_slice(&second.to_be_bytes());
        if let Some(digits) = micros {
            let number = digits.iter().fold(0, |number: u32, digit| number * 10 + u32::from(digit - b'0'));
            self.packed.extend_from_slice(&number.to_be_bytes()[1..]);
        }
        taken
    }

    fn number(&mut self, mut number: usize) {
        while number > 0x7f {
            self.packed.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.packed.push(number as u8);
    }
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit - b'a' + 10,
    }
}

/// The byte of the Thai letter that comes next.
fn thai(rest: &[u8]) -> Option<u8> {
    let place = match *rest {
        [0xe0, 0xb8, last @ 0x80..=0xbf, ..] => last - 0x80,
        [0xe0, 0xb9, last @ 0x80..=0xbf, ..] => last - 0x80 + 0x40,
        _ => return None,
    };
    (1..=0x5b).contains(&place).then(|| THAI_BYTE + place)
}

/// The second of the stamp that comes next, where it is written as all of them are.
fn second_of(rest: &[u8]) -> Option<u32> {
    let stamp: &[u8; 19] = rest.first_chunk()?;
    let [_, _, _, _, b'-', _, _, b'-', _, _, b'T', _, _, b':', _, _, b':', _, _] = stamp else { return None };
    let part = |from: usize, until: usize| {
        stamp[from..until]
            .iter()
            .try_fold(0, |number: u32, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
    };
    let date = NaiveDate::from_ymd_opt(i32::try_from(part(0, 4)?).ok()?, part(5, 7)?, part(8, 10)?)?;
    let at = date.and_hms_opt(part(11, 13)?, part(14, 16)?, part(17, 19)?)?;
    u32::try_from(at.and_utc().timestamp()).ok()
}

/// Where things stand in the text that may come again.
struct Seen {
    /// The last place of each, one more than it is.
    last: [u16; 256],
    /// Every place at which something was packed: what is pointed to ends at one, so that no phrase is torn.
    places: Vec<u16>,
}

impl Default for Seen {
    fn default() -> Self {
        Seen { last: [0; 256], places: Vec::with_capacity(128) }
    }
}

impl Seen {
    /// How far back what comes next stood before, and how much of it; notes where it is.
    fn repeated(&mut self, text: &[u8], at: usize) -> Option<(usize, usize)> {
        if text.len() > SEARCHED_MOST {
            return None;
        }
        self.places.push(at as u16);
        let next: &[u8; 8] = text.get(at..).and_then(<[u8]>::first_chunk)?;
        let slot = (u64::from_le_bytes(*next).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize;
        // Zero is none. One more than a place fits: the text is no longer.
        let before = usize::from(std::mem::replace(&mut self.last[slot], (at + 1) as u16)).checked_sub(1)?;
        let pairs = text[before..at].iter().zip(&text[at..]);
        let count = pairs.take_while(|(before, now)| before == now).count();
        if count < COPY_LEAST {
            return None;
        }
        let behind = self.places.partition_point(|place| usize::from(*place) <= before + count);
        let end = usize::from(self.places[..behind].last().copied()?);
        Some((at - before, end.checked_sub(before)?))
    }
}

/// The phrases by their first bytes.
struct Book {
    /// Where the phrases of each slot begin in `places`.
    begins: [u16; SLOTS + 1],
    /// The places of the phrases, by their slots; the longest of a slot first.
    places: Vec<u16>,
}

const SLOTS: usize = 1024;

static BOOK: LazyLock<Book> = LazyLock::new(|| {
    let mut places: Vec<u16> = (0..PHRASES.len() as u16).collect();
    let slot = |place: &u16| PHRASES[usize::from(*place)].as_bytes().first_chunk().map_or(0, slot_of);
    places.sort_by_key(|place| (slot(place), std::cmp::Reverse(PHRASES[usize::from(*place)].len())));
    let begins = std::array::from_fn(|wanted| places.partition_point(|place| slot(place) < wanted) as u16);
    Book { begins, places }
});

fn slot_of(first: &[u8; SHORTEST]) -> usize {
    (u32::from_le_bytes(*first).wrapping_mul(0x9e37_79b1) >> 22) as usize
}

/// The place of the longest phrase that comes next.
fn phrase_of(rest: &[u8]) -> Option<usize> {
    let slot = slot_of(rest.first_chunk()?);
    let book = &*BOOK;
    let candidates = usize::from(book.begins[slot])..usize::from(book.begins[slot + 1]);
    let mut candidates = book.places[candidates].iter().map(|place| usize::from(*place));
    candidates.find(|place| rest.starts_with(PHRASES[*place].as_bytes()))
}
