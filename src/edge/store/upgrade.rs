//! What an older version has stored becomes what this one reads.
//!
//! Nothing is changed in place. The store is written anew beside the old one, entry by entry in the new form, and takes its
//! place when all of it is on the disk; the old one stays under another name, for whoever must go back to the older
//! version. Killed at any step, the next opening finds the old one and begins again, or the new one.
//!
//! | form | what it brought |
//! |---|---|
//! | 1 | rows of long lists plainly, or behind a shorter head that stood nowhere else |
//! | 2 | every head a second time under a key of its own, which is what a pass reads |
//! | 3 | long values in pieces, a manifest of what must be there; deliveries that a person has dropped |

use std::path::Path;

use super::engine::Bytes;
use super::listed::{Head, behind, head_of};
use super::rebuild::Fresh;
use super::record::{self, FORM};
use super::restore::swap;
use super::sled::{Older, files};
use super::space::{RESERVE, free_bytes};
use super::{StoreError, keys};

/// The first byte of a row with a head in form 1, and the length of that head: mark, flags and fingerprint.
const OLD_MARK: u8 = 0x02;
const OLD_HEAD: usize = 18;
/// The flag of a row that the shop has no more.
const OLD_GONE: u8 = 2;

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
    fresh.put(keys::FORM, record::write(&FORM)?)?;
    fresh.finish()
}

/// Writes one entry of an older form in the form of this version.
pub(super) fn put(fresh: &mut Fresh, key: &[u8], value: Bytes) -> Result<(), StoreError> {
    let Some(head_key) = keys::head_of_listed(key).filter(|_| head_of(&value).is_none()) else {
        return fresh.put(key, value);
    };
    let (gone, json) = match value.split_first_chunk::<OLD_HEAD>() {
        Some(([OLD_MARK, flags, ..], json)) => (flags & OLD_GONE != 0, json),
        _ => (false, &value[..]),
    };
    // It is compared anew, whatever its text says, and gets the rest of its head then.
    let value = behind(Head { unsettled: true, gone, ..Head::default() }, json);
    fresh.put(&head_key, head_of(&value).unwrap_or_default())?;
    fresh.put(key, value)
}
