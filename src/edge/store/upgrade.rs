//! What an older version has stored becomes what this one reads.
//!
//! Nothing is changed in place. The store is written anew beside the old one, entry by entry in the new form, and takes its
//! place when all of it is on the disk; the old one stays under another name, for whoever must go back to the older
//! version. Killed at any step, the next opening finds the old one and begins again, or the new one.
//!
//! | form | what it brought |
//! |---|---|
//! | 1 | rows of long lists plainly, or behind a shorter head that stood nowhere else |
//! | 2 | longer heads, every one a second time under a key of its own, which is what a pass read |
//! | 3 | few bytes: records are packed, heads stand once, ids take half as many bytes in keys |
//! | | long values in pieces, a manifest of what must be there; deliveries that a person has dropped |

use std::path::Path;

use super::engine::Bytes;
use super::head::Head;
use super::listed::{self, behind, split};
use super::rebuild::Fresh;
use super::record::{self, FORM};
use super::restore::swap;
use super::sled::{Older, files};
use super::space::{RESERVE, free_bytes};
use super::{StoreError, keys, packed};

/// The first byte of a row with a head in form 1, and the length of that head: mark, flags and fingerprint.
const MARK_1: u8 = 0x02;
const HEAD_1: usize = 18;
/// The flag of a row that the shop has no more.
const GONE_1: u8 = 2;
/// The same in form 2: mark, flags, a fingerprint of twice as many bytes as now, and tag.
const MARK_2: u8 = 0x03;
const HEAD_2: usize = 22;
/// The table of the heads in form 2.
const HEADS_2: &[u8] = b"h/";

/// Writes the store in `dir` anew in the form of this version, and sets the old one aside.
pub(super) fn rebuild(dir: &Path, older: Older) -> Result<(), StoreError> {
    let unusable = |source| StoreError::Directory { dir: dir.to_owned(), source };
    let form = older.get(keys::FORM)?;
    let lost = || StoreError::Damaged("it has lost its data".to_owned());
    let form: u32 = record::read(&form.ok_or_else(lost)?)?;
    if form > FORM {
        return Err(StoreError::Newer { found: form, known: FORM });
    }
    if form == FORM {
        return Err(StoreError::Damaged("it has lost the list of what must be in it".to_owned()));
    }
    let old = dir.join("store");
    let wanted = RESERVE + files::size(&old).map_err(unusable)?;
    if free_bytes(dir).is_ok_and(|free| free < wanted) {
        return Err(StoreError::NoRoom { dir: dir.to_owned(), wanted });
    }
    let place = swap::workplace(dir).map_err(unusable)?;
    if let Err(error) = write_anew(&place, &older) {
        // What stays of it after all is removed by the next opening.
        drop(swap::workplace(dir));
        return Err(error);
    }
    drop(older);
    files::wait_until_closed(&old).map_err(unusable)?;
    swap::swap(dir, &swap::aside(dir, &format!("store.form-{form}"))).map_err(unusable)
}

fn write_anew(place: &Path, older: &Older) -> Result<(), StoreError> {
    let mut fresh = Fresh::begin(place)?;
    for entry in older.entries() {
        let (key, value) = entry?;
        put(&mut fresh, &key, value)?;
    }
    fresh.put(keys::FORM, record::json(&FORM)?)?;
    fresh.finish()
}

/// Writes one entry of an older form in the form of this version; one that has it already as it is.
pub(super) fn put(fresh: &mut Fresh, key: &[u8], value: Bytes) -> Result<(), StoreError> {
    match key.get(..2) {
        Some(HEADS_2) => Ok(()),
        Some(keys::ALL_ROWS) => match row_of(key, &value) {
            Some((key, row)) => fresh.put(&key, row),
            None => fresh.put(key, value),
        },
        Some(keys::EVENTS_BY_ID | keys::DELIVERIES_BY_ID) => match keys::by_id_of_form_2(key) {
            Some(key) => fresh.put(&key, value),
            None => fresh.put(key, value),
        },
        Some(keys::EVENTS | keys::DELIVERIES) if !packed::is_packed(&value) => fresh.put(key, packed::pack(&value)),
        _ => fresh.put(key, value),
    }
}

/// Where a row of an older form stands now, and how; `None` for one that is so already, or cannot be understood.
fn row_of(key: &[u8], value: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (new_key, id, is_listed) = keys::row_of_form_2(key)?;
    if value.first() == Some(&listed::MARK) || packed::is_packed(value) {
        return None;
    }
    // One of form 1 is compared anew, whatever its text says, and gets the rest of its head then.
    let anew = |gone| Head { unsettled: true, gone, ..Head::default() };
    let row = match value {
        [MARK_2, ..] if value.len() >= HEAD_2 => behind(head_2(&value[..HEAD_2]), &value[HEAD_2..]),
        [MARK_1, flags, ..] if value.len() >= HEAD_1 => behind(anew(flags & GONE_1 != 0), &value[HEAD_1..]),
        _ if is_listed => behind(anew(false), value),
        _ => value.to_vec(),
    };
    Some((new_key, listed::packed(&row, &id)))
}

/// The flags were the same, and so was the first half of the fingerprint.
fn head_2(bytes: &[u8]) -> Head {
    let now = [&[listed::MARK], &bytes[1..10], &bytes[18..]].concat();
    split(&now).0
}
