//! What the guard says of a whole reading, and what is told of it.
//!
//! The domain judges; here its memory is read and written. A reading that is held changes nothing but that memory, in
//! one commit with the notice of it. One that is believed takes the memory along in its own last commit.

use tokio::sync::MutexGuard;

use super::PassError;
use crate::domain::diff::guard::{Census, Counts, GuardRecord, Held, Verdict, judge};
use crate::domain::event::{HeldCounts, Scribe};
use crate::domain::model::Resource;
use crate::edge::store::{Commit, StoreError};
use crate::service::shop::Shop;

/// A whole reading that is not believed until it changes, or a person says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "it was read, but {} of {known} known rows are not as they can be; see `posbell held show {shop} {resource}`",
    suspicious
)]
pub struct HeldBack {
    shop: String,
    resource: Resource,
    known: u64,
    suspicious: u64,
}

/// A whole reading that is accepted.
pub(super) struct Believed<'a> {
    /// To be kept until `last` is committed: a person's decision must not come in between.
    pub(super) alone: Option<MutexGuard<'a, ()>>,
    /// What to commit with it.
    pub(super) last: Box<Commit>,
}

impl Believed<'_> {
    /// One that nobody judges, with what is to be committed with it.
    pub(super) fn unseen(last: Commit) -> Self {
        Believed { alone: None, last: Box::new(last) }
    }
}

/// Judges a whole reading. One that is held is an error, committed and told.
pub(super) async fn judge_pass<'a>(
    shop: &'a Shop,
    resource: Resource,
    census: Census,
    scribe: &Scribe,
) -> Result<Believed<'a>, PassError> {
    let alone = shop.guard.lock().await;
    let before = shop.shared.store.guard(shop.id(), resource).await?;
    let limits = shop.config.guard.of(resource);
    let every = match resource {
        // While sales are held each pass reads the whole window, which takes longer than the interval of their heads.
        Resource::Transactions => shop.interval(resource).unwrap_or_default().max(limits.accept_after / 6),
        _ => shop.interval(resource).unwrap_or_default(),
    };
    let why =
        HeldBack { shop: shop.id().to_string(), resource, known: census.known, suspicious: census.counts.suspicious };
    match judge(census, &limits, &before, scribe.now(), every) {
        Verdict::Believe { record, .. } => {
            let guard = record.map(|record| (shop.id().clone(), resource, record));
            Ok(Believed { alone: Some(alone), last: Box::new(Commit { guard, ..Commit::default() }) })
        }
        Verdict::Hold { record, notice } => {
            hold(shop, resource, record, notice, scribe).await?;
            Err(why.into())
        }
    }
}

/// What to commit with a reading that is taken whatever it says: nothing is held any more.
pub(super) async fn clear(shop: &Shop, resource: Resource) -> Result<Commit, StoreError> {
    let before = shop.shared.store.guard(shop.id(), resource).await?;
    let after = GuardRecord { notices: before.notices, ..GuardRecord::default() };
    let guard = (after != before).then(|| (shop.id().clone(), resource, after));
    Ok(Commit { guard, ..Commit::default() })
}

async fn hold(
    shop: &Shop,
    resource: Resource,
    record: GuardRecord,
    notice: Option<u64>,
    scribe: &Scribe,
) -> Result<(), StoreError> {
    let told = |(counter, held): (u64, &Held)| scribe.pass_held(counter, resource, held.since, counts(&held.census));
    let event = notice.zip(record.held.as_ref()).map(told);
    let events: Vec<_> = event.into_iter().collect();
    let guard = Some((shop.id().clone(), resource, record));
    shop.shared.commit_events(events, Commit { guard, ..Commit::default() }).await
}

fn counts(census: &Census) -> HeldCounts {
    let Counts {
        suspicious: _,
        vanished,
        quantity_lost,
        to_zero,
        renamed,
        emptied,
        rewritten,
        cancelled,
        doubled,
        implausible,
    } = census.counts;
    HeldCounts {
        known: census.known,
        vanished,
        quantity_lost,
        to_zero,
        renamed,
        emptied,
        rewritten,
        cancelled,
        doubled,
        implausible,
    }
}
