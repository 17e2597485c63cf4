//! A pass over the sales: as deep as the quota allows each time, and all of the trailing window often enough.
//!
//! As long as the whole window fits into the calls that are left over, every pass reads all of it. With a scarce quota
//! most passes read the newest page alone, some the whole day, and a few the whole window: a cancel is then told within
//! minutes for today's sales and within the hour for older ones. A part of a list proves nothing about what is not in
//! it, so only a whole window forgets.

use std::collections::BTreeSet;
use std::sync::Mutex;

use chrono::{Days, NaiveDate, NaiveTime, TimeZone};

use super::guarded::{self, Believed};
use super::piece::{Pieces, keep_promise};
use super::{PassError, PassReport, is_read_otherwise};
use crate::domain::diff::sale::{self, SaleRow, Window};
use crate::domain::diff::{Change, Known, Unbelievable, check_readable};
use crate::domain::event::{EventKind, Scribe};
use crate::domain::model::{Resource, Sale, Timestamp};
use crate::domain::rhythm::hours;
use crate::domain::rhythm::sales::{Depth, SalesPlan, first_day, next_depth};
use crate::edge::pospos::quota::Urgency;
use crate::edge::store::{Commit, ResourceRecord};
use crate::service::shop::Shop;

/// What the running service remembers of its passes over the sales. Lost with the process, and then the first pass
/// reads the whole window.
#[derive(Debug, Default)]
pub struct SalesMemory {
    inner: Mutex<Remembered>,
}

#[derive(Debug, Default, Clone)]
struct Remembered {
    plan: Option<SalesPlan>,
    today_at: Option<Timestamp>,
    trailing_at: Option<Timestamp>,
    /// The latest pass read more than the newest page, and failed.
    deep_failed: bool,
}

impl SalesMemory {
    /// Reads by this plan from now on.
    pub fn follow(&self, plan: SalesPlan) {
        self.lock().plan = Some(plan);
    }

    fn depth(&self, now: Timestamp) -> Depth {
        let inner = self.lock();
        match &inner.plan {
            // One bad page three days back must not hide today's sales. Every other pass still tries; and after a start
            // the whole window comes first, because only that covers the time in which posbell was off.
            _ if inner.deep_failed && inner.trailing_at.is_some() => Depth::Head,
            Some(plan) => next_depth(plan, inner.today_at, inner.trailing_at, now),
            None => Depth::Trailing,
        }
    }

    fn note(&self, depth: Depth, now: Timestamp) {
        let mut inner = self.lock();
        inner.deep_failed = false;
        match depth {
            Depth::Head => {}
            Depth::Today => inner.today_at = Some(now),
            Depth::Trailing => (inner.today_at, inner.trailing_at) = (Some(now), Some(now)),
        }
    }

    fn note_failure(&self) {
        let mut inner = self.lock();
        inner.deep_failed = !inner.deep_failed;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        // Every change of it is one assignment.
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// One pass.
pub(super) async fn pass(shop: &Shop) -> Result<PassReport, PassError> {
    let done = read_and_compare(shop).await;
    if done.is_err() {
        shop.sales.note_failure();
    }
    done
}

async fn read_and_compare(shop: &Shop) -> Result<PassReport, PassError> {
    keep_promise(shop, Resource::Transactions).await?;
    let store = &shop.shared.store;
    let known = store.known::<SaleRow>(shop.id(), Resource::Transactions).await?;
    let record = store.resource(shop.id(), Resource::Transactions).await?;
    let otherwise = is_read_otherwise(shop, Resource::Transactions).await?;
    let now = shop.shared.clock.now();
    // Only a whole window ends a pass that is held.
    let is_held = store.held(shop.id(), Resource::Transactions).await?.is_some();
    let wished = match &known {
        Known::Rows { .. } if !otherwise && !is_held => shop.sales.depth(now),
        _ => Depth::Trailing,
    };
    let passed_at = record.as_ref().map(|record| record.passed_at);
    let scribe = shop.scribe(now);
    let days = |depth| SaleDays::of(shop, depth, now, passed_at);
    let found = match wished {
        Depth::Trailing => None,
        part_of_it => part(shop, &known, part_of_it, days(part_of_it), &scribe).await?,
    };
    // Also where too little of a part is known to say what it means.
    let (depth, found) = match found {
        Some(found) => (wished, found),
        None => (Depth::Trailing, whole(shop, &known, days(Depth::Trailing), &scribe, otherwise).await?),
    };
    let Found { changes, rows, unreadable, from, believed } = found;
    let Believed { alone: _alone, summary, mut last } = believed;
    shop.sales.note(depth, now);
    let cost = shop.pages(rows + unreadable);
    shop.pace.spent_on_sales((depth == Depth::Today).then_some(cost), (depth == Depth::Trailing).then_some(cost));
    let sold_at = changes.iter().filter_map(|change| change.row.as_ref()?.sale.sold_at);
    let observed = shop.pace.sold(sold_at, now);
    let baseline = known == Known::Nothing;
    let horizon = match depth {
        Depth::Trailing => Some(from),
        Depth::Head | Depth::Today => record.as_ref().and_then(|record| record.horizon),
    };
    let sold = if baseline { BTreeSet::new() } else { sold_codes(&changes) };
    let mut pieces = Pieces::new(shop, Resource::Transactions, now);
    pieces.summarize(summary);
    let changes = super::with_orphans(shop, Resource::Transactions, changes, baseline).await?;
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
    Ok(PassReport { rows, unreadable, events: pieces.events(), baseline })
}

/// What was read and what follows from it.
struct Found<'a> {
    changes: Vec<Change<SaleRow>>,
    rows: u64,
    unreadable: u64,
    from: Timestamp,
    believed: Believed<'a>,
}

/// Reads a part of the window and compares; `None` where the whole must be read to say anything.
async fn part<'a>(
    shop: &'a Shop,
    known: &Known<SaleRow>,
    depth: Depth,
    days: SaleDays,
    scribe: &Scribe,
) -> Result<Option<Found<'a>>, PassError> {
    let (sales, unreadable) = if depth == Depth::Head {
        newest(shop, known, &days).await?
    } else {
        let read = shop.pospos.sales(days.first, days.last, Urgency::Sales).await?;
        let unreadable = read.unreadable() as u64;
        (read.into_rows(), unreadable)
    };
    let rows = sales.len() as u64;
    believe(known, rows, unreadable, days.window)?;
    let census = sale::census_of_some(known, &sales);
    if census.counts.suspicious > shop.config.guard.of(Resource::Transactions).limit(census.known) {
        // What a part shows is not held: the guard judges whole readings.
        return Ok(None);
    }
    let (from, believed) = (days.window.from, Believed::unseen(Commit::default()));
    let changes = sale::compare_some(known, sales, scribe);
    Ok(changes.map(|changes| Found { changes, rows, unreadable, from, believed }))
}

