//! Products: which there are, what is left of each, and when that matters.
//!
//! A stock list is long, so it is compared row by row while its pages come in; what is not in it is told afterwards by
//! [`miss_one`]. A removed product stays as a row: its counter goes on when it comes back, so that no id is used twice,
//! and what it was is what its return is compared with. Such a row counts for nothing else.

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::level::{LevelState, Waiting};
use super::{Change, MISSES_TO_REMOVE, Taken, is_zero};
use crate::domain::event::{Event, Scribe};
use crate::domain::model::{Product, Quantity, StockRow};
use crate::domain::rules::Limits;

/// What is kept of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRow {
    /// The product as it was last read; a reading without a quantity leaves the last one standing.
    pub product: Product,
    /// The product's own figure for "low". One answer that leaves it out must not put the product under another
    /// threshold, and no event shows it, so the last one stands until there is another; none is written as zero.
    pub min_stock: Option<Quantity>,
    /// What was told of its level.
    pub level: LevelState,
    /// How many counted events it has had; part of the next one's id.
    pub counter: u64,
    /// In how many complete passes in a row it was not there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missed: u32,
    /// It was removed: what stands here is as it was last known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
    /// The fields that the latest pass left out and that still stand as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// It was read by other fields than today's and not seen since: the next reading is taken without a word.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_otherwise: bool,
}

impl ProductRow {
    /// Whether a pass that reads the same row again would leave this as it is, under the same thresholds. Where it
    /// would not, the row must be compared though it has not changed.
    pub fn rests(&self) -> bool {
        let ProductRow { missed, removed, left_out, read_otherwise, level, .. } = self;
        *missed == 0 && !removed && left_out.is_empty() && !read_otherwise && level.waiting == Waiting::Nothing
    }

    /// Whether only the API's own stamp has moved since `prev`.
    pub fn is_just_newer(&self, prev: &ProductRow) -> bool {
        let product = Product { updated_at: prev.product.updated_at, ..self.product.clone() };
        *prev == ProductRow { product, ..self.clone() }
    }
}

/// Compares one row of the stock list with what is known of it; `None` when there is nothing to write.
///
/// `limits` is asked about the row as it is believed, after what one answer leaves out is put in from what was known.
/// A row with the deleted flag counts as one that is not there.
pub fn compare_one(
    prev: Option<&ProductRow>,
    read: StockRow,
    taken: Taken,
    limits: impl Fn(&StockRow) -> Limits,
    scribe: &Scribe,
) -> Option<Change<ProductRow>> {
    let Some(prev) = prev else {
        if read.deleted {
            return None;
        }
        let row = first_seen(0, read, limits);
        let created = (taken == Taken::Compared).then(|| scribe.product_created(&row.product));
        return Some(changed(row, created.into_iter().collect()));
    };
    let (row, events) = match taken {
        Taken::Quietly if read.deleted => return miss_quietly(prev),
        Taken::Compared if read.deleted => return miss_one(prev, scribe),
        Taken::Compared if prev.removed => returned(prev, read, limits, scribe),
        Taken::Compared if !prev.read_otherwise => known(prev, read, limits, scribe),
        Taken::Quietly | Taken::Compared => (first_seen(prev.counter, read, limits), Vec::new()),
    };
    (row != *prev).then(|| changed(row, events))
}

/// Takes what is left of one product from a reading of it alone, between two passes.
///
/// Only the quantity: a single product may be answered in another form than the list, and what is a change in one must
/// not be changed back by the other. It counts for no pass: where several must agree the level is left to them.
pub fn refresh_one(
    prev: &ProductRow,
    read: StockRow,
    limits: impl Fn(&StockRow) -> Limits,
    scribe: &Scribe,
) -> Option<Change<ProductRow>> {
    if prev.removed || prev.read_otherwise || read.deleted {
        return None;
    }
    let quantity = Some(read.product.quantity?);
    let updated_at = read.product.updated_at.or(prev.product.updated_at);
    let product = Product { quantity, updated_at, ..prev.product.clone() };
    let believed = StockRow { product, min_stock: prev.min_stock, deleted: false };
    let limits = limits(&believed);
    let mut telling = Telling { scribe, prev, counter: prev.counter, level: prev.level.clone(), events: Vec::new() };
    telling.quantity(&believed.product, &limits, limits.passes <= 1);
    let Telling { counter, level, events, .. } = telling;
    // It was just answered for, so whatever pass did not have it was wrong.
    let row = ProductRow { product: believed.product, counter, level, missed: 0, ..prev.clone() };
    (row != *prev).then(|| changed(row, events))
}

