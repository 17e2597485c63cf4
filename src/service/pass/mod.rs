//! One pass over one resource: read it whole, compare it with what was last believed, commit what follows.
//!
//! Nothing is sent here. The commit is durable before the wake-up, so a crash at any line either leaves the last
//! belief untouched or leaves deliveries that the other loop will find. A large pass is committed in pieces, each
//! with its own events and with their deliveries or the promise of them, and only the last piece moves the cursor: killed
//! between two pieces, the next pass finds just what is missing.

mod credits;
pub(super) mod days;
mod guarded;
mod listed;
mod lists;
mod marks;
mod piece;
pub mod refresh;
pub mod refreshes;
mod sales;
pub mod sales_memory;

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use crate::domain::clock::Mark;
use crate::domain::diff::{Change, Unbelievable};
use crate::domain::model::Resource;
use crate::edge::pospos::ReadError;
use crate::edge::store::StoreError;
use crate::service::shop::Shop;
use lists::{Entities, Products};

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
    /// A list that must have rows has had none yet: that is an answer, and no baseline. Nothing was stored.
    pub empty_so_far: bool,
    /// It read only a part, because reading all of the list had failed: the list still counts as failing.
    pub is_part: bool,
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
    /// It gave something whole that a person must look at.
    #[error(transparent)]
    Held(#[from] guarded::HeldBack),
    /// The clock by which it was asked is not the one by which it would be compared. The next pass is the retry.
    #[error("this machine's clock was set while the shop was read; the next pass tries again")]
    ClockSet,
    /// The disk failed: the service must end and start again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// At a start: plans what passes that were killed have committed and not yet planned.
pub async fn go_on(shop: &Shop) -> Result<(), StoreError> {
    piece::keep_promises(shop).await
}

/// One pass over `resource`.
pub async fn pass(shop: &Shop, resource: Resource) -> Result<PassReport, PassError> {
    match resource {
        Resource::Transactions => Box::pin(sales::pass(shop)).await,
        Resource::Stock => {
            let products = Products::of(shop).await?;
            let in_one = products.come_in_one_answer();
            let done = Box::pin(listed::pass(shop, products)).await;
            if let Err(PassError::Read(error)) = &done
                && in_one
                && error.is_of_length()
            {
                shop.stock_was_too_much.store(true, Ordering::Relaxed);
            }
            done
        }
        Resource::Credit => Box::pin(credits::pass(shop)).await,
        Resource::Members => Box::pin(listed::pass(shop, Entities::members())).await,
        Resource::Vendors => Box::pin(listed::pass(shop, Entities::vendors())).await,
        Resource::BuyDocuments => Box::pin(listed::pass(shop, Entities::purchases())).await,
    }
}

/// That nobody has set the clock since `begun`: days were asked for by it.
fn clock_went_on(shop: &Shop, begun: Mark) -> Result<(), PassError> {
    let clock = &shop.shared.clock;
    if begun.is_followed_by(clock.mark()) { Ok(()) } else { Err(PassError::ClockSet) }
}

/// Whether the known rows were read by other fields than today's. Then they cannot be compared.
async fn is_read_otherwise(shop: &Shop, resource: Resource) -> Result<bool, StoreError> {
    let record = shop.shared.store.resource(shop.id(), resource).await?;
    Ok(record.is_some_and(|record| record.fields != shop.fields_of(resource)))
}

/// The changes of a baseline, with the end of what an interrupted one has left and this one does not have: it would
/// look known without being so.
async fn with_orphans<R>(
    shop: &Shop,
    resource: Resource,
    mut changes: Vec<Change<R>>,
    baseline: bool,
) -> Result<Vec<Change<R>>, StoreError> {
    if baseline {
        let kept: BTreeSet<_> = changes.iter().map(|change| change.id.clone()).collect();
        let left = shop.shared.store.leftovers(shop.id(), resource).await?;
        let orphans = left.into_iter().filter(|id| !kept.contains(id));
        changes.extend(orphans.map(|id| Change { id, row: None, events: Vec::new() }));
    }
    Ok(changes)
}
