//! Completeness as a type: what was not read whole cannot be compared.

/// A list that was read to its end, each row once.
///
/// Only the page reader makes one, after it has seen the last page and counted the rows; whoever holds a `Whole` may
/// conclude something from what is *not* in it. A page that failed is missing, not empty, and makes no `Whole`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole<T> {
    rows: Vec<T>,
    unreadable: usize,
}

impl<T> Whole<T> {
    /// Vouches that these are all the rows there are, but for `unreadable` ones that could not be understood.
    pub fn vouch(rows: Vec<T>, unreadable: usize) -> Self {
        Self { rows, unreadable }
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
        Whole { rows: self.rows.into_iter().map(row).collect(), unreadable: self.unreadable }
    }

    /// How many rows were there but could not be understood: kept out, never taken for removed ones.
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }
}
