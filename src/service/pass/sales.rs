//! A pass over the sales: as deep as the quota allows each time, and all of the trailing window often enough.
//!
//! As long as the whole window fits into the calls that are left over, every pass reads all of it. With a scarce quota
//! most passes read the newest page alone, some the whole day, and a few the whole window: a cancel is then told within
//! minutes for today's sales and within the hour for older ones. A part of a list proves nothing about what is not in
//! it, so only a whole window forgets.

use std::collections::BTreeSet;

use super::days::SaleDays;
use super::guarded::{self, Believed, HeldBack, HeldUp, Judged};
use super::marks::{self, Marks, Print};
use super::piece::{Pieces, keep_promise};
use super::{PassError, PassReport, clock_went_on, is_read_otherwise};
use crate::domain::clock::Mark;
use crate::domain::diff::sale::{self, Besides, SaleRow};
use crate::domain::diff::share::Share;
use crate::domain::diff::through;
use crate::domain::diff::{Change, Known, Unbelievable, check_readable};
use crate::domain::event::{EventKind, Scribe};
use crate::domain::model::{EntityId, Fingerprint, Resource, Sale, Timestamp};
use crate::domain::rhythm::sales::Depth;
use crate::edge::pospos::quota::Urgency;
use crate::edge::pospos::{Fresh, ReadError, Reading};
use crate::edge::store::{Commit, ResourceRecord, StoreError};
use crate::service::shop::Shop;

/// One pass.
pub(super) async fn pass(shop: &Shop) -> Result<PassReport, PassError> {
    let mut marks = shop.sales.take_marks(&shop.shared.store, shop.id()).await?;
    let done = Box::pin(read_and_compare(shop, &mut marks)).await;
    if done.is_err() {
        shop.sales.note_failure();
    }
    // What was not stored must not be taken for known. Nothing but the store fails once anything is to be stored.
    if !matches!(done, Err(PassError::Store(_))) {
        shop.sales.give_marks_back(marks);
    }
    done
}

async fn read_and_compare(shop: &Shop, marks: &mut Marks) -> Result<PassReport, PassError> {
    keep_promise(shop, Resource::Transactions).await?;
    let record = shop.shared.store.resource(shop.id(), Resource::Transactions).await?;
    // Only a whole window ends a pass that is held.
    let is_held = shop.shared.store.held(shop.id(), Resource::Transactions).await?.is_some();
    let begun = shop.shared.clock.mark();
    let now = begun.shown;
    let look = Look {
        shop,
        marks,
        begun,
        record: record.as_ref(),
        otherwise: is_read_otherwise(shop, Resource::Transactions).await?,
        scribe: shop.scribe(now),
    };
    let wished = if record.is_some() && !look.otherwise && !is_held { shop.sales.depth(now) } else { Depth::Trailing };
    let days = |depth| SaleDays::of(shop, depth, now, record.as_ref().map(|record| record.passed_at));
    let (depth, looked) = look.at(wished, days).await?;
    let Found { changes, read, rows, unreadable, calls: cost, from, believed } = match looked {
        Looked::Found(found) => *found,
        Looked::Held(Through { read, sold, why }) => {
            marks.note(read, &[]);
            shop.refreshes.push(sold);
            return Err(why.into());
        }
    };
    let Believed { alone: _alone, mut last } = believed;
    let is_part = shop.sales.note(depth, now);
    shop.pace.spent_on_sales((depth == Depth::Today).then_some(cost), (depth == Depth::Trailing).then_some(cost));
    let observed = shop.pace.sold(changes.iter().filter_map(|change| change.row.as_ref()?.sale.sold_at), now);
    let baseline = record.is_none();
    let horizon = match depth {
        Depth::Trailing => Some(from),
        Depth::Head | Depth::Today => record.as_ref().and_then(|record| record.horizon),
    };
    let sold = if baseline { BTreeSet::new() } else { sold_codes(&changes) };
    let mut pieces = Pieces::new(shop, Resource::Transactions, now);
    let changes = super::with_orphans(shop, Resource::Transactions, changes, baseline).await?;
    marks.note(read, &changes);
    for change in changes {
        pieces.add(change).await?;
    }
    let record = ResourceRecord {
        baseline_at: record.as_ref().map_or(now, |record| record.baseline_at),
        passed_at: now,
        horizon,
        fields: shop.fields_of(Resource::Transactions),
        measure: String::new(),
        rows,
        unreadable,
        calls: cost,
    };
    last.resource = Some((shop.id().clone(), Resource::Transactions, record));
    pieces.finish(*last).await?;
    if let Some(observed) = observed {
        shop.keep_observed(observed).await?;
    }
    shop.refreshes.push(sold);
    Ok(PassReport { rows, unreadable, events: pieces.events(), baseline, empty_so_far: false, is_part })
}

