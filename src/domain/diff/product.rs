//! Products: what is left of each, and when that matters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::level::{LevelState, level};
use super::{Change, Known, Unbelievable};
use crate::domain::event::{Level, Scribe};
use crate::domain::model::{Product, Quantity, ShopId, StockRow, Whole};
use crate::domain::rules::{Limits, RuleSet};

/// What is kept of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRow {
    /// The product as it was last read; a reading without a quantity leaves the last one standing.
    pub product: Product,
    /// The product's own figure for "low".
    pub min_stock: Option<Quantity>,
    /// What was told of its level.
    pub level: LevelState,
    /// How many counted events it has had; part of the next one's id.
    pub counter: u64,
}

/// Takes a whole stock list without a word, because its fields are read from other places than before: what looks
/// like a change is only another way of reading. The counters go on, so that no later event gets an old id.
pub fn take_quietly(
    known: &Known<ProductRow>,
    read: Whole<StockRow>,
    shop: &ShopId,
    rules: &RuleSet,
) -> Result<Vec<Change<ProductRow>>, Unbelievable> {
    if read.rows().is_empty() {
        return Err(Unbelievable::EmptyAtFirst);
    }
    let present: BTreeMap<_, _> =
        read.into_rows().into_iter().filter(|row| !row.deleted).map(|row| (row.product.id.clone(), row)).collect();
    // What is not in the list was last read by the old fields: when it comes back, its quantity is a first one.
    let absent = known.rows().filter(|row| !present.contains_key(&row.product.id)).map(|row| {
        let product = Product { quantity: None, ..row.product.clone() };
        Change { id: product.id.clone(), row: Some(ProductRow { product, ..row.clone() }), events: Vec::new() }
    });
    let absent: Vec<Change<ProductRow>> = absent.collect();
    let taken = present.into_values().map(|row| {
        let limits = rules.limits(shop, &row);
        let counter = known.row(&row.product.id).map_or(0, |prev| prev.counter);
        first_seen(counter, row, &limits)
    });
    Ok(taken.chain(absent).collect())
}

/// A product's first quantity is taken without an alert, at the baseline and later: whoever enters a product enters
/// it before its goods.
fn first_seen(counter: u64, read: StockRow, limits: &Limits) -> Change<ProductRow> {
    let level = LevelState::first(read.product.quantity, limits);
    let StockRow { product, min_stock, .. } = read;
    let id = product.id.clone();
    Change { id, row: Some(ProductRow { product, min_stock, level, counter }), events: Vec::new() }
}

/// How many products stand where; for `shop.baseline` and the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LevelCounts {
    /// Below `low` or `critical`.
    pub low: u64,
    /// Nothing left.
    pub out: u64,
}

/// Compares the whole stock list with what is known.
///
/// A known product that is not in the list stays as it was: nothing is concluded from its absence here.
pub fn compare(
    known: &Known<ProductRow>,
    read: Whole<StockRow>,
    shop: &ShopId,
    rules: &RuleSet,
    scribe: &Scribe,
) -> Result<Vec<Change<ProductRow>>, Unbelievable> {
    let empty = read.rows().is_empty();
    let nothing = BTreeMap::new();
    let rows = match known {
        Known::Nothing if empty => return Err(Unbelievable::EmptyAtFirst),
        Known::Rows { rows, .. } if empty && !rows.is_empty() => {
            return Err(Unbelievable::Empty { known: rows.len() });
        }
        Known::Nothing => &nothing,
        Known::Rows { rows, .. } => rows,
    };
    let comparison = Comparison { shop, rules, scribe };
    Ok(read.into_rows().into_iter().filter_map(|row| comparison.one(rows.get(&row.product.id), row)).collect())
}

/// How many of these products are short, by the rules of today.
pub fn count_levels<'a>(rows: impl Iterator<Item = &'a ProductRow>, shop: &ShopId, rules: &RuleSet) -> LevelCounts {
    let mut counts = LevelCounts::default();
    for row in rows {
        let Some(quantity) = row.product.quantity else { continue };
        let stock_row = StockRow { product: row.product.clone(), min_stock: row.min_stock, deleted: false };
        match level(quantity, &rules.limits(shop, &stock_row)) {
            Level::Ok => {}
            Level::Low | Level::Critical => counts.low += 1,
            Level::Out => counts.out += 1,
        }
    }
    counts
}

struct Comparison<'a> {
    shop: &'a ShopId,
    rules: &'a RuleSet,
    scribe: &'a Scribe,
}

impl Comparison<'_> {
    fn one(&self, prev: Option<&ProductRow>, read: StockRow) -> Option<Change<ProductRow>> {
        if read.deleted {
            return None;
        }
        match prev {
            None => {
                let limits = self.rules.limits(self.shop, &read);
                Some(first_seen(0, read, &limits))
            }
            Some(prev) => self.known(prev, read),
        }
    }

    fn known(&self, prev: &ProductRow, mut read: StockRow) -> Option<Change<ProductRow>> {
        let mut events = Vec::new();
        let mut counter = prev.counter;
        let mut level = prev.level.clone();
        // A field that one answer leaves out must not put the product under another threshold for one pass.
        read.min_stock = read.min_stock.or(prev.min_stock);
        read.product.code = read.product.code.or_else(|| prev.product.code.clone());
        read.product.category = read.product.category.or_else(|| prev.product.category.clone());
        let limits = self.rules.limits(self.shop, &read);
        match read.product.quantity {
            None => read.product.quantity = prev.product.quantity,
            Some(quantity) if prev.product.quantity.is_none() => level = LevelState::first(Some(quantity), &limits),
            Some(quantity) => {
                if prev.product.quantity != Some(quantity) {
                    counter += 1;
                    events.push(self.scribe.stock_changed(counter, &read.product, &prev.product));
                }
                // Stepped also when the quantity stands still: the threshold may have moved instead.
                let (next, told) = level.step(quantity, &limits);
                level = next;
                if let Some(threshold) = told {
                    counter += 1;
                    events.push(self.scribe.stock_level(counter, &read.product, Some(&prev.product), threshold));
                }
            }
        }
        let StockRow { product, min_stock, .. } = read;
        let row = ProductRow { product, min_stock, level, counter };
        (row != *prev).then(|| Change { id: row.product.id.clone(), row: Some(row), events })
    }
}

#[cfg(test)]
mod tests;
