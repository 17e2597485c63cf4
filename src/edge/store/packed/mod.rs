//! Records in few bytes: their JSON, packed to the byte and unpacked to the byte.
//!
//! A row of JSON is names of fields, digits, and Thai in three bytes a letter, and all of that is much the same in every
//! record. So a packed record is a frame of zstd that was written with a dictionary of such records: what the dictionary
//! has is pointed to. The id that the key ends with anyway stands in the frame as one byte, and the four bytes that every
//! frame begins with are left out.
//!
//! It is not JSON that is understood but any bytes: each comes back as it was. What would not get smaller is left as it
//! is, and so is what an older version wrote: JSON never begins with a mark.
//!
//! **The dictionary** (`records.dict`) was made by `cargo bench --bench dictionary` from made-up goods, the events of
//! `tests/it/fixtures/events.jsonl` and three data directories of `posbell demo --speed 30 --seed 1` (2, 3), each killed
//! after a minute. What was packed can be read with this one alone, so it stays as it is; a better one gets other marks.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::{LazyLock, Mutex, PoisonError};

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::{CParameter, get_frame_content_size};

use super::StoreError;

/// The first byte of a packed record, and of one in which the id of its key is [`OWN`].
const MARK: u8 = 0x05;
const MARK_OWN: u8 = 0x06;
/// Stands for the id of the key. JSON has no such byte.
const OWN: u8 = 0x01;
/// What every frame begins with.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// How hard it is tried: harder takes several times as long and saves little.
const LEVEL: i32 = 3;
/// The longest record that is believed: more than a store keeps.
const RECORD_MOST: usize = 64 * 1024 * 1024;

const DICTIONARY: &[u8] = include_bytes!("records.dict");
static TO_PACK: LazyLock<EncoderDictionary<'static>> = LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static TO_UNPACK: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

/// One of each is enough: it takes some microseconds, and each has a tenth of a megabyte.
static PACKER: LazyLock<Mutex<Option<Compressor<'static>>>> = LazyLock::new(|| Mutex::new(packer().ok()));
static UNPACKER: LazyLock<Mutex<Option<Decompressor<'static>>>> =
    LazyLock::new(|| Mutex::new(Decompressor::with_prepared_dictionary(&TO_UNPACK).ok()));

fn packer() -> std::io::Result<Compressor<'static>> {
    let mut packer = Compressor::with_prepared_dictionary(&TO_PACK)?;
    // There is but one dictionary, and the manifest knows what was written.
    packer.set_parameter(CParameter::DictIdFlag(false))?;
    packer.set_parameter(CParameter::ChecksumFlag(false))?;
    Ok(packer)
}

/// The record in fewer bytes, or as it is where there is no way to that.
pub(super) fn pack(text: &[u8]) -> Vec<u8> {
    pack_behind(&[], text, "")
}

/// The same behind a head that is not packed. `own` is the id at the end of the key, where it has one.
pub(super) fn pack_behind(head: &[u8], text: &[u8], own: &str) -> Vec<u8> {
    let (mark, short) = shorten(text, own.as_bytes());
    let mut packer = PACKER.lock().unwrap_or_else(PoisonError::into_inner);
    let frame = packer.as_mut().and_then(|packer| packer.compress(&short).ok());
    match frame.as_deref().and_then(|frame| frame.strip_prefix(&MAGIC)) {
        Some(frame) if frame.len() + 1 < text.len() || is_packed(text) => [head, &[mark], frame].concat(),
        _ => [head, text].concat(),
    }
}

/// Puts [`OWN`] where the id stands, unless that byte is there already.
fn shorten<'a>(text: &'a [u8], own: &[u8]) -> (u8, Cow<'a, [u8]>) {
    if own.len() < 2 || text.contains(&OWN) {
        return (MARK, Cow::Borrowed(text));
    }
    let mut short = Vec::with_capacity(text.len());
    let mut left = text;
    while let Some((first, rest)) = left.split_first() {
        match left.strip_prefix(own) {
            Some(behind) => {
                short.push(OWN);
                left = behind;
            }
            None => {
                short.push(*first);
                left = rest;
            }
        }
    }
    (MARK_OWN, Cow::Owned(short))
}

/// Whether a stored record is packed.
pub(super) fn is_packed(record: &[u8]) -> bool {
    matches!(record.first(), Some(&(MARK | MARK_OWN)))
}

/// The text of a stored record. `own` is the id at the end of its key, where it has one.
pub(super) fn unpack<'a>(record: &'a [u8], own: &str) -> Result<Cow<'a, [u8]>, StoreError> {
    let (mark, frame) = match record.split_first() {
        Some((mark @ (&MARK | &MARK_OWN), frame)) => (*mark, frame),
        _ => return Ok(Cow::Borrowed(record)),
    };
    let short = unframed(frame).ok_or_else(|| StoreError::Unreadable("a packed record".to_owned()))?;
    if mark == MARK {
        return Ok(Cow::Owned(short));
    }
    let mut text = Vec::with_capacity(short.len() + own.len());
    for byte in short {
        match byte {
            OWN => text.extend_from_slice(own.as_bytes()),
            other => text.push(other),
        }
    }
    Ok(Cow::Owned(text))
}

fn unframed(frame: &[u8]) -> Option<Vec<u8>> {
    let frame = [&MAGIC[..], frame].concat();
    let length = usize::try_from(get_frame_content_size(&frame).ok()??).ok().filter(|length| *length <= RECORD_MOST)?;
    let mut unpacker = UNPACKER.lock().unwrap_or_else(PoisonError::into_inner);
    unpacker.as_mut()?.decompress(&frame, length).ok()
}
