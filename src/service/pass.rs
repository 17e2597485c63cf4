//! One pass over one resource: read it whole, compare it with what was last believed, commit what follows.
//!
//! Nothing is sent here. The commit is durable before the wake-up, so a crash at any line either leaves the last
//! belief untouched or leaves deliveries that the other loop will find. A large pass is committed in pieces, each
//! with its own events and deliveries, and only the last piece moves the cursor: killed between two pieces, the next
//! pass finds just what is missing.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate, NaiveTime, TimeZone};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::warn;

use super::shop::Shop;
use crate::domain::diff::credit::{self, CreditRow, PendingCredits};
use crate::domain::diff::product::{self, ProductRow};
use crate::domain::diff::sale::{self, SaleRow, Window};
use crate::domain::diff::{Change, Known, Seen, Taken, Unbelievable};
use crate::domain::model::{ChannelName, CreditStatus, EntityId, Resource, StockRow, Timestamp, Whole};
use crate::edge::pospos::{Period, ReadError};
use crate::edge::store::{Commit, ResourceRecord, Store, StoreError};

/// The most bytes of one commit: half of what sled's measured crash safety was proved with.
const PIECE_BYTES: usize = 192 * 1024;
/// The most rows of one commit: each may bring a dozen keys of events, deliveries and indexes.
const PIECE_ROWS: usize = 100;
/// About what one event or delivery adds to a commit besides its text.
const OVERHEAD_BYTES: usize = 600;

/// What an accepted pass did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassReport {
    /// How many rows it read.
    pub rows: u64,
    /// How many of them could not be understood.
    pub unreadable: u64,
    /// How many events it made.
    pub events: u64,
    /// It was the first one.
    pub baseline: bool,
}

/// Why a pass changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The API gave nothing to believe.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It gave something whole that is not believed.
    #[error(transparent)]
    Unbelievable(#[from] Unbelievable),
    /// The disk failed: the service must end and start again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is read on request only.
    #[error("{0} is not polled")]
    NotPolled(Resource),
}

/// What was read and compared, ready to be committed.
struct Believed<R> {
    changes: Vec<Change<R>>,
    rows: u64,
    unreadable: u64,
    horizon: Option<Timestamp>,
    baseline: bool,
}

/// One pass over `resource`.
pub async fn pass(shop: &Shop, resource: Resource) -> Result<PassReport, PassError> {
    match resource {
        Resource::Transactions => pass_sales(shop).await,
        Resource::Stock => pass_stock(shop).await,
        Resource::Credit => pass_credit(shop).await,
        other => Err(PassError::NotPolled(other)),
    }
}

async fn pass_sales(shop: &Shop) -> Result<PassReport, PassError> {
    let known = shop.shared.store.known::<SaleRow>(shop.id(), Resource::Transactions).await?;
    let record = shop.shared.store.resource(shop.id(), Resource::Transactions).await?;
    let now = shop.shared.clock.now();
    let days = SaleDays::of(shop, now, record.map(|record| record.passed_at));
    let read = shop.pospos.sales(days.first, days.last).await?;
    let (rows, unreadable) = (read.rows().len() as u64, read.unreadable() as u64);
    let baseline = known == Known::Nothing;
    let changes = match is_read_otherwise(shop, Resource::Transactions).await? {
        true => sale::take_quietly(&known, read, days.window, &shop.scribe(now))?,
        false => sale::compare(&known, read, days.window, &shop.scribe(now))?,
    };
    let horizon = Some(days.window.from);
    commit(shop, Resource::Transactions, Believed { changes, rows, unreadable, horizon, baseline }, now).await
}

async fn pass_stock(shop: &Shop) -> Result<PassReport, PassError> {
    let known = shop.shared.store.known::<ProductRow>(shop.id(), Resource::Stock).await?;
    let read = shop.pospos.stock().await?;
    let now = shop.shared.clock.now();
    let (rows, unreadable) = (read.rows().len() as u64, read.unreadable() as u64);
    let blind = !read.rows().is_empty() && read.rows().iter().all(|row| row.product.quantity.is_none());
    if shop.shared.health.blindness_is_news(shop.id(), blind) && blind {
        warn!(shop.id = %shop.id(), "not one of {rows} products of {} has a quantity, so no shortage can be seen; say \
            where it stands with `[shop.fields.stock] quantity`", shop.id());
    }
    let baseline = known == Known::Nothing;
    let taken = match baseline || is_read_otherwise(shop, Resource::Stock).await? {
        true => Taken::Quietly,
        false => Taken::Compared,
    };
    let changes = compare_stock(shop, &known, read, taken, now)?;
    commit(shop, Resource::Stock, Believed { changes, rows, unreadable, horizon: None, baseline }, now).await
}

