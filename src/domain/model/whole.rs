//! Completeness as a type: what was not read whole cannot be compared.

use std::collections::BTreeSet;

use super::EntityId;

/// A list that was read to its end, each row once.
///
/// Only the page reader makes one, after it has seen the last page and counted the rows; whoever holds a `Whole` may
/// conclude something from what is *not* in it. A page that failed is missing, not empty, and makes no `Whole`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole<T> {
    rows: Vec<T>,
    garbled: BTreeSet<EntityId>,
    nameless: usize,
}

impl<T> Whole<T> {
    /// Vouches that these are all the rows there are, but for `nameless` ones that could not be understood and of which
    /// nobody knows which they are.
    pub fn vouch(rows: Vec<T>, nameless: usize) -> Self {
        Self { rows, garbled: BTreeSet::new(), nameless }
    }

    /// The same with the ids of rows that are there and could not be understood.
    #[must_use]
    pub fn with_garbled(self, garbled: BTreeSet<EntityId>) -> Self {
        Self { garbled, ..self }
    }

    /// The rows, in the order of the API.
    pub fn rows(&self) -> &[T] {
        &self.rows
    }

    /// The rows, in the order of the API.
    pub fn into_rows(self) -> Vec<T> {
        self.rows
    }

    /// How many rows were there but could not be understood: kept out, never taken for removed ones.
    pub fn unreadable(&self) -> usize {
        self.garbled.len() + self.nameless
    }

    /// The ids of rows that are there and could not be understood.
    pub fn garbled(&self) -> &BTreeSet<EntityId> {
        &self.garbled
    }

    /// How many rows have no id that can be read: each may be any that seems to be missing.
    pub fn nameless(&self) -> usize {
        self.nameless
    }
}
