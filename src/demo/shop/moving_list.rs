//! A list that moves while it is read page by page: the order of its rows, and which of them were there all along.
//!
//! Nothing but ids is in here, so that a test of a page reader can use it without a server and without a shop. What
//! the rows are is the caller's.

use super::generator::Generator;

/// How far chance may carry a list from the length that it would have without it.
const DRIFT: i64 = 5;

/// From which end a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListOrder {
    /// As sales: a new row pushes all others down.
    NewestFirst,
    /// As members: a new row stands behind all others.
    OldestFirst,
}

/// A moment in the life of one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListMark(u64);

/// What chance does to a list between two pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// A row comes; the total grows.
    Insert,
    /// A row goes, from a page that was read or from one that was not; the total shrinks.
    Delete,
    /// A row comes and another goes: the total does not betray it.
    Swap,
}

/// Ids in their order.
#[derive(Debug, Clone)]
pub struct MovingList<Id> {
    /// Oldest first, each with the move that brought it.
    rows: Vec<(Id, u64)>,
    order: ListOrder,
    moves: u64,
    drift: i64,
}

impl<Id: Clone + PartialEq> MovingList<Id> {
    /// A list that is read in this order; `ids` are given oldest first.
    pub fn new(order: ListOrder, ids: impl IntoIterator<Item = Id>) -> Self {
        let rows = ids.into_iter().map(|id| (id, 0)).collect();
        Self { rows, order, moves: 0, drift: 0 }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Every id, oldest first, whatever the order of reading.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = &Id> + ExactSizeIterator {
        self.rows.iter().map(|(id, _)| id)
    }

    /// The id at that place, counted from the oldest.
    pub fn at(&self, place: usize) -> Option<&Id> {
        self.rows.get(place).map(|(id, _)| id)
    }

    /// Up to `limit` ids behind the first `skipped`, in the order of reading. Costs what the page costs, not the list.
    pub fn slice(&self, skipped: usize, limit: usize) -> impl Iterator<Item = &Id> {
        let length = self.rows.len();
        let (first, last) = (skipped.min(length), skipped.saturating_add(limit).min(length));
        (first..last).map(move |place| match self.order {
            ListOrder::OldestFirst => &self.rows[place].0,
            ListOrder::NewestFirst => &self.rows[length - 1 - place].0,
        })
    }

    /// Every id in the order of reading.
    pub fn read(&self) -> impl Iterator<Item = &Id> {
        self.slice(0, usize::MAX)
    }

    /// Adds the newest row.
    pub fn push(&mut self, id: Id) {
        self.insert(self.rows.len(), id);
    }

    /// Adds a row at a place counted from the oldest, as a sale that arrives late.
    pub fn insert(&mut self, place: usize, id: Id) {
        self.moves += 1;
        self.rows.insert(place.min(self.rows.len()), (id, self.moves));
    }

    /// Takes the row at a place counted from the oldest.
    pub fn remove_at(&mut self, place: usize) -> Option<Id> {
        (place < self.rows.len()).then(|| self.rows.remove(place).0)
    }

    /// Takes a row; false where it is not there.
    pub fn remove(&mut self, id: &Id) -> bool {
        let place = self.rows.iter().position(|(row, _)| row == id);
        place.and_then(|place| self.remove_at(place)).is_some()
    }

    /// Keeps the rows that `stays` says true of.
    pub fn retain(&mut self, mut stays: impl FnMut(&Id) -> bool) {
        self.rows.retain(|(id, _)| stays(id));
    }

    /// Puts rows back that were taken. Rows are told apart by when they came, so that they count as new.
    pub fn put_back<Key: Ord>(&mut self, ids: impl IntoIterator<Item = Id>, age: impl Fn(&Id) -> Key) {
        self.moves += 1;
        let came = self.moves;
        self.rows.extend(ids.into_iter().map(|id| (id, came)));
        self.rows.sort_by_cached_key(|(id, _)| age(id));
    }

    /// This moment, for [`MovingList::persistent_since`].
    pub fn mark(&self) -> ListMark {
        ListMark(self.moves)
    }

    /// The rows that stood in the list at `mark` and ever since: whoever read it all meanwhile must have got them.
    pub fn persistent_since(&self, mark: ListMark) -> impl Iterator<Item = &Id> {
        self.rows.iter().filter(move |(_, came)| *came <= mark.0).map(|(id, _)| id)
    }

    /// What chance does next, and takes note of it; nothing where only a deletion would do and none may be. The list
    /// stays about as long as it would be without.
    pub fn draw(&mut self, chance: &mut Generator, may_delete: bool) -> Option<Move> {
        let drawn = match chance.below(4) {
            0 => Move::Insert,
            1 => Move::Delete,
            _ => Move::Swap,
        };
        let next = match (drawn, may_delete) {
            (_, false) => (self.drift < DRIFT).then_some(Move::Insert)?,
            (Move::Insert, true) if self.drift >= DRIFT => Move::Delete,
            (Move::Delete, true) if self.drift <= -DRIFT => Move::Insert,
            (other, true) => other,
        };
        match next {
            Move::Insert => self.drift += 1,
            Move::Delete => self.drift -= 1,
            Move::Swap => {}
        }
        Some(next)
    }

    /// Lets chance move the list once; `new` makes the id of a row that comes.
    pub fn stir(&mut self, chance: &mut Generator, new: impl FnOnce() -> Id) -> Option<Move> {
        let next = self.draw(chance, !self.is_empty())?;
        if next != Move::Insert {
            self.remove_at(chance.below(self.rows.len()));
        }
        if next != Move::Delete {
            self.push(new());
        }
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_page_is_cut_in_the_order_of_reading() {
        let check = |order, skipped, limit, want: &[u32]| {
            let list = MovingList::new(order, 1..=5);
            assert_eq!(list.slice(skipped, limit).copied().collect::<Vec<_>>(), want, "{order:?} {skipped} {limit}");
        };
        check(ListOrder::OldestFirst, 0, 2, &[1, 2]);
        check(ListOrder::NewestFirst, 0, 2, &[5, 4]);
        check(ListOrder::NewestFirst, 4, 2, &[1]);
        check(ListOrder::OldestFirst, 9, 2, &[]);
        check(ListOrder::OldestFirst, 3, usize::MAX, &[4, 5]);
    }

    #[test]
    fn a_row_that_left_and_came_back_was_not_there_all_along() {
        let mut list = MovingList::new(ListOrder::OldestFirst, 1..=4);
        let mark = list.mark();
        assert!(list.remove(&2) && !list.remove(&7));
        list.push(5);
        list.put_back([2], |id| *id);
        assert_eq!(list.read().copied().collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(list.persistent_since(mark).copied().collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(list.persistent_since(list.mark()).count(), 5);
    }

    #[test]
    fn a_stirred_list_stays_about_as_long_and_makes_every_move() {
        let mut list = MovingList::new(ListOrder::NewestFirst, 0..50);
        let (mut chance, mut next) = (Generator::new(3), 50);
        let mut seen = BTreeSet::new();
        for _ in 0..2000 {
            let before = list.len();
            let new = || {
                next += 1;
                next
            };
            let made = list.stir(&mut chance, new).expect("a full list can always move");
            let grown = i64::try_from(list.len()).unwrap() - i64::try_from(before).unwrap();
            assert_eq!(grown, [1, -1, 0][made as usize], "{made:?}");
            assert!((45..=55).contains(&list.len()), "{}", list.len());
            seen.insert(made as usize);
        }
        assert_eq!(seen.len(), 3);
    }

    #[test]
    fn an_empty_list_can_only_grow() {
        let mut list = MovingList::new(ListOrder::NewestFirst, []);
        assert_eq!(list.stir(&mut Generator::new(1), || 1), Some(Move::Insert));
        let grown = (0..100).filter_map(|_| list.draw(&mut Generator::new(1), false)).count();
        assert_eq!(grown, 4, "where nothing may be deleted, it does not grow for ever");
    }
}
