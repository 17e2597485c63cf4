//! From few bytes to the text.

use std::io::Write as _;

use chrono::{DateTime, Datelike as _, Timelike as _};

use super::phrases::{PHRASES, SHORT};
use super::{DIGITS_MOST, RECORD_MOST, THAI, THAI_BYTE, THAI_LAST, bytes_of, code, short_place};

/// The text of what was packed; `None` where it is damaged.
pub(super) fn unpack(packed: &[u8], own: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(packed.len() * 4);
    let mut left = Left(packed);
    while let Some(byte) = left.byte() {
        match byte {
            0x20..=0x7e => text.push(byte),
            0xa1..=THAI_LAST => {
                let letter = char::from_u32(THAI + u32::from(byte - THAI_BYTE))?;
                text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
            code::PHRASE => text.extend_from_slice(PHRASES.get(SHORT + usize::from(left.byte()?))?.as_bytes()),
            code::OWN => text.extend_from_slice(own),
            code::HEX => {
                let count = usize::from(left.byte()?);
                for byte in left.take(count)? {
                    text.extend_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
                }
            }
            code::DIGITS => digits(&mut text, &mut left)?,
            code::SECOND => second(&mut text, &mut left)?,
            code::SECOND_Z => {
                second(&mut text, &mut left)?;
                text.push(b'Z');
            }
            code::MICROS_Z => {
                second(&mut text, &mut left)?;
                text.push(b'.');
                number(&mut text, 6, left.take(3)?);
                text.push(b'Z');
            }
            code::RAW => {
                let count = left.number()?;
                text.extend_from_slice(left.take(count)?);
            }
            code::COPY => copy(&mut text, &mut left)?,
            code::CENTS => {
                let cents = left.byte().filter(|cents| *cents < 100)?;
                text.extend_from_slice(&[b'.', b'0' + cents / 10, b'0' + cents % 10]);
            }
            byte => text.extend_from_slice(PHRASES[short_place(byte)?].as_bytes()),
        }
    }
    Some(text)
}

fn hex_digit(value: u8) -> u8 {
    match value {
        0..10 => b'0' + value,
        _ => b'a' + value - 10,
    }
}

fn digits(text: &mut Vec<u8>, left: &mut Left<'_>) -> Option<()> {
    let count = usize::from(left.byte()?);
    if count > DIGITS_MOST {
        return None;
    }
    number(text, count, left.take(bytes_of(count))?);
    Some(())
}

/// Writes so many digits of a number.
fn number(text: &mut Vec<u8>, count: usize, bytes: &[u8]) {
    let mut number = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let mut written = [0; DIGITS_MOST];
    for digit in written[..count].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    text.extend_from_slice(&written[..count]);
}

fn second(text: &mut Vec<u8>, left: &mut Left<'_>) -> Option<()> {
    let second = u32::from_be_bytes(*left.take(4)?.as_array()?);
    let at = DateTime::from_timestamp(i64::from(second), 0)?.naive_utc();
    let (date, time) = (at.date(), at.time());
    // A vector takes all that is written.
    let written = write!(
        text,
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        date.year(),
        date.month(),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    written.ok()
}

fn copy(text: &mut Vec<u8>, left: &mut Left<'_>) -> Option<()> {
    let (back, count) = (left.number()?, left.number()?);
    let from = text.len().checked_sub(back)?;
    let until = from.checked_add(count).filter(|until| *until <= text.len())?;
    if text.len() + count > RECORD_MOST {
        return None;
    }
    text.extend_from_within(from..until);
    Some(())
}

/// What is not unpacked yet.
struct Left<'a>(&'a [u8]);

impl<'a> Left<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Seven bits a byte, the lowest first; the eighth says that there are more.
    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..28).step_by(7) {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}
