//! Which windows of a list are read, and when was every row seen that was there all the while?
//!
//! Lists move while one reads them: a sale made between two pages pushes the others down by one, and a deleted product
//! pulls them up, so that one is skipped. Both at once leave the answer's `total` as it was. A skipped row must never
//! look like a removed one. So pages do not lie side by side here: each window *overlaps* the one before by a row, and
//! two neighbours are *chained* when a row stands in both.
//!
//! # Why a chain misses nothing
//!
//! Let the order of any two rows never change while both are in the list (it is the order in which they were entered, as
//! far as the API was seen). Let a chain of windows begin with the first row, and let the last window reach the end of
//! the list by its own answer. Let `p` be a row that was in the list all the while, and suppose that no window shows it.
//!
//! A window shows neighbouring rows of the list as it was when the window was read. The first begins with the first row,
//! so `p` stood behind all of it. Now let `p` have stood behind all rows of one window, when that was read, and let `x`
//! stand in that window and in the next. Both times `x` and `p` were in the list, so `p` stood behind `x` the second time
//! too; and since the window holds `x` and not `p`, behind all of it. So `p` stood behind all rows of every window. But
//! behind the last there was nothing.
//!
//! Nowhere in this is it said in which order of time the windows were read, nor what was inserted or deleted between
//! them. So several may be under way at once, and a break is mended by reading one more in between, later than both.
//!
//! # What it costs, and what it does not prove
//!
//! One call in ten where a page has 200 rows, one in twenty-five where it has 1,000 (`window`), and one for each break. Rows that come and go meanwhile may or may not be
//! seen; a new one is the next pass's news. A list whose order changes (by the time of the last sale, say) breaks the
//! premise: there the answer's `total` is the second guard. The different rows must reach it, and where they do not, the
//! list is read once more from the top, as far as it takes. What then still falls short is refused.
//!
//! A server that gives pages of a length of its own cannot be asked for an overlap; it is found out by the second page
//! and read as well as can be (`plain`). One that ignores `page` is left when it has shown its first page three times.
//!
//! Pure bookkeeping: it is handed keys of rows and says what to ask for.

mod chain;
mod plain;
mod window;

#[cfg(test)]
mod moving;

pub(super) use window::Window;

use super::wire::{ByKey, Key};
use chain::{Chain, Settled};
use plain::{Next, Plain};

/// How many rows a list may have, by its own word or by what it had before. What says more is not believed.
const MOST_ROWS: u64 = 1_000_000;

/// How many calls a list should take of which nothing says how long it is: fifty thousand rows in pages of 200.
const UNKNOWN_LENGTH: u64 = 250;

/// How many calls more than three times what it should take a list may take: short ones that move are mended too.
const SPARE: u64 = 64;

/// The page size in the vendor's own example. A first page shorter than what was asked for, but not than this, may be
/// all that the server gives at once, and says nothing about the end of the list.
const DOCUMENTED_SIZE: usize = 200;

/// With shorter pages than these there is not everywhere a window that overlaps the one before and goes on.
const SHORTEST_TO_OVERLAP: u32 = 16;

/// How many windows are under way at once, where it is known that there are that many: a sweep over a large shop is
/// then as fast as its quota, and not as slow as the way to the server.
pub(super) const CONCURRENT: usize = 4;

/// Which of the windows that were asked for; a later one has a higher number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u32);

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask for this window, and hand its answer in with the ticket.
    Ask(Ticket, Window),
    /// Nothing, until the answer to one of those under way is there.
    Wait,
    /// The list is read to its end, and nothing suggests that a row is missing.
    Whole,
    /// Rows are missing.
    Lost,
}

/// What a window has shown.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The rows, in the API's order.
    pub keys: Vec<Key>,
    /// How many of them had not been seen before.
    pub new: usize,
    /// How many different rows have been seen until now.
    pub distinct: u64,
    /// How many rows the whole list has, where the answer says so.
    pub total: Option<u64>,
    /// How many pages the whole list has, where the answer says so.
    pub total_page: Option<u64>,
}

#[derive(Debug)]
enum Way {
    /// The first page is still to be read.
    First,
    /// All comes in one answer.
    Single,
    Overlapping(Chain),
    SideBySide(Plain),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Whole,
    Lost,
}

