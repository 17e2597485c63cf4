//! The lines of a product: how much is left of it, and what it is called and costs.

use super::super::figures::{code, money, quantity, unit};
use super::{Layout, joined};
use crate::domain::event::{EventKind, ThresholdView};
use crate::domain::model::{Product, Quantity, Timestamp};

/// The fields of a product of which both values are shown.
const SHOWN: [&str; 3] = ["price", "cost", "name"];

impl Layout {
    /// The product's name, with what is left of it where that is the news.
    pub(super) fn product_with_figure(&self, kind: EventKind, product: &Product) -> String {
        let words = self.words;
        let name = self.named(product.name.as_deref(), product.code.as_deref());
        let left = product.quantity.map(|left| self.in_units(left, product));
        match (kind, left) {
            (EventKind::StockLow | EventKind::StockCritical, Some(left)) => (words.name_left)(&name, &left),
            (EventKind::StockRecovered, Some(left)) => (words.name_in_stock)(&name, &left),
            _ => name,
        }
    }

    /// What a line says of a product besides its name and the figure there.
    pub(super) fn more_of_product(
        &self,
        kind: EventKind,
        product: &Product,
        previous: Option<&Product>,
        changed: &[String],
    ) -> Option<String> {
        let left = || product.quantity.map(|left| self.in_units(left, product));
        match kind {
            EventKind::StockLow | EventKind::StockCritical | EventKind::StockRecovered => None,
            // Nothing is left, as the title says; less than nothing is worth a figure.
            EventKind::StockOut => left().filter(|_| is_negative(product)),
            EventKind::StockChanged => self.quantities(product, previous),
            EventKind::ProductCreated => joined([product.price.map(|price| self.baht(price)), left()]),
            // One that comes back after it was removed has changed in nothing.
            EventKind::ProductUpdated if changed.is_empty() => left(),
            EventKind::ProductUpdated => self.what_changed(product, previous, changed),
            _ => code(product.code.as_deref()).filter(|_| product.name.is_some()),
        }
    }

    pub(super) fn stock(
        &self,
        kind: EventKind,
        product: &Product,
        previous: Option<&Product>,
        threshold: Option<&ThresholdView>,
        time: Timestamp,
    ) -> Vec<String> {
        let words = self.words;
        let mut lines = Vec::new();
        match kind {
            EventKind::StockChanged => lines.extend(match previous.and_then(|previous| previous.quantity) {
                Some(_) => self.quantities(product, previous),
                None => product.quantity.map(|left| (words.in_stock)(&self.in_units(left, product))),
            }),
            EventKind::StockLow | EventKind::StockCritical => {
                let below = threshold.and_then(|threshold| threshold.below).map(quantity);
                lines.extend(below.map(|below| (words.alert_below)(&below)));
            }
            _ => {}
        }
        let negative = product.quantity.filter(|_| is_negative(product));
        lines.extend(negative.map(|left| (words.below_zero)(&self.in_units(left, product))));
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
                lines.extend(
                    self.prices(product, previous).map(|(before, after)| (words.price_changed)(&before, &after)),
                );
                lines.extend(self.costs(product, previous));
                lines.extend(names(product, previous).map(|(before, after)| (words.name_changed)(&before, &after)));
                lines.extend(self.unshown(product, previous, changed).map(|fields| (words.changed)(&fields)));
            }
            _ => lines.push(words.no_more_told.to_owned()),
        }
        lines.extend(code(product.code.as_deref()).map(|code| (words.product_code)(&code)));
        lines.push(self.moment(time));
        lines
    }

    /// What changed of a product besides its name, in one line: the figures before and now, and other fields by name.
    fn what_changed(&self, product: &Product, previous: Option<&Product>, changed: &[String]) -> Option<String> {
        let prices = self.prices(product, previous).map(|(before, after)| self.baht_between(&before, &after));
        joined([prices, self.costs(product, previous), self.unshown(product, previous, changed)])
    }

    fn baht_between(&self, before: &str, after: &str) -> String {
        (self.words.baht)(&format!("{before} → {after}"))
    }

    fn prices(&self, product: &Product, previous: Option<&Product>) -> Option<(String, String)> {
        let prices = previous.and_then(|previous| previous.price).zip(product.price);
        prices.filter(|(before, after)| before != after).map(|(before, after)| (money(before), money(after)))
    }

    fn costs(&self, product: &Product, previous: Option<&Product>) -> Option<String> {
        let costs = previous.and_then(|previous| previous.cost).zip(product.cost);
        let costs = costs.filter(|(before, after)| before != after);
        costs.map(|(before, after)| (self.words.cost_changed)(&money(before), &money(after)))
    }

    /// The names of the fields that differ and are not shown with both values.
    fn unshown(&self, product: &Product, previous: Option<&Product>, changed: &[String]) -> Option<String> {
        let is_shown = [
            self.prices(product, previous).is_some(),
            self.costs(product, previous).is_some(),
            names(product, previous).is_some(),
        ];
        let shown: Vec<&str> = SHOWN.into_iter().zip(is_shown).filter_map(|(field, is)| is.then_some(field)).collect();
        self.fields_but(changed, &shown)
    }

    fn quantities(&self, product: &Product, previous: Option<&Product>) -> Option<String> {
        let now = product.quantity.map(|left| self.in_units(left, product))?;
        Some(match previous.and_then(|previous| previous.quantity) {
            Some(before) => format!("{} → {now}", quantity(before)),
            None => now,
        })
    }

    fn in_units(&self, left: Quantity, product: &Product) -> String {
        match unit(product.unit.as_deref()) {
            Some(unit) => format!("{} {unit}", quantity(left)),
            None => quantity(left),
        }
    }
}

/// The names before and now of a product that has another.
pub(super) fn names(product: &Product, previous: Option<&Product>) -> Option<(String, String)> {
    let before = code(previous.and_then(|previous| previous.name.as_deref()));
    let names = before.zip(code(product.name.as_deref()));
    names.filter(|(before, after)| before != after)
}

fn is_negative(product: &Product) -> bool {
    product.quantity.is_some_and(|left| left < Quantity::ZERO)
}
