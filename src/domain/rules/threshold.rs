//! What "low" means for a product: the first `[[threshold]]` that matches it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::domain::model::{Product, Quantity, ShopId, StockRow};

/// One `[[threshold]]`. Every condition that is given must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Threshold {
    /// Only these shops; empty means all.
    pub shops: Vec<ShopId>,
    /// Only these product codes, each with any number of `*`; empty means all.
    pub products: Vec<String>,
    /// Only this category.
    pub category: Option<String>,
    /// The figures of single products by their codes, instead of those below; a threshold that has them is about no
    /// other product.
    pub by_code: Option<BTreeMap<String, Figures>>,
    /// Below which figure a product is low.
    pub low: Option<Low>,
    /// Below which figure it is critical.
    pub critical: Option<Quantity>,
    /// From which figure on it counts as recovered, never below `low` and `critical`; by default a quarter above them.
    pub rearm: Option<Quantity>,
    /// How many passes in a row must agree; 1 by default.
    pub passes: u32,
}

/// One product's line in a table of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Below this it is low.
    pub low: Option<Quantity>,
    /// Below this it is critical.
    pub critical: Option<Quantity>,
    /// From this on it is recovered.
    pub rearm: Option<Quantity>,
}

/// The figure of `low`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Low {
    /// The same for every product that matches.
    Below(Quantity),
    /// The product's own figure in POSPOS; a threshold does not match a product that has none.
    MinStock,
}

/// A threshold with its figures worked out for one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Below this it is low.
    pub low: Option<Quantity>,
    /// Below this it is critical.
    pub critical: Option<Quantity>,
    /// From this on it is recovered; `None` means anything above zero.
    pub rearm: Option<Quantity>,
    /// How many passes in a row must agree.
    pub passes: u32,
}

impl Limits {
    /// The limits of a product that no threshold names: it can only run out.
    pub const NONE: Limits = Limits { low: None, critical: None, rearm: None, passes: 1 };
}

impl Threshold {
    /// The limits for this row, if the threshold is about it.
    pub fn limits(&self, shop: &ShopId, row: &StockRow) -> Option<Limits> {
        let Product { code, category, .. } = &row.product;
        let about_shop = self.shops.is_empty() || self.shops.contains(shop);
        let about_code = self.products.is_empty()
            || code.as_deref().is_some_and(|code| self.products.iter().any(|pattern| wildcard(pattern, code)));
        let about_category = self.category.is_none() || self.category == *category;
        if !(about_shop && about_code && about_category) {
            return None;
        }
        if let Some(by_code) = &self.by_code {
            let Figures { low, critical, rearm } = *by_code.get(code.as_deref()?)?;
            return Some(self.limits_of(low, critical, rearm));
        }
        let low = match self.low {
            Some(Low::Below(figure)) => Some(figure),
            // Zero is how POSPOS says that nobody has entered a figure.
            Some(Low::MinStock) => Some(row.min_stock.filter(|figure| *figure > Quantity::ZERO)?),
            None => None,
        };
        Some(self.limits_of(low, self.critical, self.rearm))
    }

    fn limits_of(&self, low: Option<Quantity>, critical: Option<Quantity>, rearm: Option<Quantity>) -> Limits {
        // Never below what makes it short: a product between the two would be short and recovered in turns, once in every
        // pass. Only here is the figure of `min_stock` known.
        let short = low.max(critical);
        let rearm = rearm.or(short.map(default_rearm)).max(short);
        Limits { low, critical, rearm, passes: self.passes.max(1) }
    }
}

/// From which figure on a product that is short below `figure` has recovered, unless the threshold says otherwise: a
/// quarter above it, rounded up where it is whole.
///
/// At `figure` itself a shelf from which one piece is sold and to which one is put back would be short and recovered
/// in turns.
fn default_rearm(figure: Quantity) -> Quantity {
    let figure = figure.decimal();
    let Some(raised) = (figure.abs() / Decimal::from(4)).checked_add(figure) else { return figure.into() };
    let raised = if figure.is_integer() { raised.ceil() } else { raised };
    raised.normalize().into()
}