/// The reading of one list.
#[derive(Debug)]
pub(super) struct Walk {
    limit: u32,
    /// How many rows a page really has, as far as is known.
    rows_a_page: u32,
    width: usize,
    way: Way,
    state: State,
    calls: u32,
    under_way: u32,
    distinct: u64,
    /// The `total` of the latest call, and of which one that is.
    total: Option<(Ticket, u64)>,
    /// What the first page said of the whole.
    first: Option<(Option<u64>, Option<u64>)>,
    /// The row that stood at the top.
    top: Option<Key>,
    /// Windows in a row, not at the top, that had that row in them and no new one.
    stuck: u32,
    /// The chain was whole and the rows fell short of the total, so the top is read again.
    again: bool,
    /// How many rows the list had before.
    had: Option<u64>,
    /// It has taken more calls than any list of its length.
    endless: bool,
}

impl Walk {
    /// A walk with windows of at most `limit` rows, `width` of them at once.
    pub fn new(limit: u32, width: usize) -> Self {
        Self {
            limit,
            rows_a_page: limit,
            width: width.max(1),
            way: Way::First,
            state: State::Reading,
            calls: 0,
            under_way: 0,
            distinct: 0,
            total: None,
            first: None,
            top: None,
            stuck: 0,
            again: false,
            had: None,
            endless: false,
        }
    }

    /// So many rows the list had before, where that is known.
    pub fn expect(&mut self, rows: Option<u64>) {
        self.had = rows;
    }

    /// Whether it was given up because page after page brought other rows.
    pub fn is_endless(&self) -> bool {
        self.endless
    }

    /// A walk over a list that comes in one answer.
    pub fn single() -> Self {
        Self { way: Way::Single, ..Self::new(1, 1) }
    }

    /// What to do now.
    pub fn step(&mut self) -> Step {
        match self.state {
            _ if self.under_way > 0 && self.state != State::Reading => return Step::Wait,
            State::Whole => return Step::Whole,
            State::Lost => return Step::Lost,
            State::Reading => {}
        }
        let ticket = Ticket(self.calls);
        let total = self.total.map(|(_, total)| total);
        let width = if self.again { 1 } else { self.width };
        if u64::from(self.calls) >= self.should_take().saturating_mul(3) + SPARE {
            (self.state, self.endless) = (State::Lost, true);
            return self.step();
        }
        let window = match &mut self.way {
            Way::First | Way::Single | Way::SideBySide(_) if self.under_way > 0 => None,
            Way::First | Way::Single => Some(Window::first(self.limit)),
            Way::SideBySide(plain) => Some(Window { page: plain.page(), limit: self.limit }),
            Way::Overlapping(chain) => chain.next(ticket, total, width),
        };
        let Some(window) = window else { return Step::Wait };
        self.calls += 1;
        self.under_way += 1;
        Step::Ask(ticket, window)
    }

    /// Takes the answer to one that was asked for.
    pub fn take(&mut self, ticket: Ticket, answer: Answer) {
        self.under_way = self.under_way.saturating_sub(1);
        self.distinct = self.distinct.max(answer.distinct);
        if let Some(total) = answer.total.filter(|_| self.total.is_none_or(|(latest, _)| latest < ticket)) {
            self.total = Some((ticket, total));
        }
        if self.state != State::Reading {
            return;
        }
        match &mut self.way {
            Way::First => self.take_first(answer),
            Way::Single => self.state = if self.total_is_reached() { State::Whole } else { State::Lost },
            Way::SideBySide(plain) => {
                let next = plain.take(&answer);
                self.follow(next);
            }
            Way::Overlapping(_) => self.take_overlapping(ticket, answer),
        }
    }

    /// How many rows came and how many there should be, where that is known and more.
    pub fn shortfall(&self) -> (u64, Option<u64>) {
        match &self.way {
            Way::SideBySide(plain) => (plain.read(), plain.missing_of()),
            _ => (self.distinct, self.total.map(|(_, total)| total).filter(|&total| self.distinct < total)),
        }
    }

    /// How many calls a list of that length takes, by the first word of its length and by how many rows it had before.
    ///
    /// Not by what it says later: a list that grows as fast as it is read, or is entered and deleted faster than that,
    /// must not keep us for ever.
    pub fn should_take(&self) -> u64 {
        let pages_of = |rows: u64| (rows <= MOST_ROWS).then(|| rows.div_ceil(u64::from(self.rows_a_page.max(1))));
        // A total that is less than what has come, and stays so, says nothing.
        let is_wrong = |total: u64| self.distinct > total && self.total.is_none_or(|(_, last)| self.distinct > last);
        let told = self.first.and_then(|(total, pages)| match total {
            Some(total) if is_wrong(total) => None,
            Some(total) => pages_of(total),
            None => pages.filter(|&pages| pages_of(pages).is_some()),
        });
        let had = self.had.and_then(pages_of);
        // The overlap costs one call in ten.
        let calls = told.max(had).map(|pages| pages + pages.div_ceil(10) + 1);
        // Where nothing says how long the list is, the rows that were there before say nothing about how many came since.
        let is_silent = self.first.is_some_and(|first| first == (None, None));
        match calls {
            Some(calls) if is_silent => calls.max(UNKNOWN_LENGTH),
            calls => calls.unwrap_or(UNKNOWN_LENGTH),
        }
    }