/// The whole list, row by row, and then what is not in it. Rows that could not be understood may be the missing ones.
fn compare_stock(
    shop: &Shop,
    known: &Known<ProductRow>,
    read: Whole<StockRow>,
    taken: Taken,
    now: Timestamp,
) -> Result<Vec<Change<ProductRow>>, Unbelievable> {
    let ids: BTreeSet<EntityId> = read.rows().iter().map(|row| row.product.id.clone()).collect();
    let expected = || known.rows().filter(|row| !row.removed);
    let seen = Seen {
        known: expected().count(),
        known_seen: expected().filter(|row| ids.contains(&row.product.id)).count(),
        read: read.rows().len() + read.unreadable(),
    };
    seen.check()?;
    let (scribe, all_understood) = (shop.scribe(now), read.unreadable() == 0);
    let limits = |row: &StockRow| shop.shared.rules.limits(shop.id(), row);
    let read = read.into_rows().into_iter();
    let mut changes: Vec<Change<ProductRow>> =
        read.filter_map(|row| product::compare_one(known.row(&row.product.id), row, taken, limits, &scribe)).collect();
    let missing = expected().filter(|row| all_understood && !ids.contains(&row.product.id));
    changes.extend(missing.filter_map(|row| match taken {
        Taken::Compared => product::miss_one(row, &scribe),
        Taken::Quietly => product::miss_quietly(row),
    }));
    Ok(changes)
}

async fn pass_credit(shop: &Shop) -> Result<PassReport, PassError> {
    let known = shop.shared.store.known::<CreditRow>(shop.id(), Resource::Credit).await?;
    let today = today(shop, shop.shared.clock.now());
    // In this order: see PendingCredits::join.
    let in_period = shop.pospos.credit(Period::InOfPeriod, CreditStatus::Pending, today).await?;
    let out_of_period = shop.pospos.credit(Period::OutOfPeriod, CreditStatus::Pending, today).await?;
    let rows = (in_period.rows().len() + out_of_period.rows().len()) as u64;
    let unreadable = (in_period.unreadable() + out_of_period.unreadable()) as u64;
    let pending = PendingCredits::join(in_period, out_of_period);
    let paid = shop.pospos.credit_find(&pending.wanted(&known), today).await?;
    let now = shop.shared.clock.now();
    let baseline = known == Known::Nothing;
    let changes = match is_read_otherwise(shop, Resource::Credit).await? {
        true => credit::take_quietly(&known, pending, credit::BUCKETS),
        false => {
            let misses = credit::misses(&known, &pending, &paid);
            match credit::compare(&known, pending, paid, credit::BUCKETS, &shop.scribe(now)) {
                Ok(changes) => changes,
                Err(unbelievable) => {
                    remember(shop, Resource::Credit, misses).await?;
                    return Err(unbelievable.into());
                }
            }
        }
    };
    commit(shop, Resource::Credit, Believed { changes, rows, unreadable, horizon: None, baseline }, now).await
}

/// Whether the known rows were read by other fields than today's. Then they cannot be compared.
async fn is_read_otherwise(shop: &Shop, resource: Resource) -> Result<bool, StoreError> {
    let record = shop.shared.store.resource(shop.id(), resource).await?;
    Ok(record.is_some_and(|record| record.fields != shop.fields_of(resource)))
}

/// The days of sales that a pass asks for.
struct SaleDays {
    first: NaiveDate,
    last: NaiveDate,
    window: Window,
}

impl SaleDays {
    /// From the trailing window before the last accepted pass, so that nothing falls between two passes when posbell was
    /// off for a week, to tomorrow, since a till's clock may be ahead.
    fn of(shop: &Shop, now: Timestamp, passed_at: Option<Timestamp>) -> SaleDays {
        let from = passed_at.map_or(now, |passed_at| passed_at.min(now)) - shop.config.trailing_window;
        let first = today(shop, from);
        let last = today(shop, now) + Days::new(1);
        let window = Window { from: midnight(first), until: midnight(last + Days::new(1)) };
        SaleDays { first, last, window }
    }
}

