//! Looks after the channels: tells elsewhere when one does not take messages, when it takes them again, and when so
//! many wait for it that new ones are dead letters.
//!
//! When a channel counts as failing is decided in [`crate::domain::outbox::Streak`]; here it is written down with its
//! event and the deliveries to the other channels, in one commit, so that a restart tells nothing twice.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tracing::{error, info, warn};

use super::health::Failing;
use super::shared::Shared;
use super::shutdown::Shutdown;
use crate::config::Config;
use crate::domain::event::{ChannelFailing, ChannelFault, ChannelRecovered, Event, Scribe};
use crate::domain::model::{ChannelName, Timestamp};
use crate::edge::store::{ChannelTold, ChannelsTold, Commit, FailingRecord, Overflow, StoreError};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);

/// A channel of which it was told within this time, and which has taken messages since, fails and works in turns. It is
/// among the problems at once, told again only when it has failed for [`FLAPPING_FOR`], and its end only after
/// [`QUIET_FOR`] without a failure: a receiver that refuses some messages and takes others must not ring each time.
const FLAPPING: TimeDelta = TimeDelta::hours(1);
const FLAPPING_FOR: TimeDelta = TimeDelta::minutes(5);
const QUIET_FOR: Duration = Duration::from_secs(15 * 60);

/// Whether it was told of this channel lately.
fn was_told_lately(record: &ChannelTold, now: Timestamp) -> bool {
    record.told_at.is_some_and(|told_at| now - told_at < FLAPPING)
}

/// Who looks after the channels.
pub(super) struct ChannelWatch {
    shared: Arc<Shared>,
    config: Arc<Config>,
    /// What was told.
    records: ChannelsTold,
    /// The channels whose overflow was logged.
    overflowing: BTreeSet<ChannelName>,
}

impl ChannelWatch {
    /// Reads what was told.
    pub(super) async fn new(shared: Arc<Shared>, config: Arc<Config>) -> Result<ChannelWatch, StoreError> {
        let records = shared.store.channels_told().await?;
        Ok(ChannelWatch { shared, config, records, overflowing: BTreeSet::new() })
    }

    /// Looks until the end is asked for. Only a failing store ends it earlier.
    pub(super) async fn run(mut self, shutdown: Shutdown) -> anyhow::Result<()> {
        while shutdown.unless_asked(tokio::time::sleep(LOOK)).await.is_some() {
            let config = Arc::clone(&self.config);
            for channel in &config.channels {
                self.look(&channel.name).await?;
            }
            self.look_for_overflows().await?;
        }
        Ok(())
    }

    async fn look(&mut self, channel: &ChannelName) -> Result<(), StoreError> {
        let (now, up) = (self.shared.clock.now(), self.shared.clock.mark().up);
        let health = &self.shared.health;
        let recipients = self.shared.settings.destinations.recipients(channel).map_or(1, <[String]>::len);
        let before = self.records.0.get(channel).cloned().unwrap_or_default();
        let mut record = before.clone();
        let fault = health.channel_fault(channel, recipients, up);
        match &fault {
            Some((cause, failing)) if record.failing.is_none() => {
                record.failing = Some(FailingRecord { since: failing.since, cause: *cause });
            }
            None if health.channel_takes(channel) => record.failing = None,
            _ => {}
        }
        let may_tell = |failed: &FailingRecord| !was_told_lately(&before, now) || now - failed.since >= FLAPPING_FOR;
        let is_quiet = health.channel_quiet_for(channel, up) >= QUIET_FOR;
        match (record.failing.clone().zip(fault), record.told_since) {
            (Some((failed, (_, failing))), None) if may_tell(&failed) => {
                self.tell_failing(channel, record, &failed, &failing).await
            }
            (None, Some(since)) if record.failing.is_none() && (!record.flaps || is_quiet) => {
                info!(channel.name = %channel, "channel {channel} takes messages again");
                self.tell_recovered(channel, ChannelTold { told_since: None, ..record }, since).await
            }
            _ if record != before => self.write(channel, record, Vec::new(), Vec::new()).await,
            _ => Ok(()),
        }
    }