/// Reads the whole window and compares.
async fn whole<'a>(
    shop: &'a Shop,
    known: &Known<SaleRow>,
    days: SaleDays,
    scribe: &Scribe,
    otherwise: bool,
) -> Result<Found<'a>, PassError> {
    let resource = Resource::Transactions;
    let read = shop.pospos.sales(days.first, days.last, Urgency::Sales).await?;
    let (rows, unreadable) = (read.rows().len() as u64, read.unreadable() as u64);
    let from = days.window.from;
    let (changes, believed) = if otherwise {
        let changes = sale::take_quietly(known, read, days.window, scribe)?;
        (changes, Believed::unseen(guarded::clear(shop, resource).await?))
    } else {
        let census = sale::census(known, &read, days.window);
        let changes = sale::compare(known, read, days.window, scribe)?;
        (changes, guarded::judge_pass(shop, resource, census, scribe).await?)
    };
    Ok(Found { changes, rows, unreadable, from, believed })
}

/// The newest sales of the day, page by page until one brings nothing unknown.
async fn newest(shop: &Shop, known: &Known<SaleRow>, days: &SaleDays) -> Result<(Vec<Sale>, u64), PassError> {
    let mut reading = shop.pospos.sales_head(days.first, days.last, |_, _| false, Urgency::Sales);
    let mut sales = Vec::new();
    while let Some(page) = reading.next().await? {
        let news = page.iter().any(|fresh| known.row(&fresh.id).is_none());
        sales.extend(page.into_iter().map(|fresh| fresh.item));
        if !news {
            break;
        }
    }
    Ok((sales, reading.unreadable()))
}

/// Refuses an empty answer where sales must be, and one of which nothing could be understood.
fn believe(known: &Known<SaleRow>, rows: u64, unreadable: u64, window: Window) -> Result<(), Unbelievable> {
    let count = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
    check_readable(count(rows), count(unreadable))?;
    let expected = known.rows().filter(|row| window.contains(&row.sale)).count();
    if rows + unreadable == 0 && expected > 0 { Err(Unbelievable::Empty { known: expected }) } else { Ok(()) }
}

/// The codes of the products whose quantity these changes have moved.
fn sold_codes(changes: &[Change<SaleRow>]) -> BTreeSet<String> {
    let moved = |change: &&Change<SaleRow>| {
        change.events.iter().any(|event| matches!(event.kind, EventKind::SaleCreated | EventKind::SaleCancelled))
    };
    let rows = changes.iter().filter(moved).filter_map(|change| change.row.as_ref());
    rows.flat_map(|row| &row.sale.lines).filter_map(|line| line.product_code.clone()).collect()
}

/// The days of sales that a pass asks for.
struct SaleDays {
    first: NaiveDate,
    last: NaiveDate,
    window: Window,
}

impl SaleDays {
    /// To tomorrow, since a till's clock may be ahead. The whole window begins before the last accepted pass, so that
    /// nothing falls between two passes when posbell was off for a week.
    fn of(shop: &Shop, depth: Depth, now: Timestamp, passed_at: Option<Timestamp>) -> SaleDays {
        let first = match depth {
            Depth::Trailing => {
                let from = passed_at.map_or(now, |passed_at| passed_at.min(now)) - shop.config.trailing_window;
                bangkok_day(from)
            }
            Depth::Head | Depth::Today => first_day(hours::bangkok(now)),
        };
        let last = bangkok_day(now) + Days::new(1);
        let window = Window { from: midnight(first), until: midnight(last + Days::new(1)) };
        SaleDays { first, last, window }
    }
}

/// The API's days are Bangkok's, whatever zone messages are shown in.
pub(in crate::service) fn bangkok_day(now: Timestamp) -> NaiveDate {
    now.with_timezone(&chrono_tz::Asia::Bangkok).date_naive()
}

fn midnight(day: NaiveDate) -> Timestamp {
    let local = day.and_time(NaiveTime::MIN);
    let moment = chrono_tz::Asia::Bangkok.from_local_datetime(&local).earliest();
    moment.expect("Bangkok has had no clock change since 1920").to_utc()
}
