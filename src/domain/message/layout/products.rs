//! The lines of a product: how much is left of it, and what it is called and costs.

use super::super::figures::{code, money, quantity};
use super::{Layout, joined};
use crate::domain::event::{EventKind, ThresholdView};
use crate::domain::model::{Product, Quantity, Timestamp};

impl Layout {
    pub(super) fn stock(
        &self,
        kind: EventKind,
        product: &Product,
        previous: Option<&Product>,
        threshold: Option<&ThresholdView>,
        time: Timestamp,
    ) -> Vec<String> {
        let words = self.words;
        let now = product.quantity.map(|left| self.in_units(left, product));
        let before = previous.and_then(|previous| previous.quantity).map(quantity);
        let mut lines = Vec::new();
        match kind {
            EventKind::StockChanged => lines.extend(now.map(|now| match before {
                Some(before) => format!("{before} → {now}"),
                None => (words.in_stock)(&now),
            })),
            EventKind::StockRecovered => lines.extend(now.map(|now| (words.in_stock)(&now))),
            _ => {
                let below = threshold.and_then(|threshold| threshold.below).map(quantity);
                lines.extend(joined([
                    now.map(|now| (words.left)(&now)),
                    below.map(|below| (words.alert_below)(&below)),
                ]));
            }
        }
        let negative = product.quantity.is_some_and(|left| left < Quantity::ZERO);
        lines.extend(negative.then(|| words.below_zero.to_owned()));
        lines.extend(code(product.code.as_deref()).map(|code| (words.product_code)(&code)));
        lines.push(self.moment(time));
        lines
    }

    pub(super) fn product(
        &self,
        kind: EventKind,
        product: &Product,
        previous: Option<&Product>,
        changed: &[String],
        time: Timestamp,
    ) -> Vec<String> {
        let words = self.words;
        let mut lines = Vec::new();
        match kind {
            EventKind::ProductCreated => {
                let left = product.quantity.map(|left| (words.in_stock)(&self.in_units(left, product)));
                let price = product.price.map(|price| (words.price)(&self.baht(price)));
                lines.extend(joined([price, left]));
            }
            EventKind::ProductUpdated => {
                let prices = previous.and_then(|previous| previous.price).zip(product.price);
                let prices = prices.filter(|(before, after)| before != after);
                lines.extend(prices.map(|(before, after)| (words.price_changed)(&money(before), &money(after))));
                lines.extend(self.changed(changed));
            }
            _ => lines.push(words.no_more_told.to_owned()),
        }
        lines.extend(code(product.code.as_deref()).map(|code| (words.product_code)(&code)));
        lines.push(self.moment(time));
        lines
    }
}
