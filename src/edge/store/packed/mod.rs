//! Records in few bytes: their JSON, packed to the byte and unpacked to the byte.
//!
//! A row of JSON is names of fields, digits, and Thai in three bytes a letter; all three are the same in every record or
//! take more room than they need. So a packed record is the JSON with its phrases named by their place in a book, each
//! Thai letter in one byte, runs of digits and hex as numbers, a stamp as its second, the entity's id as a mark that it
//! is the one of the key, and what came before in the same record pointed to. What a later version adds to a record
//! needs nothing here: it is spelled out, and takes a little more room.
//!
//! It is not JSON that is understood but any bytes: each comes back as it was. What would not get smaller is left as it
//! is, and so is what an older version wrote: JSON never begins with [`MARK`].
//!
//! | byte | stands for |
//! |---|---|
//! | 20 to 7e | itself |
//! | a1 to fb | a Thai letter, as in TIS-620 |
//! | 00 to 09 | see `code`, with what follows |
//! | all others | a phrase of the book |

mod pack;
mod phrases;
#[cfg(test)]
mod tests;
mod unpack;

use std::borrow::Cow;

pub(super) use pack::{pack, pack_behind};

use self::phrases::SHORT;
use super::StoreError;

/// The first byte of a record that is packed with the phrases of the first book.
pub(super) const MARK: u8 = 0x05;

/// What is no letter and no phrase.
mod code {
    /// A phrase of two bytes; its place behind the short ones follows.
    pub(super) const PHRASE: u8 = 0x00;
    /// The id of the key.
    pub(super) const OWN: u8 = 0x01;
    /// Lower-case hex digits: half their number in one byte, then two in each.
    pub(super) const HEX: u8 = 0x02;
    /// Decimal digits: their number in one byte, then the number they are, in as few bytes as hold so many.
    pub(super) const DIGITS: u8 = 0x03;
    /// `2026-11-23T03:00:00` as seconds since 1970, in four bytes.
    pub(super) const SECOND: u8 = 0x04;
    /// The same and a `Z`.
    pub(super) const SECOND_Z: u8 = 0x05;
    /// Bytes as they are: their number, then they.
    pub(super) const RAW: u8 = 0x06;
    /// What stands so many bytes back in the text: how many back, then how many.
    pub(super) const COPY: u8 = 0x07;
    /// Two digits behind a point.
    pub(super) const CENTS: u8 = 0x08;
    /// `2026-11-23T03:00:00.123456Z` as seconds since 1970, in four bytes, and millionths of one, in three.
    pub(super) const MICROS_Z: u8 = 0x09;
}

/// Thai letters have their place in Unicode from here on, and their byte so much above that.
const THAI: u32 = 0x0e00;
const THAI_BYTE: u8 = 0xa0;
const THAI_LAST: u8 = 0xfb;

/// The most decimal digits that are one number.
const DIGITS_MOST: usize = 19;

/// The longest record that is believed: more than sled keeps.
const RECORD_MOST: usize = 64 * 1024 * 1024;

/// The byte of the `place`-th of the short phrases: all that is free, in this order.
const fn short_byte(place: usize) -> u8 {
    match place {
        0..22 => 0x0a + place as u8,
        22 => 0x7f,
        23..56 => 0x80 + (place - 23) as u8,
        _ => 0xfc + (place - 56) as u8,
    }
}

/// Which of the short phrases a byte is.
const fn short_place(byte: u8) -> Option<usize> {
    let place = match byte {
        0x0a..=0x1f => byte as usize - 0x0a,
        0x7f => 22,
        0x80..=0xa0 => 23 + byte as usize - 0x80,
        0xfc..=0xff => 56 + byte as usize - 0xfc,
        _ => return None,
    };
    if place < SHORT { Some(place) } else { None }
}

/// In how many bytes every number of so many decimal digits fits.
const fn bytes_of(digits: usize) -> usize {
    let mut most: u128 = 1;
    let mut left = digits;
    while left > 0 {
        most *= 10;
        left -= 1;
    }
    let mut bytes = 0;
    while most > 1 << (8 * bytes) {
        bytes += 1;
    }
    bytes
}

/// Whether a stored record is packed.
pub(super) fn is_packed(record: &[u8]) -> bool {
    record.first() == Some(&MARK)
}

/// The text of a stored record. `own` is the id at the end of its key, where it has one.
pub(super) fn unpack<'a>(record: &'a [u8], own: &str) -> Result<Cow<'a, [u8]>, StoreError> {
    match record.split_first() {
        Some((&MARK, packed)) => {
            let text = unpack::unpack(packed, own.as_bytes());
            text.map(Cow::Owned).ok_or_else(|| StoreError::Unreadable("a packed record".to_owned()))
        }
        _ => Ok(Cow::Borrowed(record)),
    }
}
