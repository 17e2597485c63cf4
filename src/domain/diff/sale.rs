//! Sales: new ones, however late, cancelled ones and edited ones.
//!
//! The trailing window is read whole now and then, and its newest pages more often. Only the whole window proves
//! anything by what is not in it: an empty answer, another shop's key, a sale that has left the window.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::guard::{Census, Guarded, Suspicion, Tally};
use super::share::Share;
use super::{Change, Known, Seen, Unbelievable, check_readable};
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
    /// It was read by other fields than today's and not seen since: the next reading is taken without a word.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_otherwise: bool,
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
    /// Whether the sale was made in it.
    pub fn contains(&self, sale: &Sale) -> bool {
        self.has(sale.sold_at)
    }

    /// Whether that time of a sale is in it; what has none is in no window.
    pub fn has(&self, sold_at: Option<Timestamp>) -> bool {
        sold_at.is_some_and(|sold_at| self.from <= sold_at && sold_at < self.until)
    }
}

/// Known sales that a reading need not be compared with, so that their rows need not be loaded: how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Besides {
    /// They came just as they were.
    pub same: usize,
    /// They were not asked for, in a reading of a part of the window.
    pub unasked: usize,
}

/// What a whole window would change, for the guard; `doubled` of its sales are not known and have the number of a known
/// one. A bill has one number, so these are that bill under another id.
pub fn census(known: &Known<SaleRow>, read: &Whole<Sale>, besides: Besides, doubled: usize, window: Window) -> Census {
    let ids = ids_of(read);
    let expected = || known.rows().filter(|row| window.contains(&row.sale));
    let missing = expected().filter(|row| read.nameless() == 0 && !ids.contains(&row.sale.id)).count();
    let mut tally = tally(known, read.rows(), besides.same + missing, doubled);
    (0..missing).for_each(|_| tally.missing());
    tally.census()
}

/// How many of the known sales of the window are in a whole reading of it, understood or not.
pub fn share(known: &Known<SaleRow>, read: &Whole<Sale>, besides: Besides, window: Window) -> Share {
    let ids = ids_of(read);
    let is_there = |row: &&SaleRow| ids.contains(&row.sale.id);
    let expected = known.rows().filter(|row| is_there(row) || window.contains(&row.sale));
    let Share { known, there } = Share::of(expected, is_there);
    Share { known: known + besides.same, there: there + besides.same }
}

fn ids_of(read: &Whole<Sale>) -> BTreeSet<&EntityId> {
    read.rows().iter().map(|sale| &sale.id).chain(read.unreadable_ids()).collect()
}

/// What the newest sales would change. Of all that are known, those that are read once more count, since nothing
/// follows from one that is not.
pub fn census_of_some(known: &Known<SaleRow>, sales: &[Sale], besides: Besides, doubled: usize) -> Census {
    tally(known, sales, besides.same, doubled).census()
}

fn tally(known: &Known<SaleRow>, sales: &[Sale], besides: usize, doubled: usize) -> Tally {
    let seen = || sales.iter().filter_map(|sale| Some((known.row(&sale.id)?, sale)));
    let mut tally = Tally::of_known(seen().count() + besides);
    for (row, sale) in seen().filter(|(row, _)| !row.read_otherwise) {
        tally.row(&row.sale.suspicions(sale), false);
    }
    (0..doubled).for_each(|_| tally.row(&[Suspicion::Doubled], false));
    tally
}

/// Compares a whole reading of a window of sales with what is known, besides those that came just as they were.
pub fn compare(
    known: &Known<SaleRow>,
    read: Whole<Sale>,
    besides: Besides,
    window: Window,
    scribe: &Scribe,
) -> Result<Vec<Change<SaleRow>>, Unbelievable> {
    check_readable(read.rows().len() + besides.same, read.unreadable())?;
    let (rows, horizon) = match known {
        Known::Nothing => return Ok(read.into_rows().into_iter().map(|sale| quiet(sale, scribe)).collect()),
        Known::Rows { rows, horizon } => (rows, *horizon),
    };
    let read = Reading::of(read, rows, besides, window);
    read.check()?;
    read.seen.check_shop()?;
    let mut changes = told_of(rows, horizon, read.sales, scribe);
    changes.extend(forgotten(rows, window, &read.ids));
    Ok(changes)
}

/// Compares the newest sales, read without the rest of the window: nothing follows from what is not among them, and
/// nothing is forgotten. `None` when the whole window must be read first: before the baseline, and when so many sales
/// are known and none of them is among these, which is a rush of new ones or the key of another shop.
pub fn compare_some(
    known: &Known<SaleRow>,
    sales: Vec<Sale>,
    besides: Besides,
    scribe: &Scribe,
) -> Option<Vec<Change<SaleRow>>> {
    let Known::Rows { rows, horizon } = known else { return None };
    let Besides { same, unasked } = besides;
    let known_seen = same + sales.iter().filter(|sale| rows.contains_key(&sale.id)).count();
    Seen { known: rows.len() + same + unasked, known_seen, read: same + sales.len() }.check_shop().ok()?;
    Some(told_of(rows, *horizon, sales, scribe))
}

