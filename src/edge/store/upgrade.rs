//! What an older version has stored becomes what this one reads, when the store is opened.
//!
//! Form 1 kept the rows of long lists plainly, or behind a shorter head that stood nowhere else. Form 2 has every head a
//! second time under a key of its own, which is what a pass reads; a row without one would be neither compared nor
//! missed. Killed in the middle, it begins again: what is done stays as it is.

use super::listed::{Head, behind, head_of};
use super::{StoreError, keys};

/// How many rows become durable together: as many as one commit of a pass.
const AT_ONCE: usize = 100;
/// The first byte of a row with a head in form 1, and the length of that head: mark, flags and fingerprint.
const OLD_MARK: u8 = 0x02;
const OLD_HEAD: usize = 18;
/// The flag of a row that the shop has no more.
const OLD_GONE: u8 = 2;

/// Gives every row of a long list its head; `durable` is called for what must not be lost before more is written.
pub(super) fn from_form_1(
    tree: &sled::Tree,
    mut durable: impl FnMut() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut batch = sled::Batch::default();
    let mut rows = 0;
    for entry in tree.scan_prefix(keys::ALL_ROWS) {
        let (key, value) = entry?;
        let Some(head_key) = keys::head_of_listed(&key).filter(|_| head_of(&value).is_none()) else { continue };
        let (gone, json) = match value.split_first_chunk::<OLD_HEAD>() {
            Some(([OLD_MARK, flags, ..], json)) => (flags & OLD_GONE != 0, json),
            _ => (false, &value[..]),
        };
        // It is compared anew, whatever its text says, and gets the rest of its head then.
        let value = behind(Head { unsettled: true, gone, ..Head::default() }, json);
        batch.insert(head_key, head_of(&value).unwrap_or_default());
        batch.insert(key, value);
        rows += 1;
        if rows % AT_ONCE == 0 {
            tree.apply_batch(std::mem::take(&mut batch))?;
            durable()?;
        }
    }
    tree.apply_batch(batch)?;
    durable()
}
