//! What all shops share, with the loops of the service or without.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify};

use super::clock::Clock;
use super::health::Health;
use super::open_notices::OpenNotices;
use super::ready::ReadyChannel;
use super::send_limits::SendLimits;
use crate::config::Config;
use crate::domain::model::ChannelName;
use crate::domain::publish::Settings;
use crate::edge::store::Store;

/// What all shops share.
pub struct Shared {
    /// The disk.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// What is in force.
    pub settings: Settings,
    /// A hash of what the rules say about thresholds: with others, every product is measured anew.
    pub measure: String,
    /// How long what is finished is kept.
    pub retain: Duration,
    /// How it all goes.
    pub health: Health,
    /// Notices that nobody is known to have taken.
    pub notices: OpenNotices,
    /// What holds back messages.
    pub limits: SendLimits,
    /// Held while what the rules remember is read, changed and committed.
    pub(super) publishing: Mutex<()>,
    /// Wakes what ends groups.
    pub(super) groups: Notify,
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
            settings: Settings { rules: config.rules.clone(), destinations: config.destinations() },
            health: Health::default(),
            notices: OpenNotices::default(),
            limits: SendLimits::of(channels),
            publishing: Mutex::new(()),
            groups: Notify::new(),
            wakes,
        }
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