/// A complete pass did not have it, or had it with the deleted flag: the second in a row removes it.
pub fn miss_one(prev: &ProductRow, scribe: &Scribe) -> Option<Change<ProductRow>> {
    if prev.removed {
        return None;
    }
    let missed = prev.missed.saturating_add(1);
    if missed < MISSES_TO_REMOVE {
        return Some(changed(ProductRow { missed, ..prev.clone() }, Vec::new()));
    }
    let counter = prev.counter + 1;
    let event = scribe.product_removed(counter, &prev.product);
    let level = LevelState::first(None, &Limits::NONE);
    let row = ProductRow { level, counter, missed: 0, removed: true, left_out: Vec::new(), ..prev.clone() };
    Some(changed(row, vec![event]))
}

/// A pass that took everything without a word did not have it: what is known of it is as the old fields read it, and
/// the next reading is a first one.
pub fn miss_quietly(prev: &ProductRow) -> Option<Change<ProductRow>> {
    let row = ProductRow { read_otherwise: true, ..prev.clone() };
    (row != *prev).then(|| changed(row, Vec::new()))
}

/// A product's first quantity is taken without an alert, at the baseline and later: whoever enters a product enters
/// it before its goods.
fn first_seen(counter: u64, read: StockRow, limits: impl Fn(&StockRow) -> Limits) -> ProductRow {
    let level = LevelState::first(read.product.quantity, &limits(&read));
    let StockRow { product, min_stock, .. } = read;
    ProductRow {
        product,
        min_stock,
        level,
        counter,
        missed: 0,
        removed: false,
        left_out: Vec::new(),
        read_otherwise: false,
    }
}

/// A removed product is there again. That is told even when nothing of it differs, since its removal was; `previous` is
/// the product as it was last known and `changed` has every field that differs, here also the quantity. Its level is
/// taken without an alert.
fn returned(
    prev: &ProductRow,
    mut read: StockRow,
    limits: impl Fn(&StockRow) -> Limits,
    scribe: &Scribe,
) -> (ProductRow, Vec<Event>) {
    let mut differing = Vec::new();
    let mut left_out = Vec::new();
    if !prev.read_otherwise {
        left_out = read.product.keep_left_out(&prev.product, &[]);
        differing = read.product.differences(&prev.product);
        if read.product.quantity.is_some_and(|quantity| prev.product.quantity != Some(quantity)) {
            differing.push("quantity".to_owned());
        }
    }
    read.min_stock = read.min_stock.or(prev.min_stock);
    let counter = prev.counter + 1;
    let event = scribe.product_updated(counter, &read.product, &prev.product, differing);
    (ProductRow { left_out, ..first_seen(counter, read, limits) }, vec![event])
}

fn known(
    prev: &ProductRow,
    mut read: StockRow,
    limits: impl Fn(&StockRow) -> Limits,
    scribe: &Scribe,
) -> (ProductRow, Vec<Event>) {
    let left_out = read.product.keep_left_out(&prev.product, &prev.left_out);
    read.min_stock = read.min_stock.or(prev.min_stock);
    let limits = limits(&read);
    let was_read = read.product.quantity.is_some();
    read.product.quantity = read.product.quantity.or(prev.product.quantity);
    let mut telling = Telling { scribe, prev, counter: prev.counter, level: prev.level.clone(), events: Vec::new() };
    telling.fields(&read.product);
    if was_read {
        telling.quantity(&read.product, &limits, true);
    }
    let Telling { counter, level, events, .. } = telling;
    let StockRow { product, min_stock, .. } = read;
    let row =
        ProductRow { product, min_stock, level, counter, left_out, missed: 0, removed: false, read_otherwise: false };
    (row, events)
}

/// What is told of one known product, with what its row becomes by it.
struct Telling<'a> {
    scribe: &'a Scribe,
    prev: &'a ProductRow,
    counter: u64,
    level: LevelState,
    events: Vec<Event>,
}

impl Telling<'_> {
    fn fields(&mut self, product: &Product) {
        let differing = product.differences(&self.prev.product);
        if !differing.is_empty() {
            self.counter += 1;
            self.events.push(self.scribe.product_updated(self.counter, product, &self.prev.product, differing));
        }
    }

    /// What was read of the quantity. The level is stepped also when the quantity stands still: the threshold may have
    /// moved instead.
    fn quantity(&mut self, product: &Product, limits: &Limits, steps: bool) {
        let Some(quantity) = product.quantity else { return };
        let previous = &self.prev.product;
        if previous.quantity.is_none() {
            self.level = LevelState::first(Some(quantity), limits);
            return;
        }
        if previous.quantity != Some(quantity) {
            self.counter += 1;
            self.events.push(self.scribe.stock_changed(self.counter, product, previous));
        }
        if !steps {
            return;
        }
        let (next, told) = self.level.step(quantity, limits);
        self.level = next;
        if let Some(threshold) = told {
            self.counter += 1;
            self.events.push(self.scribe.stock_level(self.counter, product, Some(previous), threshold));
        }
    }
}

fn changed(row: ProductRow, events: Vec<Event>) -> Change<ProductRow> {
    Change { id: row.product.id.clone(), row: Some(row), events }
}

#[cfg(test)]
mod tests;
