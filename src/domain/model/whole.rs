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
    unreadable: usize,
    unreadable_ids: BTreeSet<EntityId>,
}

impl<T> Whole<T> {
    /// Vouches that these are all the rows there are, but for `unreadable` ones that could not be understood.
    pub fn vouch(rows: Vec<T>, unreadable: usize) -> Self {
        Self { rows, unreadable, unreadable_ids: BTreeSet::new() }
    }

    /// Names those of the rows that could not be understood that have an id all the same.
    #[must_use]
    pub fn naming_unreadable(self, unreadable_ids: BTreeSet<EntityId>) -> Self {
        Self { unreadable_ids, ..self }
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
        self.unreadable
    }

    /// The ids of those, as far as they have one: they are in the list, whatever they say.
    pub fn unreadable_ids(&self) -> &BTreeSet<EntityId> {
        &self.unreadable_ids
    }
}
