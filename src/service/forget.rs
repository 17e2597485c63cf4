//! What is old and finished is forgotten, and what waits for nobody is given up: by a clock that is right.
//!
//! A clock that is years ahead would forget all at once. So nothing is forgotten before the shop's server has been heard
//! to have the same time, nor after the clock was set until it has been heard again; where no API is reached nothing is
//! read either, so the store does not grow meanwhile.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tracing::{info, warn};

use super::compact::Compactor;
use super::shared::Shared;
use super::shutdown::Shutdown;
use crate::domain::outbox::RetryPolicy;
use crate::edge::store::{Commit, StoreError, When};

/// How often old events and deliveries are forgotten.
const PRUNING: Duration = Duration::from_secs(3600);

/// How many messages for a channel that is gone are given up in one commit.
const ORPHANS_AT_ONCE: usize = 100;

/// Forgets now and then until the end is asked for, and keeps the store small.
pub(super) async fn run(shared: Arc<Shared>, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut compactor = Compactor::default();
    while shutdown.unless_asked(tokio::time::sleep(PRUNING)).await.is_some() {
        // Each step is a commit of its own, and what is cut off is done the next time.
        let Some(forgotten) = shutdown.unless_asked(forget(&shared)).await else { break };
        forgotten?;
        // Cut off before its end, it leaves the store as it was.
        let looked = shutdown.unless_asked(compactor.look(&shared.store)).await;
        looked.transpose().context("Failed to write the store anew")?;
    }
    Ok(())
}

/// Forgets what is old and gives up what nobody is left to send, unless the clock may be wrong. Returns whether it did.
pub async fn forget(shared: &Shared) -> anyhow::Result<bool> {
    if !shared.clock.is_right() {
        return Ok(false);
    }
    give_up_orphans(shared).await.context("Failed to give up messages for channels that are gone")?;
    let before = shared.clock.now() - shared.retain;
    let (deliveries, events) = shared.store.prune(before).await.context("Failed to forget old events")?;
    if deliveries + events > 0 {
        info!("forgot {events} events and {deliveries} finished deliveries from before {before}");
    }
    Ok(true)
}

/// Messages for a channel that the configuration has lost become dead letters when their time is over, as they would
/// with a channel that never answers.
async fn give_up_orphans(shared: &Shared) -> Result<(), StoreError> {
    let now = shared.clock.now();
    let policy = RetryPolicy::default();
    let when = When::with_pauses(now, policy.longest_pause());
    let waiting = shared.store.waiting_channels().await?;
    for channel in waiting.iter().filter(|channel| !shared.wakes.contains_key(*channel)) {
        let due = shared.store.due(channel, when, ORPHANS_AT_ONCE, |_| false).await?;
        let over = due.now.into_iter().map(|item| item.delivery).filter(|d| d.since() + policy.retry_for <= now);
        let settled: Vec<_> = over.map(|delivery| (delivery.clone(), delivery.give_up(now))).collect();
        if !settled.is_empty() {
            warn!(channel.name = %channel, "{} messages for channel {channel} are given up", settled.len());
            shared.store.commit(Commit { settled, ..Commit::default() }).await?;
        }
    }
    Ok(())
}
