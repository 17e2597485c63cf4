//! Which rows of a list have come already, and have they changed since?
//!
//! Windows overlap and lists are read from the top once more, so a row may come twice. Of each row only hashes are kept,
//! some thirty bytes, so that a list of any length is remembered while its pages come and go.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::wire::{ByKey, Key};
use crate::domain::model::Fingerprint;

/// What is new about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// It comes for the first time.
    New,
    /// It came before, and was written otherwise.
    Changed,
    /// It came before, just so.
    Same,
}

/// The bit of a kept print that says that the row could not be understood.
const UNREADABLE: u64 = 1;

/// The rows of one reading.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Of each row the first 63 bits of its fingerprint, and whether it could be understood.
    rows: HashMap<Key, u64, ByKey>,
    unreadable: u64,
}

impl Seen {
    /// Notes a row, as it is now.
    pub fn note(&mut self, key: Key, print: Fingerprint) -> News {
        let print = u64::from_be_bytes(print.to_bytes()) & !UNREADABLE;
        match self.rows.entry(key) {
            Entry::Vacant(place) => {
                place.insert(print);
                News::New
            }
            Entry::Occupied(known) if known.get() & !UNREADABLE == print => News::Same,
            Entry::Occupied(mut known) => {
                self.unreadable -= known.insert(print) & UNREADABLE;
                News::Changed
            }
        }
    }

    /// Says of a noted row whether it could be understood. All rows of a page are noted before the first is read, so of
    /// one that stands on it twice the second has the last word.
    pub fn mark(&mut self, key: Key, is_readable: bool) {
        if let Some(print) = self.rows.get_mut(&key) {
            let unreadable = if is_readable { 0 } else { UNREADABLE };
            self.unreadable = self.unreadable - (*print & UNREADABLE) + unreadable;
            *print = (*print & !UNREADABLE) | unreadable;
        }
    }

    /// Whether it has come.
    pub fn has(&self, key: Key) -> bool {
        self.rows.contains_key(&key)
    }

    /// Whether it could not be understood when it came last.
    pub fn is_unreadable(&self, key: Key) -> bool {
        self.rows.get(&key).is_some_and(|print| print & UNREADABLE != 0)
    }

    /// How many different rows came.
    pub fn rows(&self) -> u64 {
        self.rows.len() as u64
    }

    /// How many of them could not be understood when they came last.
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_reading_of_a_row_counts() {
        let mut seen = Seen::default();
        let (a, b) = (Key::numbered(1), Key::numbered(2));
        let [one, other] = [1, 2].map(|n: u64| Fingerprint::new(n << 40));
        assert_eq!([seen.note(a, one), seen.note(b, one), seen.note(a, one)], [News::New, News::New, News::Same]);
        seen.mark(a, false);
        seen.mark(a, false);
        assert_eq!((seen.note(a, one), seen.unreadable()), (News::Same, 1));
        seen.mark(a, true);
        assert_eq!((seen.is_unreadable(a), seen.unreadable()), (false, 0));
        seen.mark(a, false);
        assert_eq!((seen.note(a, other), seen.unreadable(), seen.rows()), (News::Changed, 0, 2));
        assert_eq!((seen.has(a), seen.has(Key::numbered(3))), (true, false));
    }

    #[test]
    fn a_row_is_remembered_in_few_bytes() {
        assert_eq!(size_of::<(Key, u64)>(), 24);
    }
}
