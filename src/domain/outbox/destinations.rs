//! What planning must know of the channels: who reads them, and how many messages one event becomes there.

use std::collections::BTreeMap;

use super::Address;
use crate::domain::model::ChannelName;

/// How many events one message for people holds at most. It shows the first few and counts the rest, but all of them
/// are read from the store to write it. What is more becomes a second message.
const MOST_FOR_PEOPLE: usize = 5_000;

/// How long an array for a machine may be; from the contract. Many receivers refuse a body from a megabyte on.
const ARRAY_BYTES: usize = 256 * 1024;

/// How much one message to a channel may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// So many events.
    events: usize,
    /// So many bytes of JSON; `None` where nobody sends it.
    bytes: Option<usize>,
}

impl Room {
    /// One event a message.
    pub const ALONE: Room = Room { events: 1, bytes: None };

    /// People read it.
    pub const FOR_PEOPLE: Room = Room { events: MOST_FOR_PEOPLE, bytes: None };

    /// An array of up to so many events.
    pub fn array(events: usize) -> Room {
        if events > 1 { Room { events, bytes: Some(ARRAY_BYTES) } } else { Room::ALONE }
    }

    /// Whether a message may have more than one event at all.
    pub fn is_for_several(self) -> bool {
        self.events > 1
    }

    /// Whether it matters how long the events are.
    pub fn is_measured(self) -> bool {
        self.bytes.is_some()
    }

    /// Whether so many events, whose JSON is so long together, are one message.
    pub fn holds(self, events: usize, json: usize) -> bool {
        // With the brackets, and a comma between any two.
        events <= self.events && self.bytes.is_none_or(|most| json.saturating_add(events + 1) <= most)
    }
}

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

    /// How much one message to this channel may hold.
    pub fn room(&self, channel: &ChannelName) -> Room {
        match self.of(channel) {
            Some(Destination { for_people: true, .. }) => Room::FOR_PEOPLE,
            Some(Destination { batch: Some(most), .. }) => Room::array(*most),
            Some(_) | None => Room::ALONE,
        }
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