/// The API's days are Bangkok's, whatever zone messages are shown in.
fn today(_shop: &Shop, now: Timestamp) -> NaiveDate {
    now.with_timezone(&chrono_tz::Asia::Bangkok).date_naive()
}

fn midnight(day: NaiveDate) -> Timestamp {
    let local = day.and_time(NaiveTime::MIN);
    let moment = chrono_tz::Asia::Bangkok.from_local_datetime(&local).earliest();
    moment.expect("Bangkok has had no clock change since 1920").to_utc()
}

/// Keeps what a disbelieved reading has taught, without a word and without moving the cursor.
async fn remember<R: Serialize>(shop: &Shop, resource: Resource, changes: Vec<Change<R>>) -> Result<(), StoreError> {
    let now = shop.shared.clock.now();
    let mut piece = Piece::default();
    for change in changes {
        piece.add(shop, resource, change, now)?;
        if piece.is_full() {
            shop.shared.store.commit(std::mem::take(&mut piece).commit).await?;
        }
    }
    shop.shared.store.commit(piece.commit).await
}

/// Commits what a pass found, in pieces, and wakes the loops that have something to send.
async fn commit<R>(
    shop: &Shop,
    resource: Resource,
    mut found: Believed<R>,
    now: Timestamp,
) -> Result<PassReport, PassError>
where
    R: Serialize + DeserializeOwned + Send + 'static,
{
    let store = &shop.shared.store;
    let before = store.resource(shop.id(), resource).await?;
    if found.baseline {
        found.changes.extend(orphans(shop, resource, &found.changes).await?);
    }
    let record = ResourceRecord {
        baseline_at: before.as_ref().map_or(now, |record| record.baseline_at),
        passed_at: now,
        horizon: found.horizon,
        fields: shop.fields_of(resource),
        rows: found.rows,
        unreadable: found.unreadable,
    };
    let mut piece = Piece::default();
    let mut channels: Vec<ChannelName> = Vec::new();
    let mut events = 0;
    for change in found.changes {
        piece.add(shop, resource, change, now)?;
        if piece.is_full() {
            let full = std::mem::take(&mut piece);
            channels.extend(full.channels());
            events += full.commit.events.len() as u64;
            store.commit(full.commit).await?;
            shop.shared.wake(channels.drain(..).collect::<BTreeSet<_>>().iter());
        }
    }
    channels.extend(piece.channels());
    events += piece.commit.events.len() as u64;
    piece.commit.resource = Some((shop.id().clone(), resource, record));
    store.commit(piece.commit).await?;
    shop.shared.wake(channels.iter());
    Ok(PassReport { rows: found.rows, unreadable: found.unreadable, events, baseline: found.baseline })
}

/// Rows that an interrupted baseline has left and this one does not have: they would look known without being so.
async fn orphans<R>(shop: &Shop, resource: Resource, changes: &[Change<R>]) -> Result<Vec<Change<R>>, StoreError> {
    let kept: BTreeSet<_> = changes.iter().map(|change| &change.id).collect();
    let left = shop.shared.store.leftovers(shop.id(), resource).await?;
    let orphans = left.into_iter().filter(|id| !kept.contains(id));
    Ok(orphans.map(|id| Change { id, row: None, events: Vec::new() }).collect())
}

/// One commit in the making.
#[derive(Default)]
struct Piece {
    commit: Commit,
    bytes: usize,
}

impl Piece {
    fn add<R: Serialize>(
        &mut self,
        shop: &Shop,
        resource: Resource,
        change: Change<R>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = change.row.as_ref().map(Store::row).transpose()?;
        let row_bytes = row.as_ref().map_or(0, Vec::len);
        let deliveries = shop.shared.plan(&change.events, now);
        // An event holds the row twice at most: as it is and as it was.
        self.bytes +=
            row_bytes + change.events.len() * (2 * row_bytes + OVERHEAD_BYTES) + deliveries.len() * OVERHEAD_BYTES;
        self.commit.rows.push((shop.id().clone(), resource, change.id, row));
        self.commit.events.extend(change.events.into_iter().map(|event| (now, event)));
        self.commit.deliveries.extend(deliveries);
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.bytes >= PIECE_BYTES || self.commit.rows.len() >= PIECE_ROWS
    }

    fn channels(&self) -> BTreeSet<ChannelName> {
        self.commit.deliveries.iter().map(|delivery| delivery.channel.clone()).collect()
    }
}
