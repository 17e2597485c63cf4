//! What posbell says about itself to people, past the outbox: that cannot be written to, or is what it is about.
//!
//! It goes to the readers of the first channel that takes it. It is kept in no store, and whoever tells it sees to it
//! that it is not told too often.

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::clock::Clock;
use super::guard;
use super::ready::ReadyChannel;
use crate::domain::event::{DeliveryId, Severity};
use crate::domain::message::{Notice, Wording, render_notice};
use crate::domain::model::ChannelName;
use crate::domain::outbox::Outcome;
use crate::edge::channel::Outgoing;

/// How long after a notice that nobody took it is tried again.
pub(super) const TELL_AGAIN: Duration = Duration::from_secs(60);

/// Who tells people.
pub(super) struct Teller {
    /// Those that people read, in the order of the configuration.
    channels: Vec<Arc<ReadyChannel>>,
    wording: Wording,
    clock: Clock,
}

impl Teller {
    /// Tells by those of the channels that people read.
    pub(super) fn new(channels: &[Arc<ReadyChannel>], wording: Wording, clock: Clock) -> Teller {
        let of_people = channels.iter().filter(|channel| channel.channel.is_for_people());
        Teller { channels: of_people.cloned().collect(), wording, clock }
    }

    /// Sends the notice to all readers of the first channel that may be taken and takes it. Returns which it was.
    pub(super) async fn tell(&self, notice: Notice<'_>, may: impl Fn(&ChannelName) -> bool) -> Option<ChannelName> {
        let at = self.clock.now();
        let text = render_notice(notice, &self.wording);
        for channel in self.channels.iter().filter(|channel| may(&channel.name)) {
            let one = [None];
            let several: Vec<Option<&str>> = channel.recipients.iter().map(|to| Some(to.as_str())).collect();
            let recipients = if several.is_empty() { &one[..] } else { &several };
            let mut taken = false;
            for recipient in recipients {
                let id = self.clock.token();
                let outgoing = Outgoing {
                    delivery: DeliveryId::of_notice(&channel.name, *recipient, &id),
                    id,
                    body: String::new(),
                    text: text.clone(),
                    recipient: recipient.map(ToOwned::to_owned),
                    severity: Severity::Critical,
                    at,
                };
                taken |= matches!(guard::send(channel, || outgoing).await, Outcome::Delivered);
            }
            if taken {
                info!(channel.name = %channel.name, "{} was told: {}", channel.name, text.title);
                return Some(channel.name.clone());
            }
            warn!(channel.name = %channel.name, "{} could not be told: {}", channel.name, text.title);
        }
        None
    }
}
