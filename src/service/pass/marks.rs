//! Which known sales came just as they were? A few bytes of each, so that a pass over thousands loads and reads only
//! those that changed.
//!
//! Kept by the running service from one pass to the next, and made anew from the store where they are missing: after a
//! start, and after a pass that failed. They say nothing that the store does not: without them every sale is compared.

use std::collections::HashMap;

use serde::Deserialize;

use crate::domain::diff::sale::{SaleRow, Window};
use crate::domain::diff::through::Numbers;
use crate::domain::diff::{Change, Known};
use crate::domain::model::{EntityId, Fingerprint, Resource, Sale, ShopId, Timestamp};
use crate::edge::pospos::Fresh;
use crate::edge::store::{Head, Store, StoreError};

/// Every known sale.
#[derive(Debug, Default)]
pub(super) struct Marks(HashMap<EntityId, Mark>);

/// What is remembered of a sale.
#[derive(Debug, Clone, Copy)]
struct Mark {
    sold_at: Option<Timestamp>,
    /// Of its number and its time; 0 where it has no number.
    tag: u32,
    /// Of the text that it was read from, where it was read since the start and nothing waits for another look.
    print: Option<Fingerprint>,
}

/// Of a stored row the time and the numbers of the sale alone.
#[derive(Deserialize)]
struct Dated {
    sale: SoldAt,
}

#[derive(Deserialize)]
struct SoldAt {
    sold_at: Option<Timestamp>,
    code: Option<String>,
    receipt: Option<String>,
}

/// What tells the stored sales apart, all of them.
pub(super) async fn numbers(store: &Store, shop: &ShopId) -> Result<Numbers, StoreError> {
    let known = store.known::<Dated>(shop, Resource::Transactions).await?;
    let mut numbers = Numbers::default();
    if let Known::Rows { rows, .. } = known {
        for (id, Dated { sale }) in rows {
            numbers.add(id, sale.code.as_deref(), sale.receipt.as_deref());
        }
    }
    Ok(numbers)
}

/// Numbers may begin anew each day, and two branches may have the same ones: a bill that comes once more under another
/// id has the same time, too.
fn tag(code: Option<&str>, sold_at: Option<Timestamp>) -> u32 {
    code.map_or(0, |code| Head::tag(&format!("{code} {}", sold_at.map_or(0, |at| at.timestamp_micros()))))
}

impl Marks {
    /// Those of the stored sales, none of which was read yet; empty before the baseline.
    pub(super) async fn of_stored(store: &Store, shop: &ShopId) -> Result<Marks, StoreError> {
        let known = store.known::<Dated>(shop, Resource::Transactions).await?;
        let Known::Rows { rows, .. } = known else { return Ok(Marks::default()) };
        let unread = |(id, row): (EntityId, Dated)| {
            let SoldAt { sold_at, code, .. } = row.sale;
            (id, Mark { sold_at, tag: tag(code.as_deref(), sold_at), print: None })
        };
        Ok(Marks(rows.into_iter().map(unread).collect()))
    }

    /// How many sales are known.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this sale is known.
    pub(super) fn contains(&self, id: &EntityId) -> bool {
        self.0.contains_key(id)
    }

    /// Whether this text of a sale was read before.
    pub(super) fn is_same(&self, id: &EntityId, print: Fingerprint) -> bool {
        self.0.get(id).is_some_and(|mark| mark.print == Some(print))
    }

    /// How many sales of that time are known.
    pub(super) fn count(&self, window: Window) -> usize {
        self.0.values().filter(|mark| window.has(mark.sold_at)).count()
    }

    /// The known ones among these, and all that `is_away` says true of.
    pub(super) fn to_compare(&self, read: &[Fresh<Sale>], is_away: impl Fn(&EntityId) -> bool) -> Vec<EntityId> {
        let known = read.iter().map(|fresh| &fresh.id).filter(|id| self.contains(id));
        known.chain(self.0.keys().filter(|id| is_away(id))).cloned().collect()
    }

    /// How many of these are not known and have the number and the time of a known one.
    pub(super) fn doubled(&self, read: &[Fresh<Sale>]) -> usize {
        let strangers = read.iter().filter(|fresh| !self.contains(&fresh.id));
        let mut tags: HashMap<u32, usize> = HashMap::new();
        for tag in strangers.map(|fresh| tag(fresh.item.code.as_deref(), fresh.item.sold_at)).filter(|tag| *tag != 0) {
            *tags.entry(tag).or_default() += 1;
        }
        if tags.is_empty() {
            return 0;
        }
        self.0.values().filter_map(|mark| tags.remove(&mark.tag)).sum()
    }

    /// Takes note of what was read and of what follows from it.
    pub(super) fn note(&mut self, read: Vec<Print>, changes: &[Change<SaleRow>]) {
        for Print { id, sold_at, tag, print } in read {
            self.0.insert(id, Mark { sold_at, tag, print: Some(print) });
        }
        for change in changes {
            match &change.row {
                None => drop(self.0.remove(&change.id)),
                Some(row) if row.read_otherwise => {
                    let sold_at = row.sale.sold_at;
                    let tag = tag(row.sale.code.as_deref(), sold_at);
                    self.0.insert(change.id.clone(), Mark { sold_at, tag, print: None });
                }
                Some(_) => {}
            }
        }
    }
}

/// A sale that was read, and how it was written.
#[derive(Debug)]
pub(super) struct Print {
    pub(super) id: EntityId,
    sold_at: Option<Timestamp>,
    tag: u32,
    print: Fingerprint,
}

impl From<&Fresh<Sale>> for Print {
    fn from(fresh: &Fresh<Sale>) -> Self {
        let Sale { sold_at, code, .. } = &fresh.item;
        let tag = tag(code.as_deref(), *sold_at);
        Print { id: fresh.id.clone(), sold_at: *sold_at, tag, print: fresh.fingerprint }
    }
}
