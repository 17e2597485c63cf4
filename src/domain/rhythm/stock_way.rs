//! Is the stock read in one answer or page by page?
//!
//! The API offers both. One answer costs one call and cannot move while it is read, but it is as large as the shop: it
//! must fit into memory and arrive within the timeout, and where it is cut off everything was in vain. Pages stay
//! small whatever the shop's size, and pay for it in calls.

use std::time::Duration;

use super::pace::Capacity;

/// `stock_list` in the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StockList {
    /// As [`stock_way`] decides.
    #[default]
    Auto,
    /// In one answer, always.
    Whole,
    /// By pages, always.
    Pages,
}

/// How the list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StockWay {
    /// In one answer.
    Whole,
    /// Page by page.
    Pages,
}

/// What the last good reading has shown of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockSize {
    /// How many rows.
    pub rows: u64,
    /// How long one is in the answer, on the average.
    pub row_bytes: u64,
}

/// What a page and an answer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Rows of a page.
    pub page_size: u32,
    /// The longest answer that is read, in bytes.
    pub body_limit: u64,
}

/// Up to here one answer is simply better: at some 600 bytes a row (guessed from a trimmed capture) it is 3 MB, which
/// is there in a second or two, and it saves up to 25 calls.
const EASY_ROWS: u64 = 5_000;

/// Up to here it is worth its size where calls are dear: some 12 MB, still well within the usual timeout of half a
/// minute on a shop's line, and it saves up to 100 calls.
const MOST_ROWS: u64 = 20_000;

/// An answer may fill so much of the body limit, one part in this many: rows grow, the shop grows, and beyond the limit
/// nothing can be read at all.
const BODY_PART: u64 = 4;

/// A quota of 30 calls a minute is generous enough to look at a list of unknown size page by page: 6,000 rows a minute
/// in pages of 200. Below it, a large shop's first reading could take an hour.
const GENEROUS: (u32, Duration) = (30, Duration::from_secs(60));

/// Which way the next pass over the stock takes.
///
/// `every` is the interval in the *file*: the effective one follows from what a pass costs, hence from this choice, and
/// the two would chase each other.
pub fn stock_way(
    setting: StockList,
    size: Option<StockSize>,
    bounds: Bounds,
    every: Duration,
    capacity: Capacity,
) -> StockWay {
    match (setting, size) {
        (StockList::Whole, _) => StockWay::Whole,
        (StockList::Pages, _) => StockWay::Pages,
        // So that the first answer is a small one: nobody knows yet what comes.
        (StockList::Auto, None) if capacity >= Capacity::of(&[GENEROUS]) => StockWay::Pages,
        (StockList::Auto, None) => StockWay::Whole,
        (StockList::Auto, Some(size)) => of_known_size(size, bounds, every, capacity),
    }
}

fn of_known_size(size: StockSize, bounds: Bounds, every: Duration, capacity: Capacity) -> StockWay {
    let fits = size.rows.saturating_mul(size.row_bytes.max(1)) <= bounds.body_limit / BODY_PART;
    let pages = size.rows.div_ceil(u64::from(bounds.page_size.max(1)));
    // Scarce: the pages would take more than half of all the calls that there are in one interval.
    let is_scarce = pages as f64 > capacity.calls_per_second() * every.as_secs_f64() / 2.0;
    let most = if is_scarce { MOST_ROWS } else { EASY_ROWS };
    if fits && size.rows <= most { StockWay::Whole } else { StockWay::Pages }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { page_size: 200, body_limit: 64 * 1024 * 1024 };

    fn calls_a_minute(calls: u32) -> Capacity {
        Capacity::of(&[(calls, Duration::from_secs(60))])
    }

    #[track_caller]
    fn check(rows: u64, row_bytes: u64, calls: u32, expected: StockWay) {
        let size = Some(StockSize { rows, row_bytes });
        let way = stock_way(StockList::Auto, size, BOUNDS, Duration::from_secs(120), calls_a_minute(calls));
        assert_eq!(way, expected, "{rows} rows of {row_bytes} bytes at {calls} calls a minute");
    }

    #[test]
    fn a_small_list_comes_in_one_answer_and_a_large_one_by_pages() {
        check(0, 0, 1800, StockWay::Whole);
        check(300, 600, 1800, StockWay::Whole);
        check(5_000, 600, 1800, StockWay::Whole);
        check(5_001, 600, 1800, StockWay::Pages);
        check(u64::MAX, u64::MAX, 1800, StockWay::Pages);
    }

    #[test]
    fn where_calls_are_dear_a_larger_list_comes_in_one_answer() {
        // 5,200 rows are 26 pages; at 30 a minute there are 54 calls in two minutes, half of them 27.
        check(5_200, 600, 30, StockWay::Pages);
        check(5_600, 600, 30, StockWay::Whole);
        check(20_000, 600, 30, StockWay::Whole);
        check(20_001, 600, 30, StockWay::Pages);
    }

    #[test]
    fn an_answer_that_could_outgrow_the_limit_is_not_asked_for() {
        check(5_000, 3_000, 1800, StockWay::Whole);
        check(5_000, 4_000, 1800, StockWay::Pages);
        check(20_000, 900, 1, StockWay::Pages);
    }

    #[test]
    fn a_list_of_unknown_size_is_begun_by_pages_where_calls_are_plenty() {
        let way = |calls| stock_way(StockList::Auto, None, BOUNDS, Duration::from_secs(120), calls_a_minute(calls));
        assert_eq!((way(30), way(29)), (StockWay::Pages, StockWay::Whole));
    }

    #[test]
    fn the_file_has_the_last_word() {
        for size in
            [None, Some(StockSize { rows: 10, row_bytes: 600 }), Some(StockSize { rows: 90_000, row_bytes: 600 })]
        {
            let way = |setting| stock_way(setting, size, BOUNDS, Duration::from_secs(120), calls_a_minute(60));
            assert_eq!((way(StockList::Whole), way(StockList::Pages)), (StockWay::Whole, StockWay::Pages));
        }
    }
}
