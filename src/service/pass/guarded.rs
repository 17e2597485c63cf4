//! What the guard says of a whole reading, and what is told of it.
//!
//! The domain judges; here its memory is read and written. A reading that is held changes nothing but that memory, in
//! one commit with the notice of it and with the rows that are told all the same. One that is believed takes the memory
//! along in its own last commit. Killed in between, the next pass judges anew, and what was told before is known to it.

use serde::Serialize;
use tokio::sync::MutexGuard;
use tracing::info;

use super::PassError;
use super::piece::Pieces;
use crate::domain::diff::Change;
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

/// A whole reading that is not accepted.
pub(super) struct HeldUp<'a> {
    shop: &'a Shop,
    resource: Resource,
    /// Until it is committed: a person's decision must not come in between.
    _alone: MutexGuard<'a, ()>,
    record: GuardRecord,
    /// The counter of the notice that is to be told, if one is.
    notice: Option<u64>,
    why: HeldBack,
}

/// What the guard says of a whole reading.
pub(super) enum Judged<'a> {
    Believed(Believed<'a>),
    Held(Box<HeldUp<'a>>),
}

impl<'a> Judged<'a> {
    /// Of a list of which nothing goes through: one that is held is an error, committed and told.
    pub(super) async fn or_hold(self, scribe: &Scribe) -> Result<Believed<'a>, PassError> {
        match self {
            Judged::Believed(believed) => Ok(believed),
            Judged::Held(held) => Err(held.commit::<()>(Vec::new(), scribe).await?.into()),
        }
    }
}

/// Judges a whole reading.
pub(super) async fn judge_pass<'a>(
    shop: &'a Shop,
    resource: Resource,
    census: Census,
    scribe: &Scribe,
) -> Result<Judged<'a>, StoreError> {
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
    Ok(match judge(census, &limits, &before, scribe.now(), every) {
        Verdict::Believe { record, .. } => {
            let guard = record.map(|record| (shop.id().clone(), resource, record));
            let last = Box::new(Commit { guard, ..Commit::default() });
            Judged::Believed(Believed { alone: Some(alone), last })
        }
        Verdict::Hold { record, notice } => {
            Judged::Held(Box::new(HeldUp { shop, resource, _alone: alone, record, notice, why }))
        }
    })
}

/// What to commit with a reading that is taken whatever it says: nothing is held any more.
pub(super) async fn clear(shop: &Shop, resource: Resource) -> Result<Commit, StoreError> {
    let before = shop.shared.store.guard(shop.id(), resource).await?;
    let after = GuardRecord { notices: before.notices, ..GuardRecord::default() };
    let guard = (after != before).then(|| (shop.id().clone(), resource, after));
    Ok(Commit { guard, ..Commit::default() })
}

impl HeldUp<'_> {
    /// Commits what is remembered of it, with the notice and with the rows that are `through`: these with their events
    /// and deliveries, and known from then on.
    pub(super) async fn commit<R: Serialize>(
        mut self,
        through: Vec<Change<R>>,
        scribe: &Scribe,
    ) -> Result<HeldBack, StoreError> {
        let (shop, resource, rows) = (self.shop, self.resource, through.len() as u64);
        self.record.tell_through(rows);
        let told =
            |(counter, held): (u64, &Held)| scribe.pass_held(counter, resource, held.since, counts(&held.census));
        let events: Vec<_> = self.notice.zip(self.record.held.as_ref()).map(told).into_iter().collect();
        let last = Commit { guard: Some((shop.id().clone(), resource, self.record)), ..Commit::default() };
        let mut pieces = Pieces::new(shop, resource, scribe.now());
        for change in through {
            Box::pin(pieces.add(change)).await?;
        }
        pieces.tell(events);
        Box::pin(pieces.finish(last)).await?;
        if rows > 0 {
            info!(shop.id = %shop.id(), pass.resource = %resource, pass.rows = rows,
                "told {rows} new rows of {resource} for {}, though the pass is held", shop.id());
        }
        Ok(self.why)
    }
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
