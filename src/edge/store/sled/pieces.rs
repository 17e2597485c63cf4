//! Values of more than a few kilobytes lie in the tree in pieces.
//!
//! sled keeps up to some twenty neighbours in one page, and a page of more than an eighth of a megabyte in a file of its own
//! beside the log, which it never syncs: after a power cut the log can point to a file that is not there, and then it
//! cannot be read any more. With pieces of five kilobytes no page comes near that.
//!
//! Under the key stands, instead of the value: a mark, how long it is, and its hash. The pieces stand under keys of this
//! module's own, which are the key and a number. A value that begins like the mark is cut too, so nothing is taken for one
//! that is none.

use xxhash_rust::xxh3::xxh3_128;

use super::manifest::Change;
use crate::edge::store::StoreError;
use crate::edge::store::engine::Bytes;

/// The longest value that is not cut, and the length of a piece.
const PIECE: usize = 5 * 1024;
/// What stands before the key of a piece.
const PIECES: u8 = 0xff;
/// What a cut value's place begins with.
const MARK: &[u8; 8] = b"\x00pieces\x01";
/// Mark, length and hash.
const PLACE: usize = 8 + 4 + 16;

/// Whether this stands for a value that is cut.
pub(super) fn is_cut(stored: &[u8]) -> bool {
    stored.starts_with(MARK)
}

/// Puts a cut value together; `None` where the pieces are not those of it.
pub(super) fn join(tree: &::sled::Tree, key: &[u8], place: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(length) = length_of(place) else { return Ok(None) };
    let mut whole = Vec::new();
    for number in 0..count(length) {
        match tree.get(key_of(key, number))? {
            Some(piece) => whole.extend_from_slice(&piece),
            None => return Ok(None),
        }
    }
    Ok((whole.len() == length && place[PLACE - 16..] == xxh3_128(&whole).to_be_bytes()).then_some(whole))
}

/// Writes the value under `key`, or removes what stands there, with all pieces.
pub(super) fn write(
    tree: &::sled::Tree,
    change: &mut Change<'_>,
    writes: &mut ::sled::Batch,
    key: &[u8],
    value: Option<&Bytes>,
) -> Result<(), StoreError> {
    if key.first().is_none_or(|first| *first >= super::OWN) {
        return Err(StoreError::Unreadable("a key that no table has".to_owned()));
    }
    let cut = value.filter(|value| value.len() > PIECE || is_cut(value));
    let pieces = cut.map_or(0, |value| count(value.len()));
    let before = match (value, cut) {
        (Some(value), None) => change.put(tree, writes, key, value)?,
        (Some(_), Some(cut)) => {
            let length = u32::try_from(cut.len()).ok().filter(|_| pieces <= usize::from(u16::MAX));
            let length = length.ok_or_else(|| StoreError::Unreadable("a value is too long to be kept".to_owned()))?;
            let place = [&MARK[..], &length.to_be_bytes(), &xxh3_128(cut).to_be_bytes()].concat();
            for (number, piece) in cut.chunks(PIECE).enumerate() {
                change.put(tree, writes, &key_of(key, number), piece)?;
            }
            change.put(tree, writes, key, &place)?
        }
        (None, _) => change.remove(tree, writes, key)?,
    };
    let pieces_before = before.as_deref().and_then(length_of).map_or(0, count);
    for number in pieces..pieces_before {
        change.remove(tree, writes, &key_of(key, number))?;
    }
    Ok(())
}

fn length_of(place: &[u8]) -> Option<usize> {
    let length = place.strip_prefix(MARK).filter(|_| place.len() == PLACE)?.first_chunk()?;
    Some(u32::from_be_bytes(*length) as usize)
}

/// How many pieces a cut value of this length has.
fn count(length: usize) -> usize {
    length.div_ceil(PIECE)
}

/// No two are the same: of two keys of one length, the key's own parts differ.
fn key_of(key: &[u8], number: usize) -> Vec<u8> {
    let number = u16::try_from(number).unwrap_or(u16::MAX);
    [&[PIECES], key, &number.to_be_bytes()].concat()
}
