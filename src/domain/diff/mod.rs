//! From what was known and what was read to what happened.
//!
//! One file a resource. Each comparison yields [`Change`]s: one row with its events, so that a large pass can be
//! committed in pieces and a crash between two pieces leaves exactly the rest for the next pass. A first reading is a
//! case of its own ([`Known::Nothing`]), not an empty snapshot; what was not read whole never gets here.

pub mod credit;
mod fields;
pub mod guard;
pub mod level;
pub mod listed;
pub mod product;
pub mod sale;
pub mod share;
pub mod through;

pub use fields::Fields;

use std::collections::BTreeMap;

use crate::domain::event::Event;
use crate::domain::model::{EntityId, Timestamp};

/// What is believed of one resource of one shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<R> {
    /// It was never read: the first whole reading is the baseline and makes no event.
    Nothing,
    /// It was read before.
    Rows {
        /// What is known of each entity.
        rows: BTreeMap<EntityId, R>,
        /// Sales before this moment were outside of every reading so far: a sale from before it is not new, only
        /// newly asked for.
        horizon: Option<Timestamp>,
    },
}

impl<R> Known<R> {
    /// What is known of this entity.
    pub fn row(&self, id: &EntityId) -> Option<&R> {
        match self {
            Known::Nothing => None,
            Known::Rows { rows, .. } => rows.get(id),
        }
    }

    /// Everything that is known.
    pub fn rows(&self) -> impl Iterator<Item = &R> {
        let rows = match self {
            Known::Nothing => None,
            Known::Rows { rows, .. } => Some(rows),
        };
        rows.into_iter().flat_map(BTreeMap::values)
    }
}

/// What one entity becomes, and what is told of it. Rows and events of one change are committed in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<R> {
    /// The entity.
    pub id: EntityId,
    /// What is known of it from now on; `None` forgets it.
    pub row: Option<R>,
    /// What is told, in the order in which it happened.
    pub events: Vec<Event>,
}

/// How a row is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Without a word: it is of the baseline, or its fields are read from other places than those of what is known.
    Quietly,
    /// Compared with what is known.
    Compared,
}

/// How many complete passes in a row must be without a row before it counts as removed: rows move between the pages
/// while these are read, and one that moved over a border is missing from one pass.
const MISSES_TO_REMOVE: u32 = 2;

/// From how many known rows on it means another shop that none of them comes back. One or two can be removed in the
/// same minute in which another one is entered.
const OTHER_SHOP_FROM: usize = 3;

/// From how many rows on it is a wrong answer that none of them can be understood, and not a few odd rows.
const NONE_READABLE_FROM: usize = 3;

/// Refuses a reading that has rows of which none could be understood. What is left out of it would be all there is.
pub fn check_readable(readable: usize, unreadable: usize) -> Result<(), Unbelievable> {
    let none = readable == 0 && unreadable >= NONE_READABLE_FROM;
    if none { Err(Unbelievable::NoneReadable { rows: unreadable }) } else { Ok(()) }
}

/// What a reading has seen of the rows that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// How many rows are known and not removed.
    pub known: usize,
    /// How many of these are in the reading, be it with the deleted flag.
    pub known_seen: usize,
    /// How many rows the reading has, with those that could not be understood.
    pub read: usize,
}

impl Seen {
    /// Whether such a reading can be of the shop that is known.
    pub fn check_shop(self) -> Result<(), Unbelievable> {
        let other = self.read > 0 && self.known >= OTHER_SHOP_FROM && self.known_seen == 0;
        if other { Err(Unbelievable::OtherShop { known: self.known }) } else { Ok(()) }
    }
}

/// Why a whole reading is still not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unbelievable {
    /// A list that had rows came back empty.
    #[error("the list came back empty, and {known} rows should have been in it")]
    Empty {
        /// How many rows should have been there.
        known: usize,
    },
    /// It has rows, and not one of them could be understood.
    #[error("not one of its {rows} rows could be understood; `posbell check --online` shows what they look like")]
    NoneReadable {
        /// How many rows came.
        rows: usize,
    },
    /// So many credits came both as within and as out of their period that the period was not heeded.
    #[error("{both} credits came both as within their period and as out of it, so nothing says which are overdue")]
    InBothPeriods {
        /// How many.
        both: usize,
    },
    /// It has rows, and not one of those that are known: the key is of another shop.
    #[error(
        "not one of the {known} rows that are known came back, but others did: the key seems to be of another shop. Put \
         the right key back; if the shop has moved to another account, give it another `id`"
    )]
    OtherShop {
        /// How many rows should have been there.
        known: usize,
    },
}

/// Zero is what most rows have, and need not be stored.
fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_rows_that_nobody_understands_are_left_out_and_a_list_of_nothing_else_is_refused() {
        for (readable, unreadable) in [(0, 0), (0, 2), (1, 1_000), (3, 0)] {
            assert_eq!(check_readable(readable, unreadable), Ok(()), "{readable} {unreadable}");
        }
        assert_eq!(check_readable(0, 3), Err(Unbelievable::NoneReadable { rows: 3 }));
    }

    #[test]
    fn a_list_without_one_known_row_is_of_another_shop() {
        let check = |known, known_seen, read| Seen { known, known_seen, read }.check_shop();
        assert_eq!(check(3, 0, 1), Err(Unbelievable::OtherShop { known: 3 }));
        for (known, known_seen, read) in [(0, 0, 0), (5, 0, 0), (0, 0, 1), (2, 0, 5), (3, 1, 1), (1000, 1, 1000)] {
            assert_eq!(check(known, known_seen, read), Ok(()), "{known} {known_seen} {read}");
        }
        let said = Unbelievable::OtherShop { known: 3 }.to_string();
        assert!(said.contains("right key") && said.contains("another `id`") && !said.contains("  "), "{said}");
    }
}
