//! What must a start know of the calls before it? The pauses that receivers asked for, and the places that are taken in
//! their rates.
//!
//! Both are told by what the attempts have left in the store, so nothing is written for them. A receiver counts on, and
//! means its wish, whether or not posbell has been started again. Other settings are another receiver: their pause is
//! forgotten.
//!
//! An attempt that a kill cut off stands nowhere, and is not counted.

use std::time::Duration;

use super::Deliverer;
use super::attempt::{GRAIN, MOST_MET};
use crate::domain::event::DeliveryId;
use crate::domain::model::{ChannelName, Timestamp};
use crate::edge::store::{Failed, Store, StoreError};
use crate::service::ready::ReadyChannel;
use crate::service::shared::Shared;

/// How many parts of what waits are looked through for pauses, of one channel.
const MOST_PAGES: usize = 20;

/// Takes in what was before the start. For all channels before any of them sends: some share a receiver.
pub async fn recall(shared: &Shared, channels: &[ReadyChannel]) -> Result<(), StoreError> {
    let now = shared.clock.mark();
    let names = channels.iter().map(|channel| channel.name.clone());
    let with_rates = names.filter(|name| shared.limits.has_rates(name)).collect();
    let calls = shared.store.latest_calls(with_rates).await?;
    for channel in channels {
        let known = shared.store.channel(&channel.name).await?;
        let is_changed = known.is_some_and(|known| known.settings != channel.settings);
        let pause = match is_changed {
            true => None,
            false => paused(&shared.store, &channel.name, now.shown).await?.1,
        };
        let ago = |end: &Timestamp| (now.shown - *end).to_std().unwrap_or_default().saturating_sub(GRAIN);
        let ended: Vec<Duration> = calls.get(&channel.name).into_iter().flatten().map(ago).collect();
        shared.limits.recall(&channel.name, &ended, pause.map(|pause| pause + GRAIN), now.up);
    }
    Ok(())
}

/// What met a wish of the receiver that is not over, and how long that lasts still.
async fn paused(
    store: &Store,
    channel: &ChannelName,
    now: Timestamp,
) -> Result<(Vec<DeliveryId>, Option<Duration>), StoreError> {
    let (mut met, mut pause, mut from) = (Vec::new(), None, None);
    for _ in 0..MOST_PAGES {
        let page = store.failed(channel, now, Failed::OnlyPauses, from).await?;
        met.extend(page.ids);
        pause = pause.max(page.pause);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    met.truncate(MOST_MET);
    Ok((met, pause))
}

impl Deliverer {
    /// What met the wish of the receiver before the start, and keeps its place.
    pub(super) async fn met_before(&self) -> Result<Vec<DeliveryId>, StoreError> {
        Ok(paused(&self.shared.store, &self.channel.name, self.shared.clock.now()).await?.0)
    }
}
