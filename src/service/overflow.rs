//! More was to be sent to a channel than may wait for it: told once in the log and once to people on another channel.
//!
//! What is more is in the outbox as a dead letter, so nothing is lost; but nobody is told of it by that channel any more,
//! and whoever looks after it has to know. That somebody was told stands in the store, so that neither a restart nor the
//! next message tells it again, until clearly fewer wait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::notice::{TELL_AGAIN, Teller};
use super::shop::Shared;
use super::shutdown::Shutdown;
use crate::domain::message::Notice;
use crate::domain::model::{ChannelName, Timestamp};
use crate::edge::store::{Commit, Overflow, StoreError};

/// How often it is looked for.
const LOOK: Duration = Duration::from_secs(2);

/// The channels whose overflow is known here, with when people are to be told of it.
type Known = BTreeMap<ChannelName, Timestamp>;

/// Looks for overflows and tells of them until the end is asked for. Only a failing store ends it earlier.
pub(super) async fn watch(shared: Arc<Shared>, people: Teller, most: u64, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut known = Known::new();
    while shutdown.unless_asked(tokio::time::sleep(LOOK)).await.is_some() {
        let overflows = shared.store.overflows().await?;
        known.retain(|channel, _| {
            let stays = overflows.contains_key(channel);
            if !stays {
                info!(channel.name = %channel, "fewer messages wait for {channel} again: new ones are kept for it");
            }
            stays
        });
        for (channel, overflow) in overflows {
            let told = shutdown.unless_asked(tell(&shared, &people, most, &mut known, &channel, &overflow)).await;
            let Some(told) = told else { break };
            told?;
        }
    }
    Ok(())
}

async fn tell(
    shared: &Shared,
    people: &Teller,
    most: u64,
    known: &mut Known,
    channel: &ChannelName,
    overflow: &Overflow,
) -> Result<(), StoreError> {
    let now = shared.clock.now();
    if overflow.told {
        known.entry(channel.clone()).or_insert(now);
        return Ok(());
    }
    let tell_at = known.entry(channel.clone()).or_insert_with(|| {
        warn!(channel.name = %channel,
            "{most} messages wait for {channel}: what comes now is a dead letter at once; when it takes messages again, \
             say `posbell retry --dead --channel {channel}`");
        now
    });
    let is_another = |other: &ChannelName| other != channel;
    if now < *tell_at {
        return Ok(());
    }
    *tell_at = now + TELL_AGAIN;
    // Where there is nobody to be told the log has said it.
    let is_told = !people.can_tell(is_another)
        || people.tell(Notice::TooManyWait { channel: channel.as_str(), most }, is_another).await.is_some();
    if is_told {
        shared.store.commit(Commit { overflow_told: vec![channel.clone()], ..Commit::default() }).await?;
    }
    Ok(())
}
