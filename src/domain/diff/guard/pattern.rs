//! Do the figures of many products move as no shop moves them?
//!
//! One product may well have ten times what it had, or what its neighbour had: only many that do the same are odd. Two
//! patterns are looked for, each a mistake that servers make with whole lists: figures in another unit (everything ten,
//! a hundred or a thousand times as large or small), and a column that has slipped by a row. A shelf-filler makes
//! neither: so that a delivery which fills all shelves from 10 to 100, or one that brings one piece of each to shelves
//! with 1, 2, 3, 4 … pieces, is none of them, what is multiplied must have been different, and what has slipped must
//! have moved by different steps.

use rust_decimal::Decimal;

use super::census::{EXAMPLES, Example};
use super::suspicion::Suspicion;
use crate::domain::model::{Product, Quantity};

/// How many different figures or steps make a pattern.
const DIFFERENT: usize = 3;

/// Of the quantities that move, so many hundredths must have slipped, but for the one at the end of the list.
const SLIPPED_PERCENT: u64 = 80;

/// Ten to the power of this is the largest factor that is looked for.
const LARGEST_POWER: u32 = 3;

/// Products that do the same.
#[derive(Debug, Default)]
struct Group {
    /// How many.
    rows: u64,
    /// How many of them are not suspected of anything else.
    alone: u64,
    /// The first few different figures or steps.
    different: Vec<Decimal>,
    examples: Vec<Example>,
}

impl Group {
    fn add(&mut self, figure: Decimal, is_alone: bool, example: impl FnOnce() -> Example) {
        self.rows += 1;
        self.alone += u64::from(is_alone);
        if self.different.len() < DIFFERENT && !self.different.contains(&figure) {
            self.different.push(figure);
        }
        if self.examples.len() < EXAMPLES {
            self.examples.push(example());
        }
    }

    fn is_pattern(&self) -> bool {
        self.different.len() >= DIFFERENT
    }
}

/// The product before in the list.
#[derive(Debug)]
struct Before {
    was: Quantity,
    is: Quantity,
    is_alone: bool,
}

/// What the products seen so far do alike.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// How many quantities have moved.
    moved: u64,
    /// Of each power of ten, up and down, the quantities and the prices.
    scaled: [Group; 4 * LARGEST_POWER as usize],
    /// Those with the quantity of the row before, and those with that of the row after.
    slipped: [Group; 2],
    before: Option<Before>,
}

impl Patterns {
    /// A known product, in the order of the list; `is_alone` where it is not suspected of anything else.
    pub(super) fn product(&mut self, prev: &Product, next: &Product, is_alone: bool) {
        let example = || Example::of(Suspicion::Implausible, prev, Some(next));
        let quantities = prev.quantity.zip(next.quantity);
        let figures = [
            quantities.map(|(was, is)| (was.decimal(), is.decimal())),
            prev.price.zip(next.price).map(|(was, is)| (was.decimal(), is.decimal())),
        ];
        for (kind, figure) in figures.into_iter().enumerate() {
            let Some((was, is)) = figure else { continue };
            if let Some(power) = power_between(was, is) {
                let place = kind * 2 * LARGEST_POWER as usize + power;
                self.scaled[place].add(was, is_alone, example);
                // One that is in two groups would count twice.
                break;
            }
        }
        self.slip(quantities, is_alone, example);
    }

    fn slip(&mut self, quantities: Option<(Quantity, Quantity)>, is_alone: bool, example: impl Fn() -> Example) {
        let Some((was, is)) = quantities else {
            self.before = None;
            return;
        };
        self.moved += u64::from(was != is);
        let before = self.before.replace(Before { was, is, is_alone });
        let Some(before) = before else { return };
        let [from_before, from_after] = &mut self.slipped;
        if was != is && is == before.was {
            from_before.add(step(was, is), is_alone, &example);
        }
        if before.was != before.is && before.is == was {
            from_after.add(step(before.was, before.is), before.is_alone, &example);
        }
    }

