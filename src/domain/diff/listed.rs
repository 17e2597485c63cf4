//! Members, vendors and purchase documents: which there are, and what changed of each.
//!
//! Compared row by row like products, and removed like them: a row that is gone stays with its counter and with what it
//! was, so that no id is used twice and its return can be told as the change that it is.

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::{Change, MISSES_TO_REMOVE, Taken, is_zero};
use crate::domain::event::{Announced, Event, Scribe};
use crate::domain::model::{Member, Purchase, Vendor};

/// A thing of a plain list: what its events are, and which of its fields are compared.
pub trait Listed: Announced + Fields + PartialEq {}

impl Listed for Member {}
impl Listed for Vendor {}
impl Listed for Purchase {}

/// What is kept of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedRow<T> {
    /// The thing as it was last read.
    pub entity: T,
    /// How many counted events it has had; part of the next one's id.
    pub counter: u64,
    /// In how many complete passes in a row it was not there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missed: u32,
    /// It was removed: what stands here is as it was last known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
    /// The fields that the latest pass left out and that still stand as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// It was read by other fields than today's and not seen since: the next reading is taken without a word.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_otherwise: bool,
}

impl<T> ListedRow<T> {
    /// Whether a pass that reads the same row again would leave this as it is. Where it would not, the row must be
    /// compared though it has not changed.
    pub fn rests(&self) -> bool {
        self.missed == 0 && !self.removed && self.left_out.is_empty() && !self.read_otherwise
    }

    /// Whether only stamps of the API have moved since `prev`, where the comparison of the two made no event.
    pub fn is_just_newer(&self, prev: &ListedRow<T>) -> bool {
        let state = |row: &ListedRow<T>| (row.missed, row.removed, row.read_otherwise);
        state(self) == state(prev) && self.left_out == prev.left_out
    }

    fn plain(entity: T, counter: u64) -> Self {
        Self { entity, counter, missed: 0, removed: false, left_out: Vec::new(), read_otherwise: false }
    }
}

/// Compares one row of the list with what is known of it; `None` when there is nothing to write.
pub fn compare_one<T: Listed>(
    prev: Option<&ListedRow<T>>,
    mut read: T,
    taken: Taken,
    scribe: &Scribe,
) -> Option<Change<ListedRow<T>>> {
    let Some(prev) = prev else {
        let created = (taken == Taken::Compared).then(|| scribe.listed_created(&read));
        return Some(changed(ListedRow::plain(read, 0), created.into_iter().collect()));
    };
    if taken == Taken::Quietly {
        return written(prev, ListedRow::plain(read, prev.counter), Vec::new());
    }
    let mut left_out = Vec::new();
    let mut differing = Vec::new();
    if !prev.read_otherwise {
        left_out = read.keep_left_out(&prev.entity, &prev.left_out);
        differing = read.differences(&prev.entity);
    }
    let mut row = ListedRow { left_out, ..ListedRow::plain(read, prev.counter) };
    let mut events = Vec::new();
    // The return of a removed one is told even when nothing of it differs, since its removal was.
    if prev.removed || !differing.is_empty() {
        row.counter += 1;
        events.push(scribe.listed_updated(row.counter, &row.entity, &prev.entity, differing));
    }
    written(prev, row, events)
}

/// A complete pass did not have it: the second in a row removes it.
pub fn miss_one<T: Listed>(prev: &ListedRow<T>, scribe: &Scribe) -> Option<Change<ListedRow<T>>> {
    if prev.removed {
        return None;
    }
    let missed = prev.missed.saturating_add(1);
    if missed < MISSES_TO_REMOVE {
        return Some(changed(ListedRow { missed, ..prev.clone() }, Vec::new()));
    }
    let counter = prev.counter + 1;
    let event = scribe.listed_removed(counter, &prev.entity);
    let row = ListedRow { counter, missed: 0, removed: true, left_out: Vec::new(), ..prev.clone() };
    Some(changed(row, vec![event]))
}

/// A pass that took everything without a word did not have it: what is known of it is as the old fields read it, and
/// the next reading is a first one.
pub fn miss_quietly<T: Listed>(prev: &ListedRow<T>) -> Option<Change<ListedRow<T>>> {
    written(prev, ListedRow { read_otherwise: true, ..prev.clone() }, Vec::new())
}

fn written<T: Listed>(prev: &ListedRow<T>, row: ListedRow<T>, events: Vec<Event>) -> Option<Change<ListedRow<T>>> {
    (row != *prev).then(|| changed(row, events))
}

fn changed<T: Listed>(row: ListedRow<T>, events: Vec<Event>) -> Change<ListedRow<T>> {
    Change { id: row.entity.id().clone(), row: Some(row), events }
}

#[cfg(test)]
mod tests;
