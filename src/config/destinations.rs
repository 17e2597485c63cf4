//! What planning must know of the configured channels.

use super::{ChannelKind, Config};
use crate::domain::outbox::{Destination, Destinations};

impl Config {
    /// Who reads each channel, and its recipients where it has several.
    pub fn destinations(&self) -> Destinations {
        let known = self.channels.iter().map(|channel| {
            let recipients = match &channel.kind {
                ChannelKind::Email { to, .. } => to.clone(),
                ChannelKind::Webhook { .. } | ChannelKind::Telegram { .. } => Vec::new(),
            };
            let for_people = channel.is_for_people();
            (channel.name.clone(), Destination { recipients, for_people, batch: channel.batch })
        });
        known.collect()
    }
}