    /// How many rows follow a pattern and are not suspected of anything else, and some of them.
    pub(super) fn found(self) -> (u64, Vec<Example>) {
        let moved = self.moved;
        let has_slipped = |group: &Group| (group.rows + 1) * 100 >= moved * SLIPPED_PERCENT;
        let slipped = self.slipped.into_iter().filter(|group| group.is_pattern() && has_slipped(group));
        let scaled = self.scaled.into_iter().filter(Group::is_pattern);
        let (mut rows, mut examples) = (0, Vec::new());
        for group in scaled {
            rows += group.alone;
            examples.extend(group.examples);
        }
        // A list that slipped and is scaled counts once, as what it does most.
        match slipped.max_by_key(|group| group.alone).filter(|group| group.alone > rows) {
            Some(group) => (group.alone, group.examples),
            None => (rows, examples),
        }
    }
}

fn step(was: Quantity, is: Quantity) -> Decimal {
    is.decimal().checked_sub(was.decimal()).unwrap_or_default()
}

/// Which power of ten lies between two figures: 0 to 2 for ten, a hundred and a thousand times as much, 3 to 5 for as
/// many times less.
fn power_between(was: Decimal, is: Decimal) -> Option<usize> {
    if was.is_zero() || is.is_zero() || was == is || was.is_sign_negative() != is.is_sign_negative() {
        return None;
    }
    let (small, large, place) = if was.abs() < is.abs() { (was, is, 0) } else { (is, was, LARGEST_POWER as usize) };
    let mut times = small;
    for power in 0..LARGEST_POWER as usize {
        times = times.checked_mul(Decimal::TEN)?;
        if times == large {
            return Some(place + power);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::test_shop::row;

    /// How many of these products, with what was and what is left of each, follow a pattern.
    fn odd(quantities: &[(&str, &str)]) -> u64 {
        let mut patterns = Patterns::default();
        for (was, is) in quantities {
            patterns.product(&row("a", was).product, &row("a", is).product, true);
        }
        patterns.found().0
    }

    #[test]
    fn a_power_of_ten_is_found_in_both_directions() {
        for (was, is, want) in [
            ("9", "90", Some(0)),
            ("1.5", "150", Some(1)),
            ("-2", "-2000", Some(2)),
            ("90", "9", Some(3)),
            ("0.001", "1", Some(2)),
            ("1", "0.001", Some(5)),
            ("9", "9", None),
            ("0", "0", None),
            ("9", "-90", None),
            ("9", "99", None),
            ("1", "10000", None),
            ("9999999999999999999999999999", "1", None),
        ] {
            assert_eq!(power_between(was.parse().unwrap(), is.parse().unwrap()), want, "{was} {is}");
        }
    }

    #[test]
    fn another_unit_is_odd_and_a_delivery_is_not() {
        assert_eq!(odd(&[("9", "9000"), ("12", "12000"), ("3.5", "3500"), ("8", "8")]), 3);
        assert_eq!(odd(&[("10", "100"), ("10", "100"), ("20", "200"), ("10", "100")]), 0, "two figures are chance");
        assert_eq!(odd(&[("9", "10"), ("12", "24"), ("3", "50"), ("8", "108")]), 0);
    }

    #[test]
    fn a_column_that_slipped_is_odd_in_both_directions() {
        assert_eq!(odd(&[("9", "12"), ("12", "3"), ("3", "40"), ("40", "9")]), 3);
        assert_eq!(odd(&[("9", "40"), ("12", "9"), ("3", "12"), ("40", "3")]), 3);
    }

    #[test]
    fn one_piece_more_on_each_shelf_has_not_slipped() {
        assert_eq!(odd(&[("1", "2"), ("2", "3"), ("3", "4"), ("4", "5"), ("5", "6")]), 0);
        assert_eq!(odd(&[("5", "4"), ("4", "3"), ("3", "2"), ("2", "1")]), 0);
    }

    #[test]
    fn a_busy_day_of_a_shop_with_small_figures_has_not_slipped() {
        let day = [("3", "2"), ("2", "5"), ("1", "4"), ("4", "1"), ("2", "0"), ("3", "8"), ("1", "3"), ("5", "2")];
        assert_eq!(odd(&day), 0);
    }
}
