//! What all shops share, with the loops of the service or without.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::clock::Clock;
use super::health::Health;
use super::notices::OpenNotices;
use super::send_limits::SendLimits;
use super::setup::ReadyChannel;
use crate::config::Config;
use crate::domain::event::Event;
use crate::domain::model::{ChannelName, Timestamp};
use crate::domain::outbox::{self, Delivery, Destinations};
use crate::domain::rules::RuleSet;
use crate::edge::store::{Commit, Store, StoreError};

/// What all shops share.
pub struct Shared {
    /// The disk.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The rules.
    pub rules: RuleSet,
    /// A hash of what the rules say about thresholds: with others, every product is measured anew.
    pub measure: String,
    /// How long what is finished is kept.
    pub retain: Duration,
    /// What planning must know of the channels.
    pub destinations: Destinations,
    /// How it all goes.
    pub health: Health,
    /// Notices that nobody is known to have taken.
    pub notices: OpenNotices,
    /// What holds back messages.
    pub limits: SendLimits,
    /// Wakes the delivery loop of a channel.
    pub wakes: BTreeMap<ChannelName, Arc<Notify>>,
}

impl Shared {
    /// What the loops share at their beginning. A command has no loops and no `channels`.
    pub fn new(store: Store, clock: Clock, config: &Config, channels: &[ReadyChannel]) -> Shared {
        let wakes = channels.iter().map(|channel| (channel.name.clone(), Arc::new(Notify::new()))).collect();
        Shared {
            store,
            clock,
            measure: measure(config),
            retain: config.retain,
            rules: config.rules.clone(),
            destinations: config.destinations(),
            health: Health::default(),
            notices: OpenNotices::default(),
            limits: SendLimits::of(channels),
            wakes,
        }
    }

    /// The deliveries of these events, which belong together, by the rules.
    pub fn plan(&self, events: &[Event], now: Timestamp) -> Vec<Delivery> {
        outbox::plan(events, &self.rules, &self.destinations, now)
    }

    /// Commits these events and the deliveries of them together with `commit`, and wakes the loops of their channels.
    pub async fn commit_events(&self, events: Vec<Event>, commit: Commit) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut commit = commit;
        commit.deliveries.extend(self.plan(&events, now));
        let channels: Vec<ChannelName> = commit.deliveries.iter().map(|delivery| delivery.channel.clone()).collect();
        commit.events.extend(events.iter().cloned().map(|event| (now, event)));
        self.store.commit(commit).await?;
        self.notices.note(&events, now);
        self.wake(channels.iter());
        Ok(())
    }

    /// Wakes the loops of the channels that these deliveries go to. Only after their commit.
    pub fn wake<'a>(&self, channels: impl Iterator<Item = &'a ChannelName>) {
        for channel in channels {
            if let Some(wake) = self.wakes.get(channel) {
                wake.notify_one();
            }
        }
    }
}

/// What decides on levels besides the rows.
fn measure(config: &Config) -> String {
    let thresholds = format!("{:?}", config.rules.thresholds);
    let digest = ring::digest::digest(&ring::digest::SHA256, thresholds.as_bytes());
    digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
