//! Which page of which length shows the rows that are wanted?
//!
//! The API has no offset. It has `page` and `limit`, so a window can only begin at a multiple of its own length. To
//! overlap the one before by a row or two, its length is chosen for where it has to begin; that costs one call
//! in ten more than pages of one length for 200 rows a page, and one in twenty-five for 1,000.

/// A window of a list, in the API's own terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::edge::pospos) struct Window {
    /// The `page`, from 1.
    pub page: u32,
    /// The `limit`: how many rows a page has.
    pub limit: u32,
}

impl Window {
    /// The first `limit` rows.
    pub fn first(limit: u32) -> Self {
        Self { page: 1, limit }
    }

    /// How many rows stand before it.
    pub fn start(self) -> u64 {
        u64::from(self.page - 1) * u64::from(self.limit)
    }

    /// The place after its last row, where it is full.
    pub fn end(self) -> u64 {
        self.start() + u64::from(self.limit)
    }

    /// Of the windows that begin at `start` or earlier, with between half of `limit` and `limit` rows, the one that
    /// reaches furthest.
    pub fn furthest(start: u64, limit: u32) -> Self {
        let mut best = Self::first(limit);
        for rows in (limit.div_ceil(2).max(1)..=limit).rev() {
            if start + u64::from(rows) <= best.end() {
                break;
            }
            // Beyond what fits into a `page`, nothing can be asked for.
            let Ok(page) = u32::try_from(start / u64::from(rows) + 1) else { continue };
            let window = Self { page, limit: rows };
            if window.end() > best.end() {
                best = window;
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_furthest_of_all_windows_is_found() {
        for limit in [1_u32, 2, 3, 16, 25] {
            for start in (0..200).chain(1_000..1_020) {
                let all = (limit.div_ceil(2)..=limit).flat_map(|rows| (1..=1_100).map(move |page| (page, rows)));
                let all = all.map(|(page, limit)| Window { page, limit }).filter(|window| window.start() <= start);
                let want = all.map(Window::end).max().expect("the first one begins at 0");
                let got = Window::furthest(start, limit);
                assert!(got.start() <= start && got.limit <= limit && got.limit >= limit.div_ceil(2), "{got:?}");
                assert_eq!(got.end(), want, "{start} {limit}");
            }
        }
    }

    /// How many windows cover this many rows, each overlapping the one before.
    fn windows(total: u64, limit: u32) -> u64 {
        let (mut end, mut count) = (u64::from(limit), 1);
        while end < total {
            let next = Window::furthest(end - 1, limit);
            assert!(next.end() > end, "no way on from {end}");
            (end, count) = (next.end(), count + 1);
        }
        count
    }

    #[test]
    fn an_overlap_costs_few_calls() {
        assert_eq!(windows(200, 200), 1);
        assert_eq!(windows(201, 200), 2);
        assert_eq!([windows(20_000, 200), windows(100_000, 200)], [110, 548], "instead of 100 and 500");
        assert_eq!([windows(20_000, 1_000), windows(100_000, 1_000)], [21, 104], "instead of 20 and 100");
    }

    #[test]
    fn there_is_a_way_on_from_everywhere_for_pages_of_sixteen() {
        for end in 16..200_000 {
            assert!(Window::furthest(end - 1, 16).end() > end, "{end}");
        }
    }
}
