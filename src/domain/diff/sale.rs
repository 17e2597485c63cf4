//! Sales: new ones, however late, and cancelled ones.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::{Change, Known, Unbelievable};
use crate::domain::event::{Event, Scribe};
use crate::domain::model::{EntityId, Sale, SaleStatus, Timestamp, Whole};

/// What is kept of a sale while it lies in the trailing window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleRow {
    /// The sale as it was last read.
    pub sale: Sale,
    /// Part of the next counted event's id. It begins at the millisecond in which the sale was taken in and not at
    /// zero: one that was forgotten and is asked for again (a longer window) must not use its old ids once more.
    pub counter: u64,
    /// `sale.cancelled` was told. It can be told only once, for its id is a function of the sale alone.
    pub cancel_told: bool,
}

/// The days that were asked for, as moments: from the first inclusive to the last exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first moment that was asked for.
    pub from: Timestamp,
    /// The first moment after what was asked for.
    pub until: Timestamp,
}

impl Window {
    fn contains(&self, sale: &Sale) -> bool {
        sale.sold_at.is_some_and(|sold_at| self.from <= sold_at && sold_at < self.until)
    }
}

/// Compares a whole reading of a window of sales with what is known.
pub fn compare(
    known: &Known<SaleRow>,
    read: Whole<Sale>,
    window: Window,
    scribe: &Scribe,
) -> Result<Vec<Change<SaleRow>>, Unbelievable> {
    let (rows, horizon) = match known {
        Known::Nothing => return Ok(read.into_rows().into_iter().map(|sale| quiet(sale, scribe)).collect()),
        Known::Rows { rows, horizon } => (rows, *horizon),
    };
    let expected = rows.values().filter(|row| window.contains(&row.sale)).count();
    if read.rows().is_empty() && read.unreadable() == 0 && expected > 0 {
        return Err(Unbelievable::Empty { known: expected });
    }
    let mut sales = read.into_rows();
    let still_read: BTreeSet<EntityId> = sales.iter().map(|sale| sale.id.clone()).collect();
    // The API lists the newest first; a person reads them as they happened.
    sales.sort_by(|a, b| (a.sold_at, &a.id).cmp(&(b.sold_at, &b.id)));
    let mut changes: Vec<Change<SaleRow>> = sales
        .into_iter()
        .filter_map(|sale| match rows.get(&sale.id) {
            Some(prev) => compare_one(prev, sale, scribe),
            None if horizon.is_some_and(|horizon| sale.sold_at.is_some_and(|sold_at| sold_at < horizon)) => {
                Some(quiet(sale, scribe))
            }
            None => Some(new(sale, scribe)),
        })
        .collect();
    changes.extend(forgotten(rows, window, &still_read));
    Ok(changes)
}

/// A sale that is taken without a word: of the baseline, or from before the horizon.
fn quiet(sale: Sale, scribe: &Scribe) -> Change<SaleRow> {
    let cancel_told = sale.status == SaleStatus::Cancelled;
    taken_in(sale, cancel_told, Vec::new(), scribe)
}

fn new(sale: Sale, scribe: &Scribe) -> Change<SaleRow> {
    let mut events = vec![scribe.sale_created(&sale)];
    let cancelled = sale.status == SaleStatus::Cancelled;
    if cancelled {
        events.push(scribe.sale_cancelled(&sale, None));
    }
    taken_in(sale, cancelled, events, scribe)
}

fn taken_in(sale: Sale, cancel_told: bool, events: Vec<Event>, scribe: &Scribe) -> Change<SaleRow> {
    let counter = u64::try_from(scribe.now().timestamp_millis()).unwrap_or_default();
    Change { id: sale.id.clone(), row: Some(SaleRow { sale, counter, cancel_told }), events }
}

fn compare_one(prev: &SaleRow, sale: Sale, scribe: &Scribe) -> Option<Change<SaleRow>> {
    if prev.sale == sale {
        return None;
    }
    let mut row = SaleRow { sale, ..prev.clone() };
    let event = told(prev, &mut row, scribe);
    Some(Change { id: row.sale.id.clone(), row: Some(row), events: event.into_iter().collect() })
}

fn told(prev: &SaleRow, row: &mut SaleRow, scribe: &Scribe) -> Option<Event> {
    if row.sale.status == SaleStatus::Cancelled && prev.sale.status != SaleStatus::Cancelled && !prev.cancel_told {
        row.cancel_told = true;
        return Some(scribe.sale_cancelled(&row.sale, Some(&prev.sale)));
    }
    let changed = row.sale.differences(&prev.sale);
    row.counter += 1;
    Some(scribe.sale_updated(row.counter, &row.sale, &prev.sale, changed))
}

/// Sales that have left the window: they can change no more as far as posbell looks, and the store stays bounded.
///
/// A sale without a time is kept: nothing says that it has left. So is one that was read once more, whatever its time
/// says: forgotten now, it would come as a stranger in the next pass.
fn forgotten(
    rows: &BTreeMap<EntityId, SaleRow>,
    window: Window,
    still_read: &BTreeSet<EntityId>,
) -> impl Iterator<Item = Change<SaleRow>> {
    rows.iter()
        .filter(move |(_, row)| row.sale.sold_at.is_some_and(|sold_at| sold_at < window.from))
        .filter(|(id, _)| !still_read.contains(*id))
        .map(|(id, _)| Change { id: id.clone(), row: None, events: Vec::new() })
}

#[cfg(test)]
mod tests;
