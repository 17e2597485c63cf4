//! A list that moves between every two pages, a thousand times over, and not one row that stayed is missed.

use std::collections::{BTreeSet, HashSet};

use super::*;

/// Numbers that look drawn, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % bound.max(1) as u64).expect("is below the bound")
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What the answer says of the whole list.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Tells {
    Total,
    Pages,
    Nothing,
    /// A total that is not so, and perhaps how many pages.
    Wrong(u64, Option<u64>),
}

/// A list, and whoever enters and deletes rows while it is read.
struct Moving {
    rows: Vec<u64>,
    next: u64,
    stayed: BTreeSet<u64>,
    dice: Dice,
    tells: Tells,
    /// The most rows that the server gives at once.
    cap: usize,
    /// New rows stand at the top.
    newest_first: bool,
    /// As many come as go, so that the total says nothing.
    balanced: bool,
    /// The most rows that move at once.
    most: usize,
}

impl Moving {
    fn of(seed: u64, limit: usize) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let length = dice.below(40 * limit) as u64;
        let cap = if dice.one_in(3) { limit.div_ceil(2).max(SHORTEST_TO_OVERLAP as usize) } else { 10 * limit };
        let tells = [Tells::Total, Tells::Pages, Tells::Nothing][dice.below(3)];
        Self {
            rows: (0..length).collect(),
            next: length,
            stayed: (0..length).collect(),
            tells,
            // Where the server says nothing, a short first page may as well be the end.
            cap: if tells == Tells::Nothing { 10 * limit } else { cap },
            newest_first: dice.one_in(2),
            balanced: dice.one_in(2),
            most: [1, 2, limit / 4, limit / 2][dice.below(4)],
            dice,
        }
    }

    fn moves(&mut self) {
        let gone = self.dice.below(self.most + 1).min(self.rows.len());
        for _ in 0..gone {
            let place = self.dice.below(self.rows.len());
            self.stayed.remove(&self.rows.remove(place));
        }
        let come = if self.balanced { gone } else { self.dice.below(self.most + 1) };
        for _ in 0..come {
            let place = if self.newest_first { 0 } else { self.rows.len() };
            self.rows.insert(place, self.next);
            self.next += 1;
        }
    }

    fn answer(&self, window: Window, seen: &mut HashSet<u64>) -> Answer {
        let limit = usize::try_from(window.limit).expect("is small").min(self.cap);
        let start = (usize::try_from(window.page).expect("is small") - 1) * limit;
        let rows: Vec<u64> = self.rows.iter().skip(start).take(limit).copied().collect();
        let known = seen.len();
        seen.extend(&rows);
        Answer {
            keys: rows.iter().map(|&row| Key::numbered(row)).collect(),
            new: seen.len() - known,
            distinct: seen.len() as u64,
            total: match self.tells {
                Tells::Total => Some(self.rows.len() as u64),
                Tells::Wrong(total, _) => Some(total),
                Tells::Pages | Tells::Nothing => None,
            },
            total_page: match self.tells {
                Tells::Pages => Some(self.rows.len().div_ceil(limit) as u64),
                Tells::Wrong(_, pages) => pages,
                Tells::Total | Tells::Nothing => None,
            },
        }
    }
}

/// Reads the list to its end; the rows that were seen, where the walk vouches for them, and the calls that it took.
fn read(list: &mut Moving, limit: u32) -> (Option<HashSet<u64>>, u32) {
    let mut walk = Walk::new(limit, CONCURRENT);
    let (mut seen, mut under_way, mut calls) = (HashSet::new(), Vec::new(), 0);
    loop {
        let step = walk.step();
        let can_wait = !under_way.is_empty();
        match step {
            Step::Whole => return (Some(seen), calls),
            Step::Lost => return (None, calls),
            Step::Wait => assert!(can_wait, "it waits for nothing"),
            Step::Ask(ticket, window) => {
                calls += 1;
                under_way.push((ticket, window));
                assert!(under_way.len() <= CONCURRENT + 1, "{under_way:?}");
            }
        }
        // Any of those under way is answered next, or one more is asked first.
        if step == Step::Wait || list.dice.one_in(2) {
            list.moves();
            let (ticket, window) = under_way.swap_remove(list.dice.below(under_way.len()));
            let answer = list.answer(window, &mut seen);
            walk.take(ticket, answer);
        }
    }
}

#[test]
fn no_row_that_was_there_all_the_while_is_missed_in_a_thousand_seeds() {
    let mut lost = 0;
    for seed in 0..1_000 {
        let limit = [16, 20, 33, 50][seed as usize % 4];
        let mut list = Moving::of(seed, limit as usize);
        let (seen, _) = read(&mut list, limit);
        match seen {
            None => {
                assert!(list.most > 2, "seed {seed} was given up");
                lost += 1;
            }
            Some(seen) => {
                let missed: Vec<u64> = list.stayed.iter().copied().filter(|row| !seen.contains(row)).collect();
                assert!(missed.is_empty(), "seed {seed}: {missed:?} of {:?}", list.rows.len());
            }
        }
    }
    // A list of which half a page goes between any two calls may be given up; a calmer one may not.
    assert!(lost <= 60, "{lost} of 1000 were given up");
}