    fn take_first(&mut self, answer: Answer) {
        self.first = Some((answer.total, answer.total_page));
        self.top = answer.keys.first().copied();
        let length = u32::try_from(answer.keys.len()).unwrap_or(u32::MAX);
        let is_all = match (answer.total, answer.total_page) {
            // Of a full page it may be the page that was counted, and a count of fewer rows than came is wrong.
            (Some(total), None) => u64::from(length) >= total && length < self.limit,
            (Some(total), Some(pages)) => {
                let is_full_and_all = pages <= 1 && u64::from(length) == total;
                is_full_and_all || u64::from(length) >= total && length < self.limit
            }
            (None, Some(pages)) => pages <= 1,
            (None, None) => answer.keys.len() < DOCUMENTED_SIZE.min(usize::try_from(self.limit).unwrap_or(usize::MAX)),
        };
        let overlap = length.min(self.limit);
        if is_all && self.total_is_reached() {
            self.state = State::Whole;
        } else if length > self.limit || overlap < SHORTEST_TO_OVERLAP {
            let mut plain = Plain::new(self.limit);
            let next = plain.take(&answer);
            self.way = Way::SideBySide(plain);
            // As many as the server likes to give, whatever was asked for.
            self.rows_a_page = length;
            self.follow(next);
        } else if is_all {
            // A row stands twice: only another look can say whether one is missing.
            self.read_again();
        } else {
            // Shorter than asked, though there is more: that is all the server gives at once.
            self.limit = overlap;
            self.rows_a_page = overlap;
            self.way = Way::Overlapping(Chain::begin(overlap, answer.keys));
        }
    }

    fn take_overlapping(&mut self, ticket: Ticket, answer: Answer) {
        let Way::Overlapping(chain) = &mut self.way else { return };
        let is_inside = chain.window(ticket).is_some_and(|window| window.page > 1);
        let has_top = self.top.is_some_and(|top| answer.keys.contains(&top));
        let is_stuck = is_inside && has_top && answer.new == 0;
        self.stuck = if is_stuck { self.stuck + 1 } else { 0 };
        let (total, total_page) = (answer.total, answer.total_page);
        let settled = chain.take(ticket, answer, is_stuck);
        match settled {
            Settled::OneLength(first, second) => self.take_one_length(first, second, (total, total_page)),
            Settled::Lost => self.state = State::Lost,
            _ if self.again && self.total_is_reached() => self.state = State::Whole,
            Settled::End if self.total_is_reached() => self.state = State::Whole,
            Settled::End => self.read_again(),
            Settled::Open if self.stuck >= 2 && !self.again => {
                // The server ignores `page`: what it gave is all there is, if it does not say itself that there is more.
                let more = total_page.is_some_and(|pages| pages > 1) && total.is_none();
                let whole = self.total_is_reached() && !more;
                self.state = if whole { State::Whole } else { State::Lost };
            }
            Settled::Open => {}
        }
    }

    fn total_is_reached(&self) -> bool {
        self.total.is_none_or(|(_, total)| self.distinct >= total)
    }

    /// The chain is whole and still rows are missing: most often some were entered at the top meanwhile.
    fn read_again(&mut self) {
        match self.again {
            true => self.state = State::Lost,
            false => {
                self.again = true;
                self.way = Way::Overlapping(Chain::again(self.limit));
            }
        }
    }

    fn take_one_length(&mut self, first: Vec<Key>, second: Vec<Key>, told: (Option<u64>, Option<u64>)) {
        let distinct = self.distinct;
        let page = |keys: Vec<Key>, (total, total_page)| Answer { new: keys.len(), keys, distinct, total, total_page };
        let mut plain = Plain::new(self.limit);
        let mut next = plain.take(&page(first, self.first.unwrap_or_default()));
        if next == Next::More {
            next = plain.take(&page(second, told));
        }
        self.way = Way::SideBySide(plain);
        self.follow(next);
    }

    fn follow(&mut self, next: Next) {
        match next {
            Next::More => {}
            Next::Whole => self.state = State::Whole,
            Next::Lost => self.state = State::Lost,
        }
    }
}
