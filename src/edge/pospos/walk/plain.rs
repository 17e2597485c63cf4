//! When is a list of pages of one length read to its end, and was it read whole?
//!
//! The way for a server that gives pages of its own length whatever `limit` says, and for pages so short that no two
//! can overlap. Here a row can be skipped, so the answer's own `total` is held against the rows, and a list that moved
//! is read once more from the start. Where such a list tells no `total`, a skipped row cannot be noticed; the caller
//! believes in a removal only when it sees it twice.

use std::collections::HashSet;

use super::{Answer, DOCUMENTED_SIZE, Key};

/// What is to be done after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Read on.
    More,
    /// The list is read, and nothing suggests that a row is missing.
    Whole,
    /// Rows are missing, and not for the first time.
    Lost,
}

/// The pages of one length, read one after the other.
#[derive(Debug)]
pub(super) struct Plain {
    asked: usize,
    /// The first reading is followed by at most one more.
    again: bool,
    keys: HashSet<Key>,
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

impl Plain {
    /// Nothing yet, of a list asked for in pages of `limit`.
    pub fn new(limit: u32) -> Self {
        Self {
            asked: usize::try_from(limit).unwrap_or(usize::MAX),
            again: false,
            keys: HashSet::new(),
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

    /// The page to read now.
    pub fn page(&self) -> u32 {
        self.pages + 1
    }

    /// How many different rows came in this reading.
    pub fn read(&self) -> u64 {
        self.keys.len() as u64
    }

    /// How many there should be, where that is known and not reached.
    pub fn missing_of(&self) -> Option<u64> {
        self.last_total.filter(|&total| self.read() < total)
    }

    /// Takes the next page.
    pub fn take(&mut self, answer: &Answer) -> Next {
        self.pages += 1;
        if self.pages == 1 {
            self.first_page = answer.keys.len();
        }
        self.note_total(answer.total);
        self.total_page = answer.total_page.or(self.total_page);
        let known = self.keys.len();
        self.keys.extend(&answer.keys);
        let is_last = self.keys.len() == known || self.is_last(answer.keys.len());
        if !is_last {
            return Next::More;
        }
        let all_there = self.last_total.is_some_and(|total| self.read() >= total);
        self.broke_off = !all_there && self.total_page.is_some_and(|pages| u64::from(self.pages) < pages);
        if self.is_still() || self.again && self.only_grew() {
            return Next::Whole;
        }
        if self.again {
            return Next::Lost;
        }
        let asked = u32::try_from(self.asked).unwrap_or(u32::MAX);
        *self = Self { again: true, ..Self::new(asked) };
        Next::More
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
    fn is_last(&self, length: usize) -> bool {
        // A full page, and more rows than the total says: the total is wrong, and so is the count of pages.
        if length >= self.first_page && self.last_total.is_some_and(|total| self.read() > total) {
            return false;
        }
        match (self.total_page, self.last_total) {
            // Whichever is reached first: a count of pages that is too large must not refuse a list that is all there.
            (Some(pages), total) => u64::from(self.pages) >= pages || total.is_some_and(|total| self.read() == total),
            // A count that is too low for a full page says nothing.
            (None, Some(total)) => self.read() == total || self.pages > 1 && length < self.first_page,
            (None, None) if self.pages == 1 => length < self.asked.min(DOCUMENTED_SIZE),
            (None, None) => length < self.first_page,
        }
    }

    /// Whether nothing suggests that a row is missing. A list of one page cannot move.
    fn is_still(&self) -> bool {
        !self.broke_off && !self.moved && self.last_total.is_none_or(|total| self.read() >= total)
    }

    /// Whether a list that moves each time it is read may be believed: it only grew, and what was there at the start
    /// has come. What was added meanwhile is found by the next pass.
    fn only_grew(&self) -> bool {
        !self.broke_off && !self.shrank && self.first_total.is_none_or(|total| self.read() >= total)
    }
}
