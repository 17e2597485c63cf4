//! When does a channel count as failing? What the attempts since its last success say.
//!
//! At once where an attempt says something of the channel itself (the login is refused, the chat is gone); after three
//! different messages in a row where it may be about one message; otherwise after a quarter of an hour without a
//! success. A refusal of one message shows that the way to the receiver works; a message that never left shows nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Concern;
use crate::domain::event::{ChannelFault, DeliveryId};
use crate::domain::model::Timestamp;

/// How many different messages must be refused in a row; from the contract.
const MESSAGES: usize = 3;

/// How long a channel may be without a success; from the contract.
const WITHOUT_SUCCESS: Duration = Duration::from_secs(15 * 60);

/// The failed attempts since the last success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streak {
    /// When the first of them was.
    pub since: Timestamp,
    /// How many there have been.
    pub times: u64,
    /// What the latest one said.
    pub why: String,
    /// What the other side said to it.
    pub said: Option<String>,
    refused: bool,
    messages: BTreeSet<DeliveryId>,
    /// The uptime of the first attempt that did not reach the receiver, since one did.
    unreached_since: Option<Duration>,
}

impl Streak {
    /// A streak that begins at `now`.
    pub fn begin(now: Timestamp) -> Streak {
        let (why, messages) = (String::new(), BTreeSet::new());
        Streak { since: now, times: 0, why, said: None, refused: false, messages, unreached_since: None }
    }

    /// Adds a failed attempt at this uptime of the machine or process.
    pub fn failed(
        &mut self,
        delivery: &DeliveryId,
        concern: Concern,
        (why, said): (&str, Option<String>),
        up: Duration,
    ) {
        self.times += 1;
        why.clone_into(&mut self.why);
        self.said = said;
        match concern {
            Concern::Channel => self.refused = true,
            Concern::Message => {
                self.unreached_since = None;
                self.refuse(delivery);
            }
            // It needs a person too, but says nothing of the way.
            Concern::Posbell => self.refuse(delivery),
            Concern::Way => {
                self.unreached_since.get_or_insert(up);
            }
        }
    }

    fn refuse(&mut self, delivery: &DeliveryId) {
        if self.messages.len() < MESSAGES {
            self.messages.insert(delivery.clone());
        }
    }

    /// What is wrong with the channel at this uptime, if the attempts say so.
    pub fn fault(&self, up: Duration) -> Option<ChannelFault> {
        let unreached = self.unreached_since.is_some_and(|since| up.saturating_sub(since) >= WITHOUT_SUCCESS);
        match () {
            () if self.refused => Some(ChannelFault::Refused),
            () if self.messages.len() >= MESSAGES => Some(ChannelFault::RejectsMessages),
            () if unreached => Some(ChannelFault::Unreachable),
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::ChannelName;
    use crate::domain::test_shop::time;

    /// `C` concerns the channel, `W` the way, `P` posbell, `1`, `2`, … the message of that number; one attempt each minute.
    #[track_caller]
    fn check(attempts: &str, minutes: u64, want: Option<ChannelFault>) {
        let channel = ChannelName::new("owner").unwrap();
        let mut streak = Streak::begin(time("2026-11-23T03:00:00Z"));
        for (minute, attempt) in attempts.chars().enumerate() {
            let concern = match attempt {
                'C' => Concern::Channel,
                'W' => Concern::Way,
                'P' => Concern::Posbell,
                _ => Concern::Message,
            };
            let id = DeliveryId::of(&channel, Some(&attempt.to_string()), &[]);
            streak.failed(&id, concern, ("why", None), Duration::from_secs(60 * minute as u64));
        }
        assert_eq!(streak.fault(Duration::from_secs(60 * minutes)), want, "{attempts} after {minutes} minutes");
    }

    #[test]
    fn a_refused_channel_fails_at_once_and_others_in_their_time() {
        check("C", 0, Some(ChannelFault::Refused));
        check("WC", 1, Some(ChannelFault::Refused));
        check("1111", 300, None);
        check("121", 300, None);
        check("123", 2, Some(ChannelFault::RejectsMessages));
        check("W", 14, None);
        check("W", 15, Some(ChannelFault::Unreachable));
        check("WWW1", 20, None);
        check("W1W", 16, None);
        check("WPW", 15, Some(ChannelFault::Unreachable));
        check("PP", 300, None);
        check("W1W", 17, Some(ChannelFault::Unreachable));
    }
}
