//! When is a list of many pages read to its end, and was it read whole?
//!
//! Lists move while one reads them: a sale made between two pages pushes the others down by one, and a deleted product
//! pulls them up, so that one is skipped. A skipped row must never look like a removed one. So rows are told apart by
//! their ids, the answer's own `total` is held against them, and a list that moved is read once more from the start.
//!
//! Pure bookkeeping: it is handed pages and says whether to go on. Where the API tells neither `total` nor `total_page`
//! a list that moved cannot be noticed; the caller believes in a removal only when it sees it twice.

use std::collections::{BTreeSet, HashMap};

use super::wire::Page;
use crate::domain::model::{EntityId, Whole};

/// No list is longer than this many pages: a server that always has one more must not keep us for ever.
const PAGE_CAP: u32 = 100_000;

/// The page size in the vendor's own example. A first page shorter than what was asked for, but not than this, may be
/// all that the server gives at once, and says nothing about the end of the list.
const DOCUMENTED_SIZE: usize = 200;

/// Whether there is a page after this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Read on.
    More,
    /// That was the last page.
    Done,
}

/// The pages of one list, read from the first on.
#[derive(Debug)]
pub(super) struct Gathered<T> {
    asked: usize,
    rows: Vec<Option<T>>,
    places: HashMap<String, usize>,
    pages: u32,
    /// How many rows the first page had: as many as the server gives at once, if not all there are.
    first_page: usize,
    first_total: Option<u64>,
    last_total: Option<u64>,
    total_page: Option<u64>,
    /// The total was not the same on every page.
    moved: bool,
    /// The total once became less.
    shrank: bool,
    /// The pages ended before the answer's own count of them.
    broke_off: bool,
}

impl<T> Gathered<T> {
    /// Nothing yet, of a list asked for in pages of `page_size`.
    pub fn new(page_size: u32) -> Self {
        Self {
            asked: usize::try_from(page_size).unwrap_or(usize::MAX),
            rows: Vec::new(),
            places: HashMap::new(),
            pages: 0,
            first_page: 0,
            first_total: None,
            last_total: None,
            total_page: None,
            moved: false,
            shrank: false,
            broke_off: false,
        }
    }

    /// Takes the next page; of a row that was there before, the last reading counts.
    pub fn take(&mut self, page: Page<T>) -> Next {
        self.pages += 1;
        if self.pages == 1 {
            self.first_page = page.rows.len();
        }
        self.note_total(page.total);
        self.total_page = page.total_page.or(self.total_page);
        let (length, known) = (page.rows.len(), self.rows.len());
        for (key, row) in page.rows {
            match self.places.get(&key) {
                Some(&place) => self.rows[place] = row,
                None => {
                    self.places.insert(key, self.rows.len());
                    self.rows.push(row);
                }
            }
        }
        let next = if self.rows.len() == known { Next::Done } else { self.after(length) };
        let all_there = self.last_total.is_some_and(|total| self.read() >= total);
        let more_pages = !all_there && self.total_page.is_some_and(|pages| u64::from(self.pages) < pages);
        self.broke_off = next == Next::Done && more_pages;
        if next == Next::More && self.pages >= PAGE_CAP {
            self.broke_off = true;
            return Next::Done;
        }
        next
    }

    fn note_total(&mut self, total: Option<u64>) {
        let Some(total) = total else { return };
        if let Some(before) = self.last_total {
            self.moved |= total != before;
            self.shrank |= total < before;
        }
        self.first_total = self.first_total.or(Some(total));
        self.last_total = Some(total);
    }

    /// Whether a page of `length` rows, some of them new, was the last.
    fn after(&self, length: usize) -> Next {
        let is_last = match (self.total_page, self.last_total) {
            // Whichever is reached first: a count of pages that is too large must not refuse a list that is all there.
            (Some(pages), total) => u64::from(self.pages) >= pages || total.is_some_and(|total| self.read() >= total),
            (None, Some(total)) => self.read() >= total || self.pages > 1 && length < self.first_page,
            (None, None) if self.pages == 1 => length < self.asked.min(DOCUMENTED_SIZE),
            (None, None) => length < self.first_page,
        };
        if is_last { Next::Done } else { Next::More }
    }

    /// How many different rows came, readable or not.
    pub fn read(&self) -> u64 {
        self.rows.len() as u64
    }

    /// How many there should be, where that is known.
    pub fn total(&self) -> Option<u64> {
        self.last_total
    }

    /// Whether every one of these rows has come.
    pub fn has_all(&self, ids: &BTreeSet<EntityId>) -> bool {
        ids.iter().all(|id| self.places.contains_key(id.as_str()))
    }

    /// Whether nothing suggests that a row is missing. A list of one page cannot move.
    pub fn is_still(&self) -> bool {
        !self.broke_off && !self.moved && self.last_total.is_none_or(|total| self.read() >= total)
    }

    /// Whether a list that moves each time it is read may be believed: it only grew, and what was there at the start
    /// has come. What was added meanwhile is found by the next pass.
    pub fn only_grew(&self) -> bool {
        !self.broke_off && !self.shrank && self.first_total.is_none_or(|total| self.read() >= total)
    }

