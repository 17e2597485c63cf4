//! Which stock events a perfect reader would make: the contract's level machine, written a second time.
//!
//! It is written independently of the product's own one on purpose. A mistake that both shared could not be found by
//! comparing them, so nothing but the names of the levels is taken from there.

use rust_decimal::Decimal;

use crate::domain::event::{EventKind, Level};
use crate::domain::model::Quantity;

/// What counts as low in the whole simulated shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Threshold {
    /// Low below this.
    pub low: Option<Quantity>,
    /// Critical below this.
    pub critical: Option<Quantity>,
    /// Recovered at this or more. Without it a quarter above `low`, and without that anything above zero.
    pub rearm: Option<Quantity>,
}

impl Threshold {
    /// The level of a quantity, whatever was before.
    pub fn level(&self, quantity: Quantity) -> Level {
        if quantity <= Quantity::ZERO {
            Level::Out
        } else if self.critical.is_some_and(|critical| quantity < critical) {
            Level::Critical
        } else if self.low.is_some_and(|low| quantity < low) {
            Level::Low
        } else {
            Level::Ok
        }
    }

    /// From which quantity on a product counts as recovered; `None` means anything above zero.
    pub(super) fn rearms_at(&self) -> Option<Quantity> {
        let quarter_above = |figure: Quantity| {
            let raised = figure.decimal() * Decimal::new(125, 2);
            if figure.decimal().is_integer() { raised.ceil().into() } else { raised.into() }
        };
        self.rearm.or_else(|| self.low.or(self.critical).map(quarter_above))
    }

    /// Whether a product with that quantity counts as recovered.
    fn recovers(&self, quantity: Quantity) -> bool {
        match self.rearms_at() {
            Some(rearm) => quantity >= rearm,
            None => quantity > Quantity::ZERO,
        }
    }

    /// Whether a reader that first looks at `quantity` would still make the event `kind` of it.
    pub(super) fn still_shows(&self, kind: EventKind, quantity: Quantity) -> bool {
        match kind {
            EventKind::StockRecovered => self.recovers(quantity),
            EventKind::StockLow => self.level(quantity) == Level::Low,
            EventKind::StockCritical => self.level(quantity) == Level::Critical,
            EventKind::StockOut => self.level(quantity) == Level::Out,
            _ => true,
        }
    }
}

/// The kinds that this machine makes.
pub(super) const LEVEL_KINDS: [EventKind; 4] =
    [EventKind::StockLow, EventKind::StockCritical, EventKind::StockOut, EventKind::StockRecovered];

/// What is remembered of one product: the worst level since it last recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Watch {
    worst: Level,
}

impl Watch {
    /// A product that was found at this quantity; finding it makes no event.
    pub(super) fn starting_at(quantity: Quantity, threshold: &Threshold) -> Self {
        Self { worst: threshold.level(quantity) }
    }

    /// Whether it fell short and has not recovered since.
    pub(super) fn is_short(self) -> bool {
        self.worst != Level::Ok
    }

    /// Takes note of a new quantity and says which event it makes.
    pub(super) fn observe(&mut self, quantity: Quantity, threshold: &Threshold) -> Option<EventKind> {
        let level = threshold.level(quantity);
        if level > self.worst {
            self.worst = level;
            return match level {
                Level::Ok => None,
                Level::Low => Some(EventKind::StockLow),
                Level::Critical => Some(EventKind::StockCritical),
                Level::Out => Some(EventKind::StockOut),
            };
        }
        if self.worst != Level::Ok && threshold.recovers(quantity) {
            self.worst = Level::Ok;
            return Some(EventKind::StockRecovered);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use EventKind::{StockCritical, StockLow, StockOut, StockRecovered};

    fn threshold(low: i64, critical: Option<i64>, rearm: i64) -> Threshold {
        Threshold { low: Some(low.into()), critical: critical.map(Quantity::from), rearm: Some(rearm.into()) }
    }

    fn check(threshold: Threshold, series: &[i64], expected: &[EventKind]) {
        let mut watch = Watch::starting_at(series[0].into(), &threshold);
        let made: Vec<EventKind> =
            series[1..].iter().filter_map(|quantity| watch.observe((*quantity).into(), &threshold)).collect();
        assert_eq!(made, expected, "{series:?}");
    }

    #[test]
    fn each_shortage_is_told_once_and_rearms_on_recovery() {
        check(threshold(5, None, 8), &[6, 5, 4, 6, 5, 9, 4], &[StockLow, StockRecovered, StockLow]);
        check(threshold(5, Some(2), 8), &[6, 4, 1, 0], &[StockLow, StockCritical, StockOut]);
        check(threshold(5, Some(2), 8), &[6, 0, 1, 4, 7, 8], &[StockOut, StockRecovered]);
        check(threshold(5, None, 5), &[4, 3, 5, 4], &[StockRecovered, StockLow]);
        check(Threshold::default(), &[3, 0, -2, 1, 0], &[StockOut, StockRecovered, StockOut]);
    }

    #[test]
    fn a_recovered_product_that_sinks_below_rearm_no_longer_shows_its_recovery() {
        let threshold = threshold(5, None, 8);
        assert!(threshold.still_shows(StockRecovered, 8.into()));
        assert!(!threshold.still_shows(StockRecovered, 7.into()));
        assert!(!threshold.still_shows(StockLow, 6.into()));
    }
}
