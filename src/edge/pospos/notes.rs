//! What there is to say of the lists of a shop besides their rows: how far the pass under way has come, why a row was left
//! out, how many rows were cut. In memory, since the start, and no value of a row is in it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::wire::LeftOut;
use crate::domain::model::Resource;

/// What there is to say of one list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListNotes {
    /// How far the pass under way has come.
    pub progress: Option<Progress>,
    /// Why a row was left out, of the latest pass that left out one.
    pub left_out: Option<LeftOut>,
    /// How many rows were too large to be kept whole.
    pub cut: u64,
}

/// How far a pass has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many different rows have come.
    pub rows: u64,
    /// In how many calls.
    pub calls: u32,
    /// How many calls it should take in all.
    pub of_calls: u64,
}

/// What there is to say of each list.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<BTreeMap<Resource, ListNotes>>);

impl Notes {
    /// Notes something of one list.
    pub fn note(&self, resource: Resource, change: impl FnOnce(&mut ListNotes)) {
        // Each change is one assignment, so what a panic leaves behind is whole.
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(resource).or_default());
    }

    /// What there is to say of one list.
    pub fn of(&self, resource: Resource) -> ListNotes {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&resource).cloned().unwrap_or_default()
    }
}