    /// Vouches for it. Only after one of the two above.
    pub fn into_whole(self) -> Whole<T> {
        let all = self.rows.len();
        let rows: Vec<T> = self.rows.into_iter().flatten().collect();
        let unreadable = all - rows.len();
        Whole::vouch(rows, unreadable)
    }

    /// The readable rows, of a list that need not be whole.
    pub fn into_rows(self) -> Vec<T> {
        self.rows.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Told = (Option<u64>, Option<u64>);

    const SILENT: Told = (None, None);

    /// Reads pages of four, each written as one letter a row, a capital one unreadable; the answer to "more?" of each.
    fn read(asked: u32, pages: &[(&str, Told)]) -> (String, Gathered<char>) {
        let mut gathered = Gathered::new(asked);
        let said = pages.iter().map(|(rows, (total, total_page))| {
            let rows = rows.chars().map(|c| (c.to_ascii_lowercase().to_string(), c.is_lowercase().then_some(c)));
            let page = Page { rows: rows.collect(), is_other: false, total: *total, total_page: *total_page };
            if gathered.take(page) == Next::More { '+' } else { '.' }
        });
        (said.collect(), gathered)
    }

    #[test]
    fn a_list_ends_where_its_pages_say() {
        let check = |pages: &[(&str, Told)], want: &str| assert_eq!(read(4, pages).0, want, "{pages:?}");
        let pages = |n| (None, Some(n));
        let total = |n| (Some(n), None);
        check(&[("abcd", pages(1))], ".");
        check(&[("abcd", pages(2)), ("efgh", pages(2))], "+.");
        check(&[("abcd", pages(3)), ("", pages(3))], "+.");
        check(&[("", pages(0))], ".");
        check(&[("abcd", SILENT), ("efgh", SILENT), ("i", SILENT)], "++.");
        check(&[("abcd", SILENT), ("", SILENT)], "+.");
        check(&[("abc", SILENT)], ".");
        check(&[("", SILENT)], ".");
        check(&[("abcd", SILENT), ("abcd", SILENT)], "+.");
        check(&[("abcd", total(6)), ("ef", total(6))], "+.");
        check(&[("abcd", total(4))], ".");
        // The server gives two at once, though four were asked for.
        check(&[("ab", total(5)), ("cd", total(5)), ("e", total(5))], "++.");
    }

    #[test]
    fn a_page_as_long_as_the_vendors_example_is_not_short() {
        let first = |n: usize| (0..n).map(|n| (n.to_string(), Some(n))).collect();
        let next = |asked, n| {
            Gathered::new(asked).take(Page { rows: first(n), is_other: false, total: None, total_page: None })
        };
        assert_eq!(next(1000, 200), Next::More);
        assert_eq!(next(1000, 199), Next::Done);
        assert_eq!(next(200, 199), Next::Done);
        assert_eq!(next(200, 200), Next::More);
    }

    #[test]
    fn a_list_is_whole_when_its_rows_reach_its_total() {
        let check = |pages: &[(&str, Told)], still, only_grew| {
            let (_, gathered) = read(4, pages);
            assert_eq!((gathered.is_still(), gathered.only_grew()), (still, only_grew), "{pages:?}");
        };
        let told = |total, pages| (Some(total), Some(pages));
        check(&[("abcd", told(4, 1))], true, true);
        check(&[("abCD", told(4, 1))], true, true);
        check(&[("abc", told(4, 1))], false, false);
        check(&[("aabc", told(4, 1))], false, false);
        check(&[("abcd", told(6, 2)), ("ef", told(6, 2))], true, true);
        // One was added at the top: the fourth stands on both pages.
        check(&[("abcd", told(6, 2)), ("def", told(7, 2))], false, true);
        // One was deleted: the fifth was skipped.
        check(&[("abcd", told(6, 2)), ("f", told(5, 2))], false, false);
        // One was added and another deleted: the total is the same, and still one is missing.
        check(&[("abcd", told(6, 2)), ("df", told(6, 2))], false, false);
        // The pages ended too early.
        check(&[("abcd", (None, Some(3))), ("abcd", (None, Some(3)))], false, false);
        check(&[("abcd", SILENT), ("ab", SILENT)], true, true);
        check(&[("", told(0, 0))], true, true);
    }

    #[test]
    fn the_last_reading_of_a_row_counts_and_unreadable_ones_are_counted() {
        let (_, gathered) = read(4, &[("abcD", SILENT), ("Ad", SILENT)]);
        let whole = gathered.into_whole();
        assert_eq!((whole.rows(), whole.unreadable()), (&['b', 'c', 'd'][..], 1));
    }

    #[test]
    fn a_server_that_always_has_one_more_is_left() {
        let mut gathered = Gathered::new(1);
        let mut n = 0;
        while gathered.take(Page {
            rows: vec![(n.to_string(), Some(n))],
            is_other: false,
            total: None,
            total_page: None,
        }) == Next::More
        {
            n += 1;
        }
        assert_eq!((n + 1, gathered.is_still()), (PAGE_CAP, false));
    }
}
