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
    unreadable: BTreeSet<EntityId>,
    nameless: usize,
}

impl<T> Whole<T> {
    /// Vouches that these are all the rows there are, but for so many that could not be understood and have no id.
    pub fn vouch(rows: Vec<T>, nameless: usize) -> Self {
        Self { rows, unreadable: BTreeSet::new(), nameless }
    }

    /// And but for the rows with these ids, which are there and could not be understood.
    pub fn but_for(self, unreadable: BTreeSet<EntityId>) -> Self {
        Self { unreadable, ..self }
    }

    /// The rows, in the order of the API.
    pub fn rows(&self) -> &[T] {
        &self.rows
    }

    /// The rows, in the order of the API.
    pub fn into_rows(self) -> Vec<T> {
        self.rows
    }

    /// The same list with something else for each row.
    pub fn map<U>(self, row: impl FnMut(T) -> U) -> Whole<U> {
        Whole { rows: self.rows.into_iter().map(row).collect(), unreadable: self.unreadable, nameless: self.nameless }
    }

    /// How many rows were there but could not be understood: kept out, never taken for removed ones.
    pub fn unreadable(&self) -> usize {
        self.unreadable.len() + self.nameless
    }

    /// The ids of those of them that have one.
    pub fn unreadable_ids(&self) -> &BTreeSet<EntityId> {
        &self.unreadable
    }

    /// How many of them have no id. Each may be any row that seems to be missing.
    pub fn nameless(&self) -> usize {
        self.nameless
    }
}