/// Takes a whole window without a word about the sales that are known, because their fields are read from other places
/// than before. Counters go on, and a cancel that was told stays told.
///
/// A sale that is not known was made since the last pass, and would never be told if it were taken quietly. So it is an
/// event, unless not one known sale came back: then the ids too are read from another place, and all of it is old.
pub fn take_quietly(
    known: &Known<SaleRow>,
    read: Whole<Sale>,
    window: Window,
    scribe: &Scribe,
) -> Result<Vec<Change<SaleRow>>, Unbelievable> {
    let (rows, horizon) = match known {
        Known::Nothing => return Ok(read.into_rows().into_iter().map(|sale| quiet(sale, scribe)).collect()),
        Known::Rows { rows, horizon } => (rows, *horizon),
    };
    let read = Reading::of(read, rows, Besides::default(), window);
    read.check()?;
    let same_ids = rows.is_empty() || read.ids.iter().any(|id| rows.contains_key(id));
    let mut changes: Vec<Change<SaleRow>> = oldest_first(read.sales)
        .filter_map(|sale| match rows.get(&sale.id) {
            Some(prev) => retaken(prev, sale),
            None if same_ids => Some(unknown(sale, horizon, scribe)),
            None => Some(quiet(sale, scribe)),
        })
        .collect();
    let away = rows.values().filter(|row| !read.ids.contains(&row.sale.id) && !row.read_otherwise);
    let away = away.filter(|row| !has_left(row, window));
    changes.extend(away.map(|row| written(SaleRow { read_otherwise: true, ..row.clone() }, None)));
    changes.extend(forgotten(rows, window, &read.ids));
    Ok(changes)
}

/// A whole window as it was read, beside what is known of it.
struct Reading {
    sales: Vec<Sale>,
    ids: BTreeSet<EntityId>,
    seen: Seen,
}

impl Reading {
    fn of(read: Whole<Sale>, rows: &BTreeMap<EntityId, SaleRow>, besides: Besides, window: Window) -> Reading {
        let unreadable = read.unreadable();
        let sales = read.into_rows();
        let ids: BTreeSet<EntityId> = sales.iter().map(|sale| sale.id.clone()).collect();
        let Besides { same, unasked } = besides;
        let known = rows.values().filter(|row| window.contains(&row.sale)).count() + same + unasked;
        let known_seen = ids.iter().filter(|id| rows.contains_key(*id)).count() + same;
        let seen = Seen { known, known_seen, read: sales.len() + same + unreadable };
        Reading { sales, ids, seen }
    }

    /// No sales at all are a good answer only where none are expected.
    fn check(&self) -> Result<(), Unbelievable> {
        match self.seen {
            Seen { read: 0, known, .. } if known > 0 => Err(Unbelievable::Empty { known }),
            _ => Ok(()),
        }
    }
}

fn told_of(
    rows: &BTreeMap<EntityId, SaleRow>,
    horizon: Option<Timestamp>,
    sales: Vec<Sale>,
    scribe: &Scribe,
) -> Vec<Change<SaleRow>> {
    let told = oldest_first(sales).filter_map(|sale| match rows.get(&sale.id) {
        Some(prev) if prev.read_otherwise => retaken(prev, sale),
        Some(prev) => compare_one(prev, sale, scribe),
        None => Some(unknown(sale, horizon, scribe)),
    });
    told.collect()
}

/// Each sale once, as they happened: the API lists the newest first, and a sale can be on two pages.
fn oldest_first(sales: Vec<Sale>) -> impl Iterator<Item = Sale> {
    let once: BTreeMap<EntityId, Sale> = sales.into_iter().map(|sale| (sale.id.clone(), sale)).collect();
    let mut sales: Vec<Sale> = once.into_values().collect();
    sales.sort_by(|a, b| (a.sold_at, &a.id).cmp(&(b.sold_at, &b.id)));
    sales.into_iter()
}

/// A sale that is not known: new, or from before the horizon and only newly asked for.
fn unknown(sale: Sale, horizon: Option<Timestamp>, scribe: &Scribe) -> Change<SaleRow> {
    let asked_newly = horizon.is_some_and(|horizon| sale.sold_at.is_some_and(|sold_at| sold_at < horizon));
    if asked_newly { quiet(sale, scribe) } else { new(sale, scribe) }
}

/// A known sale that is read from other places: as it is now, without a word.
fn retaken(prev: &SaleRow, sale: Sale) -> Option<Change<SaleRow>> {
    let cancel_told = prev.cancel_told || sale.status == SaleStatus::Cancelled;
    let row = SaleRow { sale, counter: prev.counter, cancel_told, read_otherwise: false };
    (row != *prev).then(|| written(row, None))
}

fn written(row: SaleRow, event: Option<Event>) -> Change<SaleRow> {
    Change { id: row.sale.id.clone(), row: Some(row), events: event.into_iter().collect() }
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
    Change { id: sale.id.clone(), row: Some(SaleRow { sale, counter, cancel_told, read_otherwise: false }), events }
}

fn compare_one(prev: &SaleRow, sale: Sale, scribe: &Scribe) -> Option<Change<SaleRow>> {
    if prev.sale == sale {
        return None;
    }
    let mut row = SaleRow { sale, ..prev.clone() };
    let event = told(prev, &mut row, scribe);
    Some(written(row, event))
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
        .filter(move |(_, row)| has_left(row, window))
        .filter(|(id, _)| !still_read.contains(*id))
        .map(|(id, _)| Change { id: id.clone(), row: None, events: Vec::new() })
}

fn has_left(row: &SaleRow, window: Window) -> bool {
    row.sale.sold_at.is_some_and(|sold_at| sold_at < window.from)
}

#[cfg(test)]
mod tests;
