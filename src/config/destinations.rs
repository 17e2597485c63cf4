//! What planning must know of the configured channels.

use super::{ChannelKind, Config};
use crate::domain::outbox::{Destination, Destinations};

impl Config {
    /// Who reads each channel, and its recipients where it has several.
    pub fn destinations(&self) -> Destinations {
        let known = self.channels.iter().map(|channel| {
            let (recipients, for_people) = match &channel.kind {
                ChannelKind::Webhook { .. } => (Vec::new(), false),
                ChannelKind::Email { to, .. } => (to.clone(), true),
                ChannelKind::Telegram { .. } => (Vec::new(), true),
            };
            (channel.name.clone(), Destination { recipients, for_people, batch: channel.batch })
        });
        known.collect()
    }
}