#[test]
fn a_list_at_rest_is_read_with_few_calls_more_than_pages() {
    for (length, limit) in [(0, 50), (1, 50), (50, 50), (51, 50), (1_000, 50), (20_000, 200), (20_000, 1_000)] {
        for tells in [Tells::Total, Tells::Pages, Tells::Nothing] {
            let mut list = Moving::of(7, limit);
            list.rows = (0..length as u64).collect();
            (list.most, list.tells, list.cap) = (0, tells, limit);
            let (seen, calls) = read(&mut list, u32::try_from(limit).expect("is small"));
            assert_eq!(seen.map(|seen| seen.len()), Some(length), "{length} {tells:?}");
            let pages = length.div_ceil(limit) + 2;
            assert!(calls as usize * 100 <= pages * 122, "{length} in {limit} {tells:?}: {calls}");
        }
    }
}

/// How many calls it takes to give up a list that has so many rows on each page, the same and a new one.
fn endless(had: Option<u64>, rows: u64, tells: impl Fn(u64) -> (Option<u64>, Option<u64>)) -> u32 {
    let mut walk = Walk::new(200, CONCURRENT);
    walk.expect(had);
    let (mut distinct, mut calls, mut under_way) = (0, 0, Vec::new());
    loop {
        match walk.step() {
            Step::Ask(ticket, _) => under_way.push(ticket),
            Step::Wait => {
                calls += 1;
                let new = if calls == 1 { rows } else { 1 };
                distinct += new;
                let same = (1..rows).map(|row| u64::MAX - row);
                let keys = same.chain([distinct]).map(Key::numbered).collect();
                let (total, total_page) = tells(distinct);
                let new = usize::try_from(new).expect("is small");
                walk.take(under_way.remove(0), Answer { keys, new, distinct, total, total_page });
            }
            Step::Whole => panic!("it has no end"),
            Step::Lost => return calls,
        }
    }
}

#[test]
fn a_list_without_an_end_is_given_up_after_three_times_what_it_should_take() {
    let most = |should: u64| u32::try_from(3 * should + SPARE).expect("is small");
    for rows in [1, 40, 200] {
        let should = |all: u64| all.div_ceil(rows) + all.div_ceil(rows).div_ceil(10) + 1;
        let lying = endless(None, rows, |_| (Some(u64::MAX), None));
        assert!(lying <= most(UNKNOWN_LENGTH), "{rows} rows a page: {lying} calls");
        println!("{rows} rows a page, total 2^64-1: given up after {lying} calls");
        assert!(endless(None, rows, |_| (None, Some(u64::MAX))) <= most(UNKNOWN_LENGTH), "{rows}");
        assert!(endless(Some(300), rows, |_| (Some(u64::MAX), None)) <= most(should(300)), "{rows}");
        // It grows as fast as it is read.
        let growing = endless(None, rows, |distinct| (Some(distinct + 1_000), None));
        assert!(growing <= most(should(rows + 1_000)), "{rows} rows a page: {growing} calls");
    }
    // Where nothing says how long it is, a short page would be the end.
    assert!(endless(None, 200, |_| (None, None)) <= most(UNKNOWN_LENGTH));
}

#[test]
fn a_wrong_total_hides_no_row_and_costs_few_calls() {
    let limit = 200;
    for (length, total, pages) in [
        (73_u64, 74_u64, None),
        (1_000, 1_001, None),
        (20_000, 20_001, None),
        (1_000, 1_000_000, None),
        (1_000, u64::MAX, None),
        (1_000, 1_000, Some(9)),
        (1_000, 900, None),
        (1_000, 200, Some(5)),
        (1_000, 200, None),
        (1_000, 0, None),
        (150, 200, None),
    ] {
        let mut list = Moving::of(7, limit);
        list.rows = (0..length).collect();
        (list.most, list.tells, list.cap) = (0, Tells::Wrong(total, pages), limit);
        let (seen, calls) = read(&mut list, u32::try_from(limit).expect("is small"));
        assert_eq!(seen.is_some(), total <= length, "{length} of {total}");
        assert!(seen.is_none_or(|seen| seen.len() as u64 == length), "{length} of {total}");
        // What contradicts itself is read twice.
        let most = 2 * (length.div_ceil(limit as u64) * 11 / 10 + 4);
        assert!(u64::from(calls) <= most, "{length} of {total}: {calls}");
    }
}
