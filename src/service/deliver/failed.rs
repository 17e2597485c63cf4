//! What failed is tried at once where that may help: after a start, for a channel with other settings, and when a person
//! says so.
//!
//! Only what waits because an attempt failed is made due. A start does so at most once in a quarter of an hour, and
//! writes that down before, so that a service that ends again and again does not write to a receiver each time; and it
//! leaves alone what the receiver asked a pause for, until that is over. Other settings are another receiver.

use chrono::TimeDelta;
use tracing::info;

use super::Deliverer;
use crate::domain::model::{ChannelName, Timestamp};
use crate::domain::outbox::Act;
use crate::edge::store::{ChannelRecord, Commit, Failed, Store, StoreError};

/// How long after a start the next one leaves alone what failed.
const NOT_AGAIN: TimeDelta = TimeDelta::minutes(15);

impl Deliverer {
    /// Makes due what failed before this start.
    pub(super) async fn try_what_failed(&self) -> Result<(), StoreError> {
        let (name, store, now) = (&self.channel.name, &self.shared.store, self.shared.clock.now());
        let known = store.channel(name).await?;
        let is_changed = known.as_ref().is_some_and(|known| known.settings != self.channel.settings);
        // The clock may have been set back since.
        let lately = |at: Timestamp| (now - at).abs() < NOT_AGAIN;
        if !is_changed && known.as_ref().and_then(|known| known.tried_at).is_some_and(lately) {
            return Ok(());
        }
        // Killed in between, a changed channel is still another one at the next start.
        let before = known.map_or_else(|| self.channel.settings.clone(), |known| known.settings);
        self.remember(before, now).await?;
        let which = if is_changed { Failed::All } else { Failed::WithoutPauses };
        let tried = try_now(store, name, now, which).await?;
        if is_changed {
            self.remember(self.channel.settings.clone(), now).await?;
        }
        if tried > 0 {
            let why = if is_changed { "its settings have changed" } else { "posbell has started" };
            info!(channel.name = %name, "{tried} messages to {name} that failed are tried at once, because {why}");
        }
        Ok(())
    }

    async fn remember(&self, settings: String, now: Timestamp) -> Result<(), StoreError> {
        let record = ChannelRecord { settings, tried_at: Some(now) };
        let channel = Some((self.channel.name.clone(), record));
        self.shared.store.commit(Commit { channel, ..Commit::default() }).await
    }
}

/// Makes due at `now` what waits for the channel because an attempt failed. Returns how many that were.
async fn try_now(store: &Store, channel: &ChannelName, now: Timestamp, which: Failed) -> Result<u64, StoreError> {
    let (mut tried, mut from) = (0, None);
    loop {
        let page = store.failed(channel, now, which, from).await?;
        tried += page.ids.len() as u64;
        if !page.ids.is_empty() {
            let acts = page.ids.into_iter().map(|id| (id, Act::TryNow, now)).collect();
            store.commit(Commit { acts, ..Commit::default() }).await?;
        }
        match page.next {
            Some(next) => from = Some(next),
            None => return Ok(tried),
        }
    }
}
