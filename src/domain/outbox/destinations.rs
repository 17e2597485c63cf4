//! What planning must know of the channels: who reads them, and how many messages one event becomes there.

use std::collections::BTreeMap;

use super::Address;
use crate::domain::model::ChannelName;

/// What planning must know of one channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Destination {
    /// Its recipients, where it has several: each gets a delivery of its own.
    pub recipients: Vec<String>,
    /// People read it: what one pass brings is one message.
    pub for_people: bool,
    /// For machines: how many events one array may hold; `None` means one event a request.
    pub batch: Option<usize>,
}

/// The channels of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Destinations(BTreeMap<ChannelName, Destination>);

impl Destinations {
    /// What is known of this channel; one that the configuration does not have is for machines.
    pub fn of(&self, channel: &ChannelName) -> Option<&Destination> {
        self.0.get(channel)
    }

    /// The recipients of this channel, where it has several.
    pub fn recipients(&self, channel: &ChannelName) -> Option<&[String]> {
        self.of(channel).map(|known| known.recipients.as_slice()).filter(|recipients| !recipients.is_empty())
    }

    /// The channels that people read, by name.
    pub fn for_people(&self) -> impl Iterator<Item = &ChannelName> {
        self.0.iter().filter(|(_, destination)| destination.for_people).map(|(name, _)| name)
    }

    /// Where a message to this channel goes: to each of its recipients, or to the channel itself.
    pub fn addresses(&self, channel: &ChannelName) -> Vec<Address> {
        let address = |recipient| Address { channel: channel.clone(), recipient };
        match self.recipients(channel) {
            Some(recipients) => recipients.iter().cloned().map(Some).map(address).collect(),
            None => vec![address(None)],
        }
    }
}

impl FromIterator<(ChannelName, Destination)> for Destinations {
    fn from_iter<I: IntoIterator<Item = (ChannelName, Destination)>>(channels: I) -> Self {
        Self(channels.into_iter().collect())
    }
}