/// Whether `text` is what `pattern` says, where `*` stands for any run of characters.
pub(super) fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::diff::level::LevelState;
    use crate::domain::event::Level;
    use crate::domain::rules::RuleSet;
    use crate::domain::test_shop::{quantity, row, shop, some};

    /// `"low critical rearm"`, with `-` for none and `min` for the product's own figure.
    fn threshold(text: &str) -> Threshold {
        let mut words = text.split(' ');
        let low = words.next().and_then(|low| match low {
            "-" => None,
            "min" => Some(Low::MinStock),
            figure => Some(Low::Below(quantity(figure))),
        });
        let mut figure = || words.next().and_then(|word| word.parse().ok());
        Threshold { low, critical: figure(), rearm: figure(), passes: 1, ..Threshold::default() }
    }

    fn with_minimum(least: Option<i64>) -> StockRow {
        StockRow { min_stock: least.map(Quantity::from), ..row("a", "9") }
    }

    /// The limits of a product with that minimum: `"low critical rearm"`.
    #[track_caller]
    fn check(thresholds: &[&str], least: Option<i64>, want: &str) {
        let rules = RuleSet { thresholds: thresholds.iter().map(|text| threshold(text)).collect(), rules: Vec::new() };
        let limits = rules.limits(&shop(), &with_minimum(least));
        let text = |figure: Option<Quantity>| figure.map_or_else(|| "-".to_owned(), |figure| figure.to_string());
        let limits = [limits.low, limits.critical, limits.rearm].map(text).join(" ");
        assert_eq!(limits, want, "{thresholds:?}, minimum {least:?}");
    }

    #[test]
    fn a_product_recovers_at_its_rearm_or_a_quarter_above_what_is_low() {
        check(&["24 6 36"], None, "24 6 36");
        for (threshold, want) in [
            ("24 6 -", "24 6 30"),
            ("5 - -", "5 - 7"),
            ("1 - -", "1 - 2"),
            ("0 - -", "0 - 0"),
            ("-3 - -", "-3 - -2"),
            ("1.5 - -", "1.5 - 1.875"),
            ("2.0 - -", "2.0 - 3"),
            ("- 6 -", "- 6 8"),
            ("9999999999999999999999999999 - -", "9999999999999999999999999999 - 12499999999999999999999999999"),
        ] {
            check(&[threshold], None, want);
        }
        check(&["min - -"], Some(12), "12 - 15");
        check(&[], None, "- - -");
    }

    #[test]
    fn a_quantity_that_swings_around_low_is_told_once() {
        let limits = threshold("5 - -").limits(&shop(), &row("a", "5")).unwrap_or(Limits::NONE);
        let mut state = LevelState::first(Some(5.into()), &limits);
        let mut told = Vec::new();
        for left in [4, 5, 4, 5, 4, 5, 6, 7, 4] {
            let (next, view) = state.step(Quantity::from(left), &limits);
            state = next;
            told.extend(view.map(|view| (left, view.level)));
        }
        assert_eq!(told, [(4, Level::Low), (7, Level::Ok), (4, Level::Low)]);
    }

    #[test]
    fn no_product_is_short_and_recovered_at_once() {
        check(&["min - 5"], Some(24), "24 - 24");
        check(&["min - 30"], Some(24), "24 - 30");
        check(&["min 6 -"], Some(3), "3 6 8");
        check(&["- 6 3"], None, "- 6 6");
    }

    #[test]
    fn the_first_threshold_that_matches_counts() {
        check(&["24 - -", "5 - -"], None, "24 - 30");
        check(&["5 - -", "24 - -"], None, "5 - 7");
    }

    #[test]
    fn a_product_without_a_minimum_of_its_own_goes_on_to_the_next_threshold() {
        check(&["min - -", "5 - -"], Some(12), "12 - 15");
        check(&["min - -", "5 - -"], None, "5 - 7");
        check(&["min - -"], None, "- - -");
    }

    #[test]
    fn every_condition_that_is_given_must_match() {
        let shops = |id: &str| Threshold { shops: vec![ShopId::new(id).unwrap()], ..threshold("5 - -") };
        let products = |codes: &[&str]| {
            let products = codes.iter().map(|&code| code.to_owned()).collect();
            Threshold { products, ..threshold("5 - -") }
        };
        let category = |name: &str| Threshold { category: some(name), ..threshold("5 - -") };
        for (threshold, matches) in [
            (threshold("5 - -"), true),
            (shops("main"), true),
            (shops("second"), false),
            (products(&["PK64000158"]), true),
            (products(&["PK65*", "PK64*"]), true),
            (products(&["PK65*"]), false),
            (category("ของแห้ง"), true),
            (category("เครื่องดื่ม"), false),
            (Threshold { category: some("เครื่องดื่ม"), ..products(&["PK64*"]) }, false),
            (Threshold { category: some("ของแห้ง"), ..shops("main") }, true),
        ] {
            assert_eq!(threshold.limits(&shop(), &row("a", "9")).is_some(), matches, "{threshold:?}");
        }
    }

    #[test]
    fn a_product_without_code_or_category_matches_only_what_asks_for_neither() {
        let mut bare = row("a", "9");
        (bare.product.code, bare.product.category) = (None, None);
        for (threshold, matches) in [
            (threshold("5 - -"), true),
            (Threshold { products: vec!["*".to_owned()], ..threshold("5 - -") }, false),
            (Threshold { category: some("ของแห้ง"), ..threshold("5 - -") }, false),
        ] {
            assert_eq!(threshold.limits(&shop(), &bare).is_some(), matches, "{threshold:?}");
        }
    }

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, text, matches) in [
            ("PK65*", "PK65000001", true),
            ("PK65*", "PK64000001", false),
            ("PK64000158", "PK64000158", true),
            ("PK64000158", "PK640001589", false),
            ("*58", "PK64000158", true),
            ("PK*01*58", "PK64000158", true),
            ("PK*02*58", "PK64000158", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("ข้าว*", "ข้าวสาร", true),
            ("*ข้าว", "ข้าวสาร", false),
        ] {
            assert_eq!(wildcard(pattern, text), matches, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_minimum_of_zero_is_none() {
        let threshold = Threshold { low: Some(Low::MinStock), passes: 1, ..Threshold::default() };
        let low = |min| threshold.limits(&shop(), &with_minimum(min)).and_then(|limits| limits.low);
        assert_eq!([low(None), low(Some(0)), low(Some(-1)), low(Some(3))], [None, None, None, Some(3.into())]);
    }

    proptest! {
        #[test]
        fn a_quantity_that_stands_still_is_told_once_under_any_threshold(
            (min, low) in (0i64..12, prop::option::of(-2i64..12)),
            (critical, rearm) in (prop::option::of(-2i64..12), prop::option::of(-2i64..12)),
            series in prop::collection::vec(-2i64..14, 1..20),
        ) {
            let low = low.map_or(Low::MinStock, |low| Low::Below(low.into()));
            let (critical, rearm) = (critical.map(Quantity::from), rearm.map(Quantity::from));
            let threshold = Threshold { low: Some(low), critical, rearm, passes: 1, ..Threshold::default() };
            let limits = threshold.limits(&shop(), &with_minimum(Some(min))).unwrap_or(Limits::NONE);
            let mut state = LevelState::first(None, &limits);
            for left in series {
                state = state.step(left.into(), &limits).0;
                let (after, told) = state.step(left.into(), &limits);
                prop_assert_eq!((&after, told), (&state, None));
            }
        }
    }
}