    async fn tell_failing(
        &mut self,
        channel: &ChannelName,
        record: ChannelTold,
        failed: &FailingRecord,
        failing: &Failing,
    ) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        let why = failing.in_full();
        error!(channel.name = %channel, "channel {channel} does not take messages: {}", failing.why);
        let record = ChannelTold {
            told_since: Some(failed.since),
            flaps: was_told_lately(&record, now),
            told_at: Some(now),
            failing_events: record.failing_events + 1,
            ..record
        };
        let waiting = self.waiting(channel).await?;
        let FailingRecord { since, cause } = *failed;
        let event = ChannelFailing { channel: channel.clone(), since, cause, why, waiting };
        let event = self.factory(channel, now).channel_failing(record.failing_events, event);
        self.write(channel, record, vec![event], Vec::new()).await
    }

    async fn tell_recovered(
        &mut self,
        channel: &ChannelName,
        record: ChannelTold,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        let lasted_s = u64::try_from((now - since).num_seconds()).unwrap_or_default();
        let record = ChannelTold { recovered_events: record.recovered_events + 1, ..record };
        let waiting = self.waiting(channel).await?;
        let event = ChannelRecovered { channel: channel.clone(), since, lasted_s, waiting };
        let event = self.factory(channel, now).channel_recovered(record.recovered_events, event);
        self.write(channel, record, vec![event], Vec::new()).await
    }

    /// Tells once of each channel for which more was to be sent than may wait, until clearly fewer wait.
    async fn look_for_overflows(&mut self) -> Result<(), StoreError> {
        let overflows = self.shared.store.overflows().await?;
        self.overflowing.retain(|channel| {
            let stays = overflows.contains_key(channel);
            if !stays {
                info!(channel.name = %channel, "fewer messages wait for {channel} again: new ones are kept for it");
            }
            stays
        });
        for (channel, record) in self.records.0.clone() {
            let ended = record.overflow_since.filter(|_| !overflows.contains_key(&channel));
            if let Some(since) = ended {
                let record = ChannelTold { overflow_since: None, ..record };
                match record.told_since {
                    // Its own end is still to come.
                    Some(_) => drop(self.records.0.insert(channel, record)),
                    None => self.tell_recovered(&channel, record, since).await?,
                }
            }
        }
        for (channel, overflow) in overflows {
            if self.overflowing.insert(channel.clone()) && !overflow.told {
                warn!(channel.name = %channel,
                    "{} messages wait for {channel}: new ones are dead letters at once; when it takes messages again, \
                     type `posbell retry --dead --channel {channel}`", self.config.max_waiting);
            }
            if !overflow.told {
                self.tell_overflow(&channel, &overflow).await?;
            }
        }
        Ok(())
    }

    async fn tell_overflow(&mut self, channel: &ChannelName, overflow: &Overflow) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        let record = self.records.0.get(channel).cloned().unwrap_or_default();
        let failing_events = record.failing_events + 1;
        let record = ChannelTold { failing_events, overflow_since: Some(overflow.since), ..record };
        let most = self.config.max_waiting;
        let event = ChannelFailing {
            channel: channel.clone(),
            since: overflow.since,
            cause: ChannelFault::Overflow,
            why: format!("{most} messages wait for it (`[store] max_waiting`)"),
            waiting: most,
        };
        let event = self.factory(channel, now).channel_failing(record.failing_events, event);
        self.write(channel, record, vec![event], vec![channel.clone()]).await
    }

    /// Commits what is known of the channel with the events and their deliveries.
    async fn write(
        &mut self,
        channel: &ChannelName,
        record: ChannelTold,
        events: Vec<Event>,
        overflow_told: Vec<ChannelName>,
    ) -> Result<(), StoreError> {
        let mut records = self.records.clone();
        records.0.insert(channel.clone(), record);
        let channels_told = Some(records.clone());
        self.shared.publish(events, Commit { channels_told, overflow_told, ..Commit::default() }).await?;
        self.records = records;
        Ok(())
    }

    async fn waiting(&self, channel: &ChannelName) -> Result<u64, StoreError> {
        let counts = self.shared.store.outbox_counts().await?;
        Ok(counts.waiting.get(channel.as_str()).copied().unwrap_or_default())
    }

    /// Events need a shop: the first one whose rules name the channel.
    fn factory(&self, channel: &ChannelName, now: Timestamp) -> Scribe {
        let names_it = |shop: &&crate::config::ShopConfig| self.config.rules.channels_of(&shop.id).contains(channel);
        let shops = &self.config.shops;
        let shop = shops.iter().find(names_it).or(shops.first()).expect("a configuration has at least one shop");
        Scribe::new(shop.id.clone(), shop.name.as_str(), self.shared.store.epoch().clone(), now)
    }
}
