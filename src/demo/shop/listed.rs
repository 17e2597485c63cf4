//! Rows of one resource: what each is, under its id, and in which order the API lists them.

use std::collections::HashMap;
use std::ops::Range;

use super::moving_list::{ListOrder, MovingList};
use crate::domain::model::EntityId;

/// What the API shows as a row.
pub(super) trait Row {
    /// `_id`.
    fn id(&self) -> &EntityId;

    /// Takes note that it is about to be changed.
    fn is_changed(&mut self) {}
}

/// A resource's rows. A page, an addition and a look by id cost the same in a large shop as in a small one.
#[derive(Debug)]
pub(super) struct Listed<T> {
    order: MovingList<EntityId>,
    rows: HashMap<EntityId, T>,
}

impl<T: Row> Listed<T> {
    /// These rows, given oldest first, read in that order.
    pub(super) fn new(order: ListOrder, rows: Vec<T>) -> Self {
        let ids = rows.iter().map(|row| row.id().clone()).collect::<Vec<_>>();
        let rows = rows.into_iter().map(|row| (row.id().clone(), row)).collect();
        Self { order: MovingList::new(order, ids), rows }
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Where they stand, and which were there all along.
    pub(super) fn order(&self) -> &MovingList<EntityId> {
        &self.order
    }

    /// The same, for chance to draw from.
    pub(super) fn order_mut(&mut self) -> &mut MovingList<EntityId> {
        &mut self.order
    }

    /// The row of that id.
    pub(super) fn get(&self, id: &EntityId) -> Option<&T> {
        self.rows.get(id)
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, id: &EntityId) -> Option<&mut T> {
        let row = self.rows.get_mut(id)?;
        row.is_changed();
        Some(row)
    }

    /// The row at that place, counted from the oldest.
    pub(super) fn at(&self, place: usize) -> Option<&T> {
        self.order.at(place).map(|id| self.row(id))
    }

    /// Every row, oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.order.ids().map(|id| self.row(id))
    }

    /// Every row in the order of reading.
    pub(super) fn read(&self) -> impl Iterator<Item = &T> {
        self.slice(0, usize::MAX)
    }

    /// Up to `limit` rows behind the first `skipped`, in the order of reading.
    pub(super) fn slice(&self, skipped: usize, limit: usize) -> impl Iterator<Item = &T> {
        self.order.slice(skipped, limit).map(|id| self.row(id))
    }

    /// Changes every row.
    pub(super) fn for_each(&mut self, mut change: impl FnMut(&mut T)) {
        self.rows.values_mut().for_each(|row| {
            row.is_changed();
            change(row);
        });
    }

    /// The places, counted from the oldest, of the rows that are neither too old nor too young; both by the order in
    /// which they stand.
    pub(super) fn span(&self, is_too_old: impl Fn(&T) -> bool, is_too_young: impl Fn(&T) -> bool) -> Range<usize> {
        let first = self.first_place(|row| !is_too_old(row));
        first..self.first_place(is_too_young).max(first)
    }

    /// The first place from which on `holds` is true of all rows.
    fn first_place(&self, holds: impl Fn(&T) -> bool) -> usize {
        let (mut from, mut until) = (0, self.len());
        while from < until {
            let middle = from.midpoint(until);
            match self.at(middle).is_some_and(&holds) {
                true => until = middle,
                false => from = middle + 1,
            }
        }
        from
    }

    /// Adds the newest row.
    pub(super) fn push(&mut self, row: T) {
        self.order.push(row.id().clone());
        self.rows.insert(row.id().clone(), row);
    }

    /// Adds a row behind the last that is not younger by `age`.
    pub(super) fn insert_by<Key: Ord>(&mut self, row: T, age: impl Fn(&T) -> Key) {
        let key = age(&row);
        // Almost always it is the newest, so one looks from that end.
        let younger = self.iter().rev().take_while(|other| age(other) > key).count();
        self.order.insert(self.order.len() - younger, row.id().clone());
        self.rows.insert(row.id().clone(), row);
    }

    /// Takes a row away.
    pub(super) fn remove(&mut self, id: &EntityId) -> Option<T> {
        let row = self.rows.remove(id)?;
        self.order.remove(id);
        Some(row)
    }

    /// Takes away every row that `goes` says true of, by its place.
    pub(super) fn take(&mut self, mut goes: impl FnMut(usize) -> bool) -> Vec<T> {
        let (mut place, mut taken) = (0, Vec::new());
        let rows = &mut self.rows;
        self.order.retain(|id| {
            let goes = goes(place);
            place += 1;
            taken.extend(if goes { rows.remove(id) } else { None });
            !goes
        });
        taken
    }

    /// Puts rows back among the others, by the order of their ids.
    pub(super) fn put_back(&mut self, rows: Vec<T>) {
        self.order.put_back(rows.iter().map(|row| row.id().clone()), EntityId::clone);
        self.rows.extend(rows.into_iter().map(|row| (row.id().clone(), row)));
    }

    fn row(&self, id: &EntityId) -> &T {
        self.rows.get(id).expect("every id in the order has its row: both change together, here alone")
    }
}