/// What was read and what follows from it.
struct Found<'a> {
    changes: Vec<Change<SaleRow>>,
    read: Vec<Print>,
    rows: u64,
    unreadable: u64,
    calls: u32,
    from: Timestamp,
    believed: Believed<'a>,
}

/// What became of what was read.
enum Looked<'a> {
    Found(Box<Found<'a>>),
    Held(Through),
}

/// What was told through a held pass, and is known from then on.
struct Through {
    read: Vec<Print>,
    /// The codes of what was sold.
    sold: BTreeSet<String>,
    why: HeldBack,
}

/// One look at the sales, and what is known before it.
struct Look<'s, 'm> {
    shop: &'s Shop,
    marks: &'m Marks,
    begun: Mark,
    record: Option<&'m ResourceRecord>,
    otherwise: bool,
    scribe: Scribe,
}

impl<'s> Look<'s, '_> {
    /// Reads as much as is wished for, and the whole window where too little of a part is known to say what it means.
    async fn at(&self, wished: Depth, days: impl Fn(Depth) -> SaleDays) -> Result<(Depth, Looked<'s>), PassError> {
        let found = match wished {
            Depth::Trailing => None,
            part_of_it => Box::pin(self.at_part(part_of_it, days(part_of_it))).await?,
        };
        match found {
            Some(found) => Ok((wished, Looked::Found(Box::new(found)))),
            None => Ok((Depth::Trailing, Box::pin(self.at_all(days(Depth::Trailing))).await?)),
        }
    }

    /// Reads a part of the window and compares; `None` where the whole must be read to say anything.
    async fn at_part(&self, depth: Depth, days: SaleDays) -> Result<Option<Found<'s>>, PassError> {
        let Part { sales, rows, unreadable, calls } = match depth {
            Depth::Head => self.newest(&days).await?,
            Depth::Today | Depth::Trailing => self.all_of(&days).await?,
        };
        clock_went_on(self.shop, self.begun)?;
        let expected = self.marks.count(days.window);
        if rows == 0 && expected > 0 {
            return Err(Unbelievable::Empty { known: expected }.into());
        }
        check_readable(count(rows.saturating_sub(unreadable)), count(unreadable))?;
        let ids = self.marks.to_compare(&sales, |_| false);
        let came: BTreeSet<&EntityId> = sales.iter().map(|fresh| &fresh.id).collect();
        let same = same(rows, unreadable, came.len());
        let besides = Besides { same, unasked: self.marks.len().saturating_sub(same + ids.len()) };
        let known = self.known(ids).await?;
        let read = sales.iter().map(Print::from).collect();
        let doubled = self.marks.doubled(&sales);
        let sales: Vec<Sale> = sales.into_iter().map(|fresh| fresh.item).collect();
        let census = sale::census_of_some(&known, &sales, besides, doubled);
        if census.counts.suspicious > self.shop.config.guard.of(Resource::Transactions).limit(census.known) {
            // What a part shows is not held: the guard judges whole readings.
            return Ok(None);
        }
        let changes = sale::compare_some(&known, sales, besides, &self.scribe);
        let (rows, from) = (rows.saturating_sub(unreadable), days.window.from);
        let believed = Believed::unseen(Commit::default());
        Ok(changes.map(|changes| Found { changes, read, rows, unreadable, calls, from, believed }))
    }

    /// Reads the whole window and compares.
    async fn at_all(&self, days: SaleDays) -> Result<Looked<'s>, PassError> {
        let (shop, window) = (self.shop, days.window);
        let reading = shop.pospos.sales_of(days.first, days.last, self.known_so(), Urgency::Sales);
        let mut reading = reading.expecting(self.had());
        let sales = reading.wanted_of_whole().await?;
        clock_went_on(shop, self.begun)?;
        let (rows, unreadable, calls) = (reading.rows(), reading.unreadable(), reading.calls());
        let same = same(rows, unreadable, sales.rows().len());
        let known = self.known(self.marks.to_compare(sales.rows(), |id| !reading.has_read(id.as_str()))).await?;
        let read = sales.rows().iter().map(Print::from).collect();
        let doubled = self.marks.doubled(sales.rows());
        let sales = sales.map(|fresh| fresh.item);
        let (changes, believed) = if self.otherwise {
            let changes = sale::take_quietly(&known, sales, window, &self.scribe)?;
            (changes, Believed::unseen(guarded::clear(shop, Resource::Transactions).await?))
        } else {
            let besides = Besides { same, unasked: 0 };
            let census = sale::census(&known, &sales, besides, doubled, window);
            let share = sale::share(&known, &sales, besides, window);
            let changes = sale::compare(&known, sales, besides, window, &self.scribe)?;
            match guarded::judge_pass(shop, Resource::Transactions, census, &self.scribe).await? {
                Judged::Believed(believed) => (changes, believed),
                Judged::Held(held) => return Ok(Looked::Held(self.through(*held, changes, share, read).await?)),
            }
        };
        let (rows, from) = (rows.saturating_sub(unreadable), window.from);
        Ok(Looked::Found(Box::new(Found { changes, read, rows, unreadable, calls, from, believed })))
    }

    /// Commits a held pass, with the sales that are told all the same.
    async fn through(
        &self,
        held: HeldUp<'_>,
        changes: Vec<Change<SaleRow>>,
        share: Share,
        mut read: Vec<Print>,
    ) -> Result<Through, StoreError> {
        let last_accepted = self.record.map(|record| record.passed_at);
        let young = last_accepted.map_or(Vec::new(), |at| through::young(changes, share, at));
        let told = match young.is_empty() {
            true => young,
            false => through::strangers(young, marks::numbers(&self.shop.shared.store, self.shop.id()).await?),
        };
        let ids: BTreeSet<EntityId> = told.iter().map(|change| change.id.clone()).collect();
        read.retain(|print| ids.contains(&print.id));
        let sold = sold_codes(&told);
        let why = held.commit(told, &self.scribe).await?;
        Ok(Through { read, sold, why })
    }

    /// The newest sales of the day, page by page until one brings nothing unknown.
    async fn newest(&self, days: &SaleDays) -> Result<Part, ReadError> {
        let reading = self.shop.pospos.sales_head(days.first, days.last, self.known_so(), Urgency::Sales);
        let mut reading = reading.expecting(self.had());
        let mut sales = Vec::new();
        while let Some(page) = reading.next().await? {
            let news = page.iter().any(|fresh| !self.marks.contains(&fresh.id));
            sales.extend(page);
            if !news {
                break;
            }
        }
        Ok(Part::of(sales, &reading))
    }

    async fn all_of(&self, days: &SaleDays) -> Result<Part, ReadError> {
        let reading = self.shop.pospos.sales_of(days.first, days.last, self.known_so(), Urgency::Sales);
        let mut reading = reading.expecting(self.had());
        let sales = reading.wanted_of_whole().await?.into_rows();
        Ok(Part::of(sales, &reading))
    }

    /// How many sales the latest pass has read.
    fn had(&self) -> Option<u64> {
        self.record.map(|record| record.rows.saturating_add(record.unreadable))
    }

    /// Says of a sale that it need not be looked at.
    fn known_so(&self) -> impl Fn(&EntityId, Fingerprint) -> bool + Send + Sync {
        |id, print| !self.otherwise && self.marks.is_same(id, print)
    }

    async fn known(&self, ids: Vec<EntityId>) -> Result<Known<SaleRow>, StoreError> {
        let Some(record) = self.record else { return Ok(Known::Nothing) };
        let rows = self.shop.shared.store.rows(self.shop.id(), Resource::Transactions, ids).await?;
        let rows = rows.into_iter().map(|(id, (_, row))| (id, row)).collect();
        Ok(Known::Rows { rows, horizon: record.horizon })
    }
}

/// Sales of a part of the window: those that are not known just so, and how many there were.
struct Part {
    sales: Vec<Fresh<Sale>>,
    rows: u64,
    unreadable: u64,
    calls: u32,
}

impl Part {
    fn of(sales: Vec<Fresh<Sale>>, reading: &Reading<'_, Sale>) -> Part {
        Part { sales, rows: reading.rows(), unreadable: reading.unreadable(), calls: reading.calls() }
    }
}

/// How many of so many rows were known just so.
fn same(rows: u64, unreadable: u64, others: usize) -> usize {
    count(rows.saturating_sub(unreadable)).saturating_sub(others)
}

fn count(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

/// The codes of the products whose quantity these changes have moved.
fn sold_codes(changes: &[Change<SaleRow>]) -> BTreeSet<String> {
    let moved = |change: &&Change<SaleRow>| {
        change.events.iter().any(|event| matches!(event.kind, EventKind::SaleCreated | EventKind::SaleCancelled))
    };
    let rows = changes.iter().filter(moved).filter_map(|change| change.row.as_ref());
    rows.flat_map(|row| &row.sale.lines).filter_map(|line| line.product_code.clone()).collect()
}
