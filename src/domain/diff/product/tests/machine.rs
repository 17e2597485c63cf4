//! A second level machine, written from the contract's words alone, beside the real one.
//!
//! Random series of one product: fractions, less than nothing, no quantity at all, a figure of its own that changes, a
//! pass without it, a refresh by a sale, and thresholds of every shape. Both must tell the same at every step.

use rust_decimal::Decimal;

use super::*;

/// What stands in `[[threshold]]`.
#[derive(Debug, Clone)]
struct Limit {
    /// `None` is `low = "min_stock"`.
    low: Option<Quantity>,
    critical: Option<Quantity>,
    rearm: Option<Quantity>,
    passes: u32,
}

impl Limit {
    fn rules(&self) -> RuleSet {
        let threshold = Threshold {
            low: Some(self.low.map_or(Low::MinStock, Low::Below)),
            critical: self.critical,
            rearm: self.rearm,
            passes: self.passes,
            ..Threshold::default()
        };
        RuleSet { thresholds: vec![threshold], rules: Vec::new() }
    }
}

/// One reading of the product.
#[derive(Debug, Clone)]
struct Step {
    /// `None` is a row without a quantity.
    left: Option<Quantity>,
    min_stock: Option<Quantity>,
    /// By a refresh of it alone and not by a pass.
    by_refresh: bool,
}

fn any_quantity() -> impl Strategy<Value = Quantity> {
    prop::sample::select(vec!["-3.5", "-1", "0", "0.01", "1", "1.99", "2", "4.9", "5", "5.01", "7", "8", "9", "30"])
        .prop_map(quantity)
}

fn any_limit() -> impl Strategy<Value = Limit> {
    let figure = || prop::option::of(prop::sample::select(vec!["1.5", "2", "5", "8"]).prop_map(quantity));
    let parts = (figure(), figure(), figure(), 1u32..4);
    parts.prop_map(|(low, critical, rearm, passes)| Limit { low, critical, rearm, passes })
}

fn any_step() -> impl Strategy<Value = Step> {
    let min_stock = prop::option::of(prop::sample::select(vec!["0", "3", "6"]).prop_map(quantity));
    let parts = (prop::option::weighted(0.85, any_quantity()), min_stock, prop::bool::weighted(0.3));
    parts.prop_map(|(left, min_stock, by_refresh)| Step { left, min_stock, by_refresh })
}

/// The machine of the contract: "Stock levels are `ok`, `low`, `critical`, `out` (0 or less). Getting worse than the
/// worst level since the last recovery makes one event for the level reached; reaching `rearm` makes
/// `stock.recovered` and re-arms." Where several passes must agree, that many in a row must see it.
struct Machine {
    limit: Limit,
    min_stock: Option<Quantity>,
    left: Option<Quantity>,
    worst: usize,
    /// Levels that the latest passes saw, all of them worse than the worst.
    worse: Vec<usize>,
    recovered: u32,
}

const NAMES: [&str; 4] = ["stock.recovered", "stock.low", "stock.critical", "stock.out"];

impl Machine {
    /// The figures in force: none, where the threshold asks for the product's own and it has none.
    fn figures(&self) -> (Option<Quantity>, Option<Quantity>, Option<Quantity>, u32) {
        let own = self.min_stock.filter(|figure| *figure > Quantity::ZERO);
        let Some(low) = self.limit.low.or(own) else { return (None, None, None, 1) };
        let short = self.limit.critical.map_or(low, |critical| critical.max(low)).decimal();
        let raised = short + short.abs() * Decimal::new(25, 2);
        let raised = if short.fract().is_zero() { raised.ceil() } else { raised };
        let rearm = self.limit.rearm.map_or(raised, Quantity::decimal).max(short);
        (Some(low), self.limit.critical, Some(rearm.into()), self.limit.passes)
    }

    fn level(&self, left: Quantity) -> usize {
        let (low, critical, ..) = self.figures();
        let below = |figure: Option<Quantity>| figure.is_some_and(|figure| left < figure);
        match left {
            left if left <= Quantity::ZERO => 3,
            _ if below(critical) => 2,
            _ if below(low) => 1,
            _ => 0,
        }
    }

    fn read(&mut self, step: &Step) -> Vec<&'static str> {
        if !step.by_refresh {
            self.min_stock = step.min_stock.or(self.min_stock);
        }
        let Some(left) = step.left else { return Vec::new() };
        let Some(before) = self.left.replace(left) else {
            // A first quantity is taken as it is.
            (self.worst, self.worse, self.recovered) = (self.level(left), Vec::new(), 0);
            return Vec::new();
        };
        let mut told = Vec::new();
        if before != left {
            told.push("stock.changed");
        }
        let (.., rearm, passes) = self.figures();
        if step.by_refresh && passes > 1 {
            // It is no pass.
            return told;
        }
        let level = self.level(left);
        let is_recovered = self.worst > 0 && left > Quantity::ZERO && rearm.is_none_or(|rearm| left >= rearm);
        if level > self.worst {
            self.recovered = 0;
            self.worse.push(level);
            if self.worse.len() >= passes as usize {
                // All of them saw at least that.
                self.worst = self.worse.drain(..).min().unwrap_or(level);
                told.push(NAMES[self.worst]);
            }
        } else if is_recovered {
            self.worse.clear();
            self.recovered += 1;
            if self.recovered >= passes {
                (self.worst, self.recovered) = (0, 0);
                told.push(NAMES[0]);
            }
        } else {
            (self.worse, self.recovered) = (Vec::new(), 0);
        }
        told
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_series_is_told_as_the_contract_says(
        limit in any_limit(),
        first in (prop::option::weighted(0.8, any_quantity()), prop::option::of(any_quantity())),
        steps in prop::collection::vec(any_step(), 1..40),
    ) {
        let rules = limit.rules();
        let product = |left: Option<Quantity>, min_stock| {
            let mut read = row("a", "-");
            (read.product.quantity, read.min_stock) = (left, min_stock);
            read
        };
        let (left, min_stock) = first;
        let mut known = after(&Known::Nothing, &read(&Known::Nothing, &[product(left, min_stock)], &rules), None);
        let mut machine = Machine { limit, min_stock, left, worst: 0, worse: Vec::new(), recovered: 0 };
        machine.worst = left.map_or(0, |left| machine.level(left));
        for step in steps {
            let row = product(step.left, step.min_stock);
            let changes = match step.by_refresh {
                true => refresh(&known, row, &rules),
                false => read(&known, &[row], &rules),
            };
            let told: Vec<&str> = events(&changes).iter().map(|event| event.kind.name()).collect();
            prop_assert_eq!(told, machine.read(&step), "{:?}", step);
            known = after(&known, &changes, None);
            let quantity = known.row(&super::row("a", "-").product.id).and_then(|row| row.product.quantity);
            prop_assert_eq!(quantity, machine.left, "no quantity is not zero");
        }
    }
}
